"""A film seen at some of its frames."""

from pathlib import Path

import numpy as np
import pytest

import vidcolor.advise.samples
from tests.support.videos import picture, write_clip
from vidcolor.advise.samples import LONGEST_FADE, Sampled, sample
from vidcolor.working_size import WorkingSize

FIT = WorkingSize.of(64, 96, 48)


def film(path: Path, frames: int = 40) -> Path:
    return write_clip(
        path, pixel_format="gray", pts=range(0, 40 * frames, 40), tags=(1, 1, 1, 2, 0)
    )


def test_shots_follow_each_other_and_hold_their_ends(tmp_path: Path) -> None:
    shots = list(sample(film(tmp_path / "a.mkv"), [0, 9, 30], FIT))
    assert [shot.frames for shot in shots] == [range(9), range(9, 30), range(30, 40)]
    assert [list(shot.lumas) for shot in shots] == [
        [0, 4, 8],
        [9, 13, 17, 21, 25, 29],
        [30, 34, 38, 39],
    ]


def test_samples_are_the_films_luma_made_small(tmp_path: Path) -> None:
    [shot] = sample(film(tmp_path / "a.mkv", 10), [0], FIT)
    for number, luma in shot.lumas.items():
        expected = FIT.downsample(picture(number).astype(np.float32) / 255)
        np.testing.assert_allclose(luma, expected, atol=1e-6)


def test_some_frames_are_always_there(tmp_path: Path) -> None:
    first, second = sample(film(tmp_path / "a.mkv", 20), [0, 9], FIT, always=[3, 8, 10])
    assert list(first.lumas) == [0, 3, 4, 8]
    assert list(second.lumas) == [9, 10, 13, 17, 19]


def test_samples_stand_for_the_frames_nearest_to_them(tmp_path: Path) -> None:
    _, shot = sample(film(tmp_path / "a.mkv", 20), [0, 9], FIT)
    assert list(shot.lumas) == [9, 13, 17, 19]
    np.testing.assert_array_equal(shot.weights, [2.5, 4, 3, 1.5])


def test_a_long_shot_is_seen_at_fewer_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vidcolor.advise.samples, "MOST", 5)
    [shot] = sample(film(tmp_path / "a.mkv"), [0], FIT, always=[1])
    assert list(shot.lumas) == [0, 1, 8, 16, 24, 32, 39]
    assert shot.weights.sum() == 40


def test_frames_in_a_fade_are_not_clear() -> None:
    """Half of the contrast, as half way through a fade or a dissolve, is too little to paint on."""
    texture = picture(0).astype(np.float32) / 255
    gains = (0.05, 0.5, 1, 1, 1, 0.9, 0.6, 0.1)
    lumas = {4 * n: gain * texture for n, gain in enumerate(gains)}
    assert Sampled(range(32), lumas).clear == [2, 3, 4, 5]
    assert Sampled(range(8), {0: np.zeros((4, 4), np.float32)}).clear == [0]


def test_what_is_pale_for_long_or_in_the_middle_is_no_fade() -> None:
    texture = picture(0).astype(np.float32) / 255
    dim = [*[0.5] * (LONGEST_FADE + 1), *[1] * 60, 0.5, 1]
    lumas = {n: gain * texture for n, gain in enumerate(dim)}
    assert Sampled(range(len(dim)), lumas).clear == list(range(len(dim)))
