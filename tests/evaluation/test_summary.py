from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evaluation.predictors import Predictor
from evaluation.scores import Scores
from evaluation.summary import CHAIN, ENDS, Clips, Evaluation, above, mean_curve, summarise

COUNT = 30


def scores(psnr: list[float], confidence: tuple[float, ...] | list[float] = ()) -> Scores:
    count = len(psnr)
    return Scores(
        psnr=psnr,
        accuracy=[0.9] * count,
        ciede2000=[2.0] * count,
        lab_l1=[1.0] * count,
        ssim=[0.95] * (count // 5),
        confidence=list(confidence),
        cdc=0.001,
        seconds=count / 8,
    )


def evaluation(clips: Clips, *methods: Predictor) -> Evaluation:
    summaries = {method.label: summarise(clips, method.label) for method in methods}
    return Evaluation(
        command="",
        versions={},
        provenance={},
        options={},
        models={},
        predictors=methods,
        summaries=summaries,
        true_cdc=0.001,
        clips=clips,
    )


def test_a_steady_method_does_not_drift():
    summary = summarise({"a": {"m": scores([30.0] * COUNT)}}, "m")
    assert (summary.psnr, summary.first, summary.last, summary.drift) == (30, 30, 30, 0)
    figures = [
        getattr(summary, name) for name in ("accuracy", "ciede2000", "lab_l1", "ssim", "cdc")
    ]
    assert figures == pytest.approx([0.9, 2.0, 1.0, 0.95, 0.001])
    assert summary.frames_per_second == pytest.approx(8)
    assert summary.against_chain is None


@pytest.mark.parametrize(("frame", "drift"), [(COUNT - 1, 2.0), (0, -2.0), (COUNT // 2, 0.0)])
def test_one_wrong_frame_is_drift_where_it_lies(frame, drift):
    psnr = [40.0] * COUNT
    psnr[frame] -= 2.0 * ENDS
    assert summarise({"a": {"m": scores(psnr)}}, "m").drift == pytest.approx(drift)


def test_clips_count_alike_however_long():
    clips = {"a": {"m": scores([20.0] * 40)}, "b": {"m": scores([40.0] * 12)}}
    assert summarise(clips, "m").psnr == 30


def test_shares_and_worst_clip_against_flow_chain():
    clips = {
        "a": {CHAIN: scores([30.0] * 10), "m": scores([31.0] * 10)},
        "b": {CHAIN: scores([30.0] * 10), "m": scores([29.0] * 8 + [30.5] * 2)},
        "c": {CHAIN: scores([30.0] * 20), "m": scores([29.0] * 2 + [40.0] * 18)},
    }
    against = summarise(clips, "m").against_chain
    assert against.frames_below == pytest.approx(10 / 40)
    assert against.clips_above == pytest.approx(2 / 3)
    assert against.worst_clip == "b"
    assert against.worst == pytest.approx(-0.7)
    assert against.frames_above == pytest.approx(30 / 40)
    assert summarise(clips, CHAIN).against_chain is None
    assert list(above(clips, "m", CHAIN)) == ["b", "a", "c"]


def test_a_frame_as_good_as_flow_chains_is_neither_above_nor_below():
    clips = {"a": {CHAIN: scores([60.0, 30.0] * 5), "m": scores([60.0, 31.0] * 5)}}
    against = summarise(clips, "m").against_chain
    assert (against.frames_below, against.frames_above) == (0.0, 0.5)


def test_chroma_kept_is_the_strength_of_the_last_frames_over_the_true_one():
    """The last ten of 30 frames at half the strength in one clip, all at twice it in the other."""
    fading = replace(
        scores([30.0] * COUNT), chroma=[8.0] * 20 + [4.0] * 10, true_chroma=[8.0] * COUNT
    )
    loud = replace(scores([30.0] * COUNT), chroma=[8.0] * COUNT, true_chroma=[4.0] * COUNT)
    gray = replace(scores([30.0] * COUNT), chroma=[1.0] * COUNT, true_chroma=[0.0] * COUNT)
    assert summarise({"a": {"m": fading}}, "m").chroma_kept == pytest.approx(0.5)
    kept = summarise({"a": {"m": fading}, "b": {"m": loud}, "c": {"m": gray}}, "m").chroma_kept
    assert kept == pytest.approx((0.5 + 2) / 2)
    assert summarise({"c": {"m": gray}}, "m").chroma_kept is None


def test_error_growth_is_from_frame_10_to_frame_60():
    """A tenth of a dB a frame: 5 dB over the 50 frames; clips that end before do not count."""
    falling = scores([40 - t / 10 for t in range(1, 96)])
    short = scores([40 - t for t in range(1, 58)])
    assert summarise({"a": {"m": falling}}, "m").error_growth == pytest.approx(5)
    assert summarise({"a": {"m": falling}, "b": {"m": short}}, "m").error_growth == pytest.approx(5)
    assert summarise({"b": {"m": short}}, "m").error_growth is None
    # A clip of 60 frames has frames 58 and 59 around the sixtieth.
    assert summarise({"a": {"m": scores(falling.psnr[:59])}}, "m").error_growth == pytest.approx(
        4.85
    )


def test_planted_confidence_ranks_perfectly():
    falling = list(np.linspace(40, 20, COUNT))
    rising = list(np.linspace(21, 39, COUNT))
    clips = {
        "a": {"m": scores(falling, [p / 50 for p in falling])},
        "b": {"m": scores(rising, [p / 50 for p in rising])},
    }
    summary = summarise(clips, "m")
    assert summary.confidence_pooled == pytest.approx(1)
    assert summary.confidence_within == pytest.approx(1)


def test_confidence_that_only_knows_the_clip_ranks_within_none():
    clips = {
        "a": {"m": scores([20.0 + t for t in range(10)], [0.2] * 10)},
        "b": {"m": scores([40.0 + t for t in range(10)], [0.8] * 10)},
    }
    summary = summarise(clips, "m")
    assert summary.confidence_pooled > 0.8
    assert summary.confidence_within is None


def test_curves_end_where_less_than_half_of_the_clips_go():
    assert mean_curve([[1, 1], [3, 3, 3], [5, 5, 5, 5]]) == [3, 3, 4]


def test_the_subject_is_the_model_and_its_worst_clips_come_first():
    model = Predictor("propagation", "seeds", "x")
    clips = {
        name: {CHAIN: scores([30.0] * 10), "seeds": scores([level] * 10)}
        for name, level in (("good", 33.0), ("bad", 27.0))
    }
    found = evaluation(clips, Predictor(CHAIN), model)
    assert found.subject == model
    assert found.worst_first() == {"bad": -3, "good": 3}
    baselines = evaluation(clips, Predictor(CHAIN))
    assert baselines.subject.label == CHAIN
    assert baselines.worst_first() == {"good": 30, "bad": 30}


def test_the_error_rate_comes_from_transfer():
    model, other = Predictor("propagation", "seeds", "x"), Predictor("transfer", "seeds", "x")
    clips = {"a": {m.label: scores([30.0] * 10) for m in (Predictor(CHAIN), model, other)}}
    assert evaluation(clips, model, other).error_rate(model) == pytest.approx(0.1)
    assert evaluation(clips, model).error_rate(model) is None
    assert evaluation(clips, Predictor(CHAIN), other).error_rate(Predictor(CHAIN)) is None
