from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from evaluation.clips import load_clip, rgb_to_codes
from evaluation.options import ClipOptions
from tests.support.scenes import render
from tests.support.videos import frames
from training.data.prepare.shot_writer import ShotFigures, ShotWriter
from vidcolor.media.reader import Reader


@pytest.fixture(scope="module")
def scene() -> np.ndarray:
    return render(6, 64, 96, seed=1, pan=2).rgb("bt601")


def write(folder: Path, rgb: np.ndarray, *, crf: int = 0) -> tuple[Path, Path, ShotFigures]:
    colour, gray = folder / "colour.mp4", folder / "gray.mp4"
    size = rgb.shape[2], rgb.shape[1]
    with ShotWriter(colour, gray, size=size, rate=Fraction(30000, 1001), crf=crf) as pair:
        for frame in rgb:
            pair.add(frame)
    return colour, gray, pair.figures


@pytest.mark.parametrize("shape", [(64, 96), (63, 95)])
def test_without_loss_both_hold_the_planes_that_training_knows(tmp_path, scene, shape):
    rgb = np.ascontiguousarray(scene[:, : shape[0], : shape[1]])
    colour, gray, _ = write(tmp_path, rgb)
    for true, whole, half in zip(rgb, frames(colour), frames(gray), strict=True):
        luma, chroma = rgb_to_codes(true)
        assert np.array_equal(whole.to_ndarray(), np.stack((luma, *chroma)))
        assert np.array_equal(half.to_ndarray(format="gray"), luma)


def test_training_reads_what_was_written(tmp_path, scene):
    colour, _, _ = write(tmp_path, scene)
    clip = load_clip(colour, name="", options=ClipOptions(size=64, cache=tmp_path / "cache"))
    for index, rgb in enumerate(scene):
        luma, chroma = rgb_to_codes(rgb)
        assert np.abs(clip.luma[index].astype(int) - luma).max() <= 2
        assert np.abs(clip.chroma[index].astype(int) - chroma).max() <= 2


def test_the_runtime_knows_what_their_codes_mean(tmp_path, scene):
    for path, matrix in zip(write(tmp_path, scene), (6, 2), strict=False):  # gray needs no matrix
        with Reader(path) as reader:
            info = reader.info
        assert (info.tags.range, info.tags.matrix) == (2, matrix)
        assert info.rate == Fraction(30000, 1001)


def test_loss_is_small_and_saves_space(tmp_path, scene):
    (tmp_path / "lossy").mkdir()
    lossy, _, _ = write(tmp_path / "lossy", scene, crf=8)
    whole, _, _ = write(tmp_path, scene)
    assert lossy.stat().st_size < 0.6 * whole.stat().st_size
    for rgb, frame in zip(scene, frames(lossy), strict=True):
        luma, chroma = rgb_to_codes(rgb)
        error = frame.to_ndarray().astype(float) - np.stack((luma, *chroma))
        assert np.sqrt((error**2).mean()) < 1.5


def test_worth_of_planted_shots(tmp_path):
    gray = np.full((3, 64, 64, 3), 90, np.uint8)
    assert write(tmp_path, gray)[2] == ShotFigures(3, pytest.approx(0, abs=0.1), 0.0)
    red = np.zeros_like(gray)
    red[..., 0] = 255
    # sRGB's red in Lab is (53.2, 80.1, 67.2).
    assert write(tmp_path, red)[2].chroma == pytest.approx(np.hypot(80.1, 67.2), abs=0.2)
    moving = gray.copy()
    moving[1, :16] = 200  # a quarter of the picture, which goes back after a frame
    assert write(tmp_path, moving)[2].motion == 0.25
    moving[1, :16] = 95  # by 2 of L's 100
    assert write(tmp_path, moving)[2].motion == 0


def test_a_shot_that_breaks_off_leaves_the_error_as_it_is(tmp_path):
    size = (32, 32)
    with (
        pytest.raises(KeyboardInterrupt),
        ShotWriter(tmp_path / "c.mp4", tmp_path / "g.mp4", size=size, rate=Fraction(25), crf=8),
    ):
        raise KeyboardInterrupt
