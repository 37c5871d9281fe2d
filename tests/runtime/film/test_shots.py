"""Where a film is cut."""

import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import av
import numpy as np
import pytest

from tests.support.scenes import render
from vidcolor.errors import MediaError, MissingLibraryError
from vidcolor.film.shots import (
    CUT,
    FADE,
    START,
    THRESHOLD,
    ShotFinder,
    find_cuts,
    find_shots,
)
from vidcolor.media.info import Info

LENGTHS = (14, 9, 20, 12)


def write_film(
    path: Path,
    *,
    pixel_format: str,
    lengths: tuple[int, ...] = LENGTHS,
    gain: Callable[[int], float] = lambda number: 1,
) -> Path:
    """Scenes of a moving camera one after the other, each of its own level; gain: of a frame."""
    numbers = count()
    scale = (2 if "10" in pixel_format else 0, "u2" if "10" in pixel_format else "u1")
    with av.open(path, "w") as container:
        stream = container.add_stream("ffv1", rate=24)
        stream.width, stream.height, stream.pix_fmt = 96, 64, pixel_format
        for seed, length in enumerate(lengths):
            for luma in render(length, 64, 96, seed=seed).luma:
                level = gain(next(numbers)) * (0.4 + 0.2 * (seed % 4))
                gray = (16 + 219 * luma * level).astype(scale[1]) << scale[0]
                frame = av.VideoFrame(96, 64, pixel_format)
                for index, plane in enumerate(frame.planes):
                    rows = np.frombuffer(plane, scale[1]).reshape(plane.height, -1)
                    rows[:, : plane.width] = gray if index == 0 else 128 << scale[0]
                container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize("pixel_format", ["gray", "yuv420p", "gray10le"])
def test_first_frames_of_the_shots(tmp_path: Path, pixel_format: str) -> None:
    film = write_film(tmp_path / "film.mkv", pixel_format=pixel_format)
    assert find_shots(film) == [0, 14, 23, 43]


@pytest.mark.parametrize("exposures", [(1.0, 1.0), (0.9, 1.0), (0.65, 1.0)])
def test_flicker_is_no_cut_and_hides_none(exposures: tuple[float, float]) -> None:
    rng = np.random.default_rng(0)
    finder = ShotFinder(cast("Info", SimpleNamespace(rate=24)))
    for length in LENGTHS:
        picture = np.repeat(np.repeat(rng.uniform(60, 240, (9, 16)), 14, 0), 14, 1)
        for frame in range(length):
            moved = np.roll(picture, 2 * frame, axis=1)
            finder.add((moved * rng.uniform(*exposures)).astype(np.uint8))
    assert finder.shots == [0, 14, 23, 43]


def test_where_when_how_and_how_sure(tmp_path: Path) -> None:
    cuts, frames = find_cuts(write_film(tmp_path / "film.mkv", pixel_format="gray"))
    assert frames == sum(LENGTHS)
    assert [(cut.frame, cut.kind) for cut in cuts] == [(0, START), (14, CUT), (23, CUT), (43, CUT)]
    assert [round(24 * cut.seconds) for cut in cuts] == [0, 14, 23, 43]
    assert cuts[0].score is None
    assert all(cut.score is not None and cut.score >= THRESHOLD for cut in cuts[1:])


def test_threshold_and_least_length(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mkv", pixel_format="gray")
    cuts, _ = find_cuts(film)
    scores = sorted(cut.score for cut in cuts if cut.score is not None)
    fewer, _ = find_cuts(film, threshold=scores[0] + 0.01)
    assert [cut.score for cut in fewer if cut.score is not None] == [
        cut.score for cut in cuts if cut.score is not None and cut.score > scores[0]
    ]
    longer, _ = find_cuts(film, shortest=16)
    assert [cut.frame for cut in longer] == [0, 23, 43]


def test_a_shot_that_fades_in_from_black_begins_in_the_middle_of_the_black(tmp_path: Path) -> None:
    """Out over 12 frames, 6 black, in over 12: no frame differs much from the one before it."""

    def gain(number: int) -> float:
        return float(np.clip(max(24 - number, number - 41, 12 * (number < 12)) / 12, 0, 1))

    film = write_film(tmp_path / "film.mkv", pixel_format="gray", lengths=(33, 33), gain=gain)
    cuts, _ = find_cuts(film)
    assert [cut.kind for cut in cuts] == [START, FADE]
    assert 24 <= cuts[1].frame <= 42
    assert abs(cuts[1].frame - 33) <= 2


def test_black_before_the_first_picture_is_no_shot(tmp_path: Path) -> None:
    def gain(number: int) -> float:
        return float(np.clip((number - 12) / 12, 0, 1))

    film = write_film(tmp_path / "film.mkv", pixel_format="gray", lengths=(40,), gain=gain)
    assert find_shots(film) == [0]


def test_a_cut_to_black_and_back_is_not_told_twice(tmp_path: Path) -> None:
    def gain(number: int) -> float:
        return float(not 20 <= number < 32)

    film = write_film(tmp_path / "film.mkv", pixel_format="gray", lengths=(26, 26), gain=gain)
    cuts, _ = find_cuts(film)
    assert [cut.kind for cut in cuts if cut.kind != CUT] == [START]


def test_a_film_of_one_shot(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mkv", pixel_format="gray", lengths=(30,))
    assert find_shots(film) == [0]


def test_colour_is_of_no_account(tmp_path: Path) -> None:
    """Another chroma, the same luma, the same cuts: the law holds for them, too."""
    film = write_film(tmp_path / "film.mkv", pixel_format="yuv420p")
    with av.open(film) as source, av.open(tmp_path / "tinted.mkv", "w") as container:
        stream = container.add_stream("ffv1", rate=24)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for number, frame in enumerate(source.decode(video=0)):
            np.frombuffer(frame.planes[1], "u1")[:] = number * 97 % 256
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    assert find_shots(tmp_path / "tinted.mkv") == find_shots(film)


def test_what_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="there is no file"):
        find_shots(tmp_path / "absent.mkv")


def test_without_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scenedetect", None)
    with pytest.raises(MissingLibraryError, match=r"pip install .vidcolor\[film\]"):
        find_shots(write_film(tmp_path / "film.mkv", pixel_format="gray", lengths=(9,)))
