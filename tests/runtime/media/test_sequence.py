"""Numbered pictures are a clip: a folder of them, or a pattern."""

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.support.videos import picture
from vidcolor.errors import MediaError
from vidcolor.media.info import Frame
from vidcolor.media.reader import Reader


def write_pictures(
    folder: Path, pattern: str, numbers: range | list[int], *, bits: int = 8
) -> None:
    folder.mkdir(exist_ok=True)
    for number in numbers:
        assert cv2.imwrite(str(folder / (pattern % number)), picture(number, bits=bits))


@pytest.mark.parametrize(
    ("pattern", "bits", "pixel_format"),
    [
        ("frame_%05d.png", 8, "gray"),
        ("frame_%05d.png", 16, "gray16le"),
        ("scan %d.tif", 16, "gray16le"),
        ("f#1-%03d.pgm", 8, "gray"),
    ],
)
@pytest.mark.parametrize("as_folder", [True, False])
def test_pictures_are_the_frames_in_order(
    tmp_path: Path, pattern: str, bits: int, pixel_format: str, as_folder: bool
) -> None:
    folder = tmp_path / "scan"
    write_pictures(folder, pattern, range(8, 12), bits=bits)
    (folder / "notes.txt").touch()
    with Reader(folder if as_folder else folder / pattern) as reader:
        frames = [item for item in reader if isinstance(item, Frame)]
        assert reader.info.pixel_format == pixel_format
        assert reader.info.rate == 24
        assert reader.info.frame_count == 4
        assert [frame.pts * reader.info.time_base for frame in frames] == [
            Fraction(n, 24) for n in range(4)
        ]
        assert reader.losses == ()
    for number, frame in enumerate(frames, 8):
        np.testing.assert_array_equal(frame.planes[0], picture(number, bits=bits))


@pytest.mark.parametrize("name", ["a-{}.jpg", "{}.JPEG", "scan 00{}.jpg"])
def test_jpegs_larger_than_what_ffmpeg_looks_at_first(tmp_path: Path, name: str) -> None:
    pictures = [picture(number, width=640, height=480) for number in range(3)]
    for number, luma in enumerate(pictures):
        file = tmp_path / name.format(number)
        assert cv2.imwrite(str(file), luma)
        assert file.stat().st_size > 8000
    with Reader(tmp_path) as reader:
        frames = [item for item in reader if isinstance(item, Frame)]
    assert len(frames) == 3
    for frame, luma in zip(frames, pictures, strict=True):
        assert np.abs(frame.planes[0].astype(int) - luma).mean() < 1


@pytest.mark.parametrize(
    ("pattern", "asked", "words"),
    [
        ("scan_%05d.png", "", "-framerate 24 -start_number 8 -i {}/scan_%05d.png -vf scale="),
        ("8%% %d.png", "", "-framerate 24 -start_number 8 -i '{}/8%% %d.png' -vf scale="),
        ("%03d_2k.png", "%d_2k.png", "-framerate 24 -start_number 8 -i {}/%03d_2k.png -vf scale="),
    ],
)
def test_pictures_in_rgb_are_refused_with_a_command_that_converts_them(
    tmp_path: Path, pattern: str, asked: str, words: str
) -> None:
    for number in (8, 9):
        colored = cv2.cvtColor(picture(number), cv2.COLOR_GRAY2BGR)
        assert cv2.imwrite(str(tmp_path / (pattern % number)), colored)
    with pytest.raises(MediaError) as error:
        Reader(tmp_path / asked)
    assert f"such as with: ffmpeg {words.format(tmp_path)}" in str(error.value)


def test_missing_numbers_are_told(tmp_path: Path) -> None:
    write_pictures(tmp_path, "%03d.png", [1, 2, 5, 6, 7, 8])
    with Reader(tmp_path) as reader:
        assert sum(isinstance(item, Frame) for item in reader) == 6
        [loss] = reader.losses
    assert str(loss).startswith("2 frames at 0:00:00.083, between frames 1 and 2, are missing")


def test_two_sequences_in_a_folder(tmp_path: Path) -> None:
    write_pictures(tmp_path, "a_%03d.png", range(3))
    write_pictures(tmp_path, "b_%03d.png", range(3))
    with pytest.raises(MediaError, match=r"more than one sequence, a_%d.png and b_%d.png: give"):
        Reader(tmp_path)
    with Reader(tmp_path / "b_%d.png") as reader:
        assert sum(isinstance(item, Frame) for item in reader) == 3


def test_a_folder_or_pattern_without_pictures(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="is a folder without numbered pictures such as"):
        Reader(tmp_path)
    with pytest.raises(MediaError, match="no picture whose name is like"):
        Reader(tmp_path / "x_%04d.png")


def test_a_picture_that_is_none(tmp_path: Path) -> None:
    write_pictures(tmp_path, "%03d.png", range(3))
    (tmp_path / "001.png").write_bytes(b"nothing")
    with Reader(tmp_path) as reader, pytest.raises(MediaError, match=r"001\.png cannot be read"):
        list(reader)
