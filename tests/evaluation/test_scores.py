from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evaluation.clips import CODING, Clip, load_clip
from evaluation.metrics import PSNR_LIMIT
from evaluation.options import ClipOptions
from evaluation.predictors import Prediction, Predictor
from evaluation.scores import Scorer
from tests.support import need
from tests.support.footage import scene_clip
from vidcolor import interruption
from vidcolor.color import decode_chroma

FRAMES = 12


@pytest.fixture(scope="module")
def clip() -> Clip:
    return scene_clip(frames=FRAMES)


@pytest.fixture(scope="module")
def scorer(clip) -> Scorer:
    return Scorer(clip)


def perfect(clip: Clip) -> Iterator[Prediction]:
    for codes in clip.chroma[1:]:
        yield Prediction(decode_chroma(*codes, CODING), confidence=0.75, seconds=0.5)


def test_a_perfect_model_scores_perfect(clip, scorer):
    scores = scorer.score(perfect(clip))
    count = FRAMES - 1
    assert scores.psnr == [PSNR_LIMIT] * count
    assert scores.accuracy == [1.0] * count
    assert scores.ciede2000 == scores.lab_l1 == [0.0] * count
    assert scores.ssim == pytest.approx([1.0] * 2)
    assert scores.confidence == [0.75] * count
    assert scores.cdc == pytest.approx(scorer.true_cdc())
    assert scores.cdc > 0
    assert scores.warping_error == pytest.approx([0.0] * (count - 1))
    assert scores.seconds == pytest.approx(0.5 * count)
    assert scores.chroma == scores.true_chroma
    assert len(scores.chroma) == count


def test_one_wrong_frame_is_the_one_that_shows(clip, scorer):
    wrong = 8  # the second that SSIM is measured on
    painting = list(perfect(clip))
    painting[wrong - 1] = painting[wrong - 1]._replace(
        chroma=np.zeros_like(painting[0].chroma), confidence=None
    )
    scores = scorer.score(painting)
    others = [t for t in range(FRAMES - 1) if t != wrong - 1]
    assert scores.psnr[wrong - 1] < 30
    assert [scores.psnr[t] for t in others] == [PSNR_LIMIT] * len(others)
    assert scores.accuracy[wrong - 1] < 0.5
    assert scores.ciede2000[wrong - 1] > 5
    assert scores.lab_l1[wrong - 1] > 2
    assert scores.ssim[1] < scores.ssim[0] == pytest.approx(1)
    assert scores.cdc > 2 * scorer.true_cdc()
    assert len(scores.confidence) == FRAMES - 2


def test_the_warping_error_is_what_a_steady_clip_does_not_have(clip):
    """Chroma that goes up and down by two codes in a clip that stands still; gray has none."""
    still = replace(clip, luma=clip.luma[[0] * 5], chroma=clip.chroma[[0] * 5])
    nervous = [
        p._replace(chroma=p.chroma + np.float32(t % 2 * 2 / 255))
        for t, p in enumerate(perfect(still))
    ]
    assert Scorer(still).score(nervous).warping_error == pytest.approx([2.0] * 3, abs=1e-3)
    gray = [p._replace(chroma=np.zeros_like(p.chroma)) for p in perfect(clip)]
    assert all(figure <= 0 for figure in Scorer(clip).score(gray).warping_error)


def test_a_clip_of_two_frames_is_measured():
    clip = scene_clip(frames=2)
    scores = Scorer(clip).score(perfect(clip))
    assert scores.warping_error == []
    assert (scores.psnr, scores.ssim) == ([PSNR_LIMIT], pytest.approx([1.0]))
    assert scores.cdc == pytest.approx(Scorer(clip).true_cdc())


def test_painted_chroma_is_rounded_as_a_video_would(clip, scorer):
    painting = [p._replace(chroma=p.chroma + np.float32(0.4 / 255)) for p in perfect(clip)]
    assert scorer.score(painting).psnr == [PSNR_LIMIT] * (FRAMES - 1)


@pytest.mark.parametrize("frames", [FRAMES - 2, FRAMES])
def test_a_frame_too_few_or_too_many_is_an_error(clip, scorer, frames):
    painting = [*perfect(clip), *perfect(clip)][:frames]
    with pytest.raises(ValueError, match="zip"):
        scorer.score(painting)


def test_a_signal_ends_it_in_the_threads_of_a_pool(clip, scorer, monkeypatch):
    """Or the program would wait for all clips that are under way."""
    predicted = []

    def predictions() -> Iterator[Prediction]:
        for number, prediction in enumerate(perfect(clip), start=1):
            predicted.append(number)
            if number == 2:
                monkeypatch.setattr(interruption, "_noted", [signal.SIGTERM])
            yield prediction

    with pytest.raises(interruption.Terminated):
        scorer.score(predictions())
    assert predicted == [1, 2]


@pytest.mark.parametrize(
    ("method", "expected"),
    [("gray", 27.89), ("hold", 32.08), ("flow chain", 39.79), ("flow direct", 38.48)],
)
def test_the_scorer_agrees_with_one_made_of_opencv_alone(method, expected, footage):
    """Mean PSNR of real footage, decoded, warped and compared in OpenCV's Y'CrCb and RGB."""
    clip, scorer = footage
    assert np.mean(scorer.score(Predictor(method).predict(clip)).psnr) == pytest.approx(
        expected, abs=0.1
    )


@pytest.fixture(scope="module")
def footage(tmp_path_factory) -> tuple[Clip, Scorer]:
    name = "jacky1107-pose-estimation_001.mp4"
    path = next((path for path in need.clips() if path.name == name), Path(name))
    cache = tmp_path_factory.mktemp("cache")
    clip = load_clip(path, name=name, options=ClipOptions(max_frames=25, cache=cache))
    return clip, Scorer(clip)
