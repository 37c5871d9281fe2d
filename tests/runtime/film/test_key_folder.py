"""Images in a folder, by the frames they are keys of."""

from pathlib import Path

import pytest

from vidcolor.errors import KeyFrameError
from vidcolor.film.key_folder import find_images, find_keys


def test_numbers_in_names_are_frames(tmp_path: Path) -> None:
    found = {
        240: "000240.png", 7: "7.JPG", 0: "00.tiff", 12: "ref_000012.png", 13: "frame13.bmp",
        14: "14 copy.webp", 15: "15_painted.png", 16: "Key-0016.png", 17: "img17 (colorized).png",
    }  # fmt: skip
    others = ("contact-sheet.jpg", "contact-sheet-2.jpg", "12.txt", "IMG_2043 scan2.png", "18.gif")
    for name in (*found.values(), *others):
        (tmp_path / name).touch()
    notes: list[str] = []
    keys = find_keys(tmp_path, note=notes.append)
    assert keys == {frame: tmp_path / name for frame, name in found.items()}
    assert [note.split(" is not read")[0] for note in notes] == [
        str(tmp_path / name) for name in ("18.gif", "IMG_2043 scan2.png")
    ]


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
