"""Where a film is cut."""

import sys
from pathlib import Path

import av
import numpy as np
import pytest

from tests.support.scenes import render
from vidcolor.errors import MediaError, MissingLibraryError
from vidcolor.film.shots import find_shots

LENGTHS = (14, 9, 20, 12)


def write_film(path: Path, *, pixel_format: str, lengths: tuple[int, ...] = LENGTHS) -> Path:
    """Scenes of a moving camera one after the other, each of its own level."""
    scale = (2 if "10" in pixel_format else 0, "u2" if "10" in pixel_format else "u1")
    with av.open(path, "w") as container:
        stream = container.add_stream("ffv1", rate=24)
        stream.width, stream.height, stream.pix_fmt = 96, 64, pixel_format
        for seed, length in enumerate(lengths):
            for luma in render(length, 64, 96, seed=seed).luma:
                gray = (16 + 219 * luma * (0.4 + 0.2 * (seed % 4))).astype(scale[1]) << scale[0]
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
