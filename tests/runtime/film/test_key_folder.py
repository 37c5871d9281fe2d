"""Images in a folder, by the frames they are keys of."""

from pathlib import Path

import pytest

from vidcolor.errors import KeyFrameError
from vidcolor.film.key_folder import find_images, find_keys


def test_numbers_in_names_are_frames(tmp_path: Path) -> None:
    names = ("000240.png", "7.JPG", "00.tiff", "contact-sheet.jpg", "12.txt", "frame13.png")
    for name in names:
        (tmp_path / name).touch()
    found = {240: "000240.png", 7: "7.JPG", 0: "00.tiff"}
    assert find_keys(tmp_path) == {frame: tmp_path / name for frame, name in found.items()}


def test_two_for_one_frame(tmp_path: Path) -> None:
    for name in ("7.png", "0007.png"):
        (tmp_path / name).touch()
    with pytest.raises(KeyFrameError, match=r"0007.png and 7.png in .* are both for frame 7"):
        find_images(tmp_path)


def test_none(tmp_path: Path) -> None:
    assert find_images(tmp_path) == {}
    with pytest.raises(KeyFrameError, match="holds no image named by a frame's number"):
        find_keys(tmp_path)
    with pytest.raises(KeyFrameError, match=r"there is no folder .*absent; .* 000240\.png"):
        find_keys(tmp_path / "absent")
