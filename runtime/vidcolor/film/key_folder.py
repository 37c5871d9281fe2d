"""Which image in a folder is the key of which frame: its name says so."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from vidcolor.errors import KeyFrameError
from vidcolor.files import named_errors

ENDINGS = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp")
"""What the images' names end in."""

_OTHER_ENDINGS = (".gif", ".psd", ".xcf", ".kra", ".exr", ".jp2", ".heic", ".avif", ".tga", ".dpx")
"""Of images that are not read."""
_NUMBERED = re.compile(
    r"(?:(?:ref|reference|frame|keyframe|key|image|img|still|f)[ _.-]*)?"
    r"(?P<frame>\d{1,15})"
    r"(?:[ _.-]*\(?(?:copy|copie|kopie|paint|painted|colou?r|colou?red|colou?rized|edit|edited|"
    r"final|done|key)\)?)?",
    re.IGNORECASE,
)
"""A frame's number, as other programs write it before or behind a word."""
_SHEET = "contact-sheet"
"""How the names of `vidcolor advise`'s own images begin that are no keys."""


def find_keys(folder: Path, *, note: Callable[[str], None] = lambda text: None) -> dict[int, Path]:
    """As `find_images`, but there must be some.

    Args:
        folder: Where they are.
        note: Told of each image that looks like a key by its name, but is not read.

    Raises:
        KeyFrameError: As `find_images` does, or there are none.
    """
    keys = find_images(folder)
    if not keys:
        raise KeyFrameError(
            f"keys: {folder} holds no image named by a frame's number, such as 000240.png"
        )
    for path in sorted(_files(folder)):
        image = path.suffix.lower() in (*ENDINGS, *_OTHER_ENDINGS)
        if image and path not in keys.values() and _looks_like_key(path):
            note(
                f"{path} is not read as a key: name it by its frame's number, such as 000240.png, "
                f"and save it as one of {', '.join(ENDINGS)}"
            )
    return keys


def find_images(folder: Path) -> dict[int, Path]:
    """The images in a folder by the frame they show.

    The name is the frame's number: 000240.png, or 240.png, is frame 240's. Before it may be a word
    such as ref, frame or key, behind it one such as copy or painted: ref_000240.png. Files of other
    names, such as a contact sheet, are left alone.

    Raises:
        KeyFrameError: There is no such folder, or two images are for one frame.
    """
    with named_errors(f"keys: {folder} cannot be read", KeyFrameError):
        if not folder.is_dir():
            raise KeyFrameError(
                f"keys: there is no folder {folder}; it should hold images named by the numbers of "
                "the frames they colour, such as 000240.png"
            )
    keys: dict[int, Path] = {}
    for path in sorted(_files(folder)):
        match = _NUMBERED.fullmatch(path.stem)
        if match is None or path.suffix.lower() not in ENDINGS:
            continue
        frame = int(match["frame"])
        if frame in keys:
            raise KeyFrameError(
                f"keys: {keys[frame].name} and {path.name} in {folder} are both for frame "
                f"{frame}, one key for a frame is accepted"
            )
        keys[frame] = path
    return keys


def _files(folder: Path) -> list[Path]:
    with named_errors(f"keys: {folder} cannot be read", KeyFrameError):
        return list(folder.iterdir())


def _looks_like_key(path: Path) -> bool:
    """Whether a name has a number, and is not hidden nor a contact sheet's."""
    name = path.stem
    return bool(re.search(r"\d", name)) and not name.startswith((".", _SHEET))
