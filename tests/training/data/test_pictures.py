from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from training.data.pictures import find_pictures
from vidcolor.errors import ArgumentError


def write(path: Path, height: int, width: int, *, bgr: tuple[int, int, int] = (0, 0, 255)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((height, width, 3), bgr, np.uint8))


def test_pictures_are_found_and_brought_to_their_size(tmp_path):
    write(tmp_path / "b.png", 300, 400)
    write(tmp_path / "more" / "a.JPG", 120, 90)
    found = find_pictures([tmp_path], size=100, least=64)
    assert [picture.path.name for picture in found] == ["b.png", "a.JPG"]
    large, small = (picture.load() for picture in found)
    assert (large.luma.shape, large.chroma.shape) == ((1, 100, 133), (1, 2, 100, 133))
    assert small.luma.shape == (1, 120, 90)  # its short side is less than 100 already
    # Red: Y' 76, Cb 85 and Cr 255 of 255 in full-range BT.601.
    assert (large.luma == 76).all()
    assert (large.chroma[0, 0] == 85).all()
    assert (large.chroma[0, 1] == 255).all()


def test_what_cannot_be_used_is_left_out_and_counted(tmp_path, capsys):
    write(tmp_path / "good.png", 128, 128)
    write(tmp_path / "small.png", 63, 900)
    (tmp_path / "damaged.jpg").write_bytes(b"no picture")
    (tmp_path / "notes.txt").write_text("no picture either")
    found = find_pictures([tmp_path], size=100, least=64)
    assert [picture.path.name for picture in found] == ["good.png"]
    assert "2 of 3 pictures cannot be read, or have fewer than 64 pixels" in capsys.readouterr().err


def test_folders_without_pictures(tmp_path):
    with pytest.raises(ArgumentError, match=r"pictures: .*missing is not a folder"):
        find_pictures([tmp_path / "missing"], size=100, least=64)
    (tmp_path / "notes.txt").write_text("none")
    with pytest.raises(ArgumentError, match=r"holds no picture .* of at least 64 pixels"):
        find_pictures([tmp_path], size=100, least=64)


def test_a_picture_that_goes_away(tmp_path):
    write(tmp_path / "good.png", 128, 128)
    (picture,) = find_pictures([tmp_path], size=100, least=64)
    picture.path.unlink()
    with pytest.raises(ArgumentError, match=r"good.png cannot be read any more"):
        picture.load()
