"""Which image in a folder is the key of which frame: its name says so."""

from __future__ import annotations

from pathlib import Path

from vidcolor.errors import KeyFrameError

ENDINGS = (".png", ".jpg", ".jpeg", ".tif", ".tiff")
"""What the images' names end in."""


def find_keys(folder: Path) -> dict[int, Path]:
    """As `find_images`, but raises KeyFrameError also when there are none."""
    keys = find_images(folder)
    if not keys:
        raise KeyFrameError(
            f"keys: {folder} holds no image named by a frame's number, such as 000240.png"
        )
    return keys


def find_images(folder: Path) -> dict[int, Path]:
    """The images in `folder` by the frame they show: 000240.png, or 240.png, is frame 240's.

    Files of other names, such as a contact sheet, are left alone. Raises KeyFrameError when there
    is no such folder, or two images for one frame.
    """
    if not folder.is_dir():
        raise KeyFrameError(
            f"keys: there is no folder {folder}; it should hold images named by the numbers of "
            "the frames they colour, such as 000240.png"
        )
    keys: dict[int, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in ENDINGS or not path.stem.isdecimal():
            continue
        frame = int(path.stem)
        if frame in keys:
            raise KeyFrameError(
                f"keys: {keys[frame].name} and {path.name} in {folder} are both for frame "
                f"{frame}, one key for a frame is accepted"
            )
        keys[frame] = path
    return keys
