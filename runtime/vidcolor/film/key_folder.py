"""Which image in a folder is the key of which frame: its name says so."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from vidcolor.errors import ArgumentError, KeyFrameError
from vidcolor.files import named_errors
from vidcolor.key.companions import MASK, mask_of
from vidcolor.key.image import is_painted

ENDINGS = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp")
"""What the images' names end in."""

_OTHER_ENDINGS = (".gif", ".psd", ".xcf", ".kra", ".exr", ".jp2", ".heic", ".avif", ".tga", ".dpx")
"""Of images that are not read."""
_WORD = (
    r"(?:ref|reference|frame|keyframe|key|image|img|still|f|copy|copie|kopie|paint|painted|"
    r"colou?r|colou?red|colou?rized|edit|edited|final|done)"
)
"""What may stand before or behind a frame's number."""
_NUMBERED = re.compile(
    rf"(?:{_WORD}[ _.-]*)?(?P<frame>\d{{1,15}})(?:[ _.-]*\(?{_WORD}\)?)?", re.IGNORECASE
)
"""A frame's number, as other programs write it before or behind a word."""
_PLACE = "{frame}"
"""In a template of names: where the number is."""
_SHEET = "contact-sheet"
"""How the names of `vidcolor advise`'s own images begin that are no keys."""
_STROKES = re.compile(r"\.strokes(-\d+)?$")
"""How the names of images end, before their ending, that a key was made of: `strokes_path`."""


def find_keys(
    folder: Path, *, name: str | None = None, note: Callable[[str], None] = lambda text: None
) -> dict[int, Path]:
    """As `find_images`, but there must be some.

    Args:
        folder: Where they are.
        name: As in `find_images`.
        note: Told of each image that looks like a key or a mask by its name, but is not read.

    Raises:
        KeyFrameError: As `find_images` does, or there are none.
        ArgumentError: As `find_images` does.
    """
    keys = find_images(folder, name=name, note=note)
    if not keys:
        raise KeyFrameError(
            f"keys: {folder} holds no image named by a frame's number, such as 000240.png; of "
            'other names --key-name says where it is, such as --key-name "take2_{frame}_ok.png"'
            if name is None
            else f"keys: {folder} holds no image named {name}"
        )
    used = {*keys.values(), *(mask_of(path) for path in keys.values())}
    for path in sorted(_files(folder)):
        image = path.suffix.lower() in (*ENDINGS, *_OTHER_ENDINGS)
        if not image or path in used:
            continue
        if path.stem.endswith(MASK):
            note(f"{path} is {_lonely_mask(path, keys, name)}")
        elif _looks_like_key(path) and _frame(path, name) is None:
            note(f"{path} is not read as a key: {_why_not_read(path, name)}")
    return keys


def _why_not_read(path: Path, name: str | None) -> str:
    """Why an image is no key though it looks like one, and what to do."""
    is_named = _frame(path.with_suffix(".png"), name) is not None
    reasons = []
    if name is None and not is_named:
        reasons.append(
            "name it by its frame's number, such as 000240.png, or say where the number is with "
            '--key-name, such as --key-name "take2_{frame}_ok.png"'
        )
    elif not is_named and path.suffix.lower() in ENDINGS:
        reasons.append(f"its name is not like {name}, which --key-name says")
    if path.suffix.lower() not in ENDINGS:
        reasons.append("save it as PNG, TIFF, JPEG, WebP or BMP")
    return "; ".join(reasons)


def _lonely_mask(path: Path, keys: Mapping[int, Path], name: str | None) -> str:
    """What to tell of a mask that belongs to no key."""
    of = path.stem.removesuffix(MASK)
    frame = _frame(path.with_name(of + path.suffix), name)
    if frame is not None and frame in keys:
        return f"no mask of {keys[frame].name}: name that {mask_of(keys[frame]).name}"
    return f"a mask without a key: there is no key {of}.png beside it"


def find_images(
    folder: Path, *, name: str | None = None, note: Callable[[str], None] = lambda text: None
) -> dict[int, Path]:
    """The images in a folder by the frame they show.

    Args:
        folder: Where they are.
        name: What they are called, with {frame} for the frame's number: 'ref_{frame}.png'. Without
            an ending it may be any. None takes numbers alone: 000240.png, or 240.png, is frame
            240's. Before or behind it may be a word such as ref, frame, copy or painted:
            ref_000240.png. Files of other names, such as a contact sheet, are left alone.
        note: Told which of two images for one frame is used: the one in colour, if the other is
            still gray.

    Raises:
        KeyFrameError: There is no such folder, or two images are for one frame.
        ArgumentError: `name` does not hold {frame} once.
    """
    if name is not None and (name.count(_PLACE) != 1 or "/" in name):
        raise ArgumentError(
            f"key-name is {name!r}, a file's name with {_PLACE} in place of the frame's number is "
            "needed, such as ref_{frame}.png"
        )
    with named_errors(f"keys: {folder} cannot be read", KeyFrameError):
        if not folder.is_dir():
            raise KeyFrameError(
                f"keys: there is no folder {folder}; it should hold images named by the numbers of "
                "the frames they colour, such as 000240.png"
            )
    keys: dict[int, Path] = {}
    for path in sorted(_files(folder)):
        frame = _frame(path, name)
        if frame is None:
            continue
        keys[frame] = _painted_one(keys[frame], path, frame, note) if frame in keys else path
    return keys


def _frame(path: Path, name: str | None) -> int | None:
    """The frame that an image is for by its name."""
    if path.suffix.lower() not in ENDINGS:
        return None
    if name is None:
        match = _NUMBERED.fullmatch(path.stem)
    else:
        before, after = map(re.escape, name.split(_PLACE))
        text = path.name if Path(name).suffix else path.stem
        match = re.fullmatch(rf"{before}(?P<frame>\d{{1,15}}){after}", text, re.IGNORECASE)
    return None if match is None else int(match["frame"])


def _painted_one(one: Path, other: Path, frame: int, note: Callable[[str], None]) -> Path:
    """Of two images for a frame, the one in colour; any, if both are still gray."""
    painted = [path for path in (one, other) if is_painted(path)]
    if len(painted) == 2:
        raise KeyFrameError(
            f"keys: {one.name} and {other.name} in {one.parent} are both for frame {frame}, one "
            "key for a frame is accepted"
        )
    if not painted:
        return one
    gray = other if painted[0] == one else one
    note(f"{painted[0]} is the key of frame {frame}; {gray.name} beside it is still gray")
    return painted[0]


def _files(folder: Path) -> list[Path]:
    with named_errors(f"keys: {folder} cannot be read", KeyFrameError):
        return list(folder.iterdir())


def _looks_like_key(path: Path) -> bool:
    """Whether a name has a number, and is not hidden, a contact sheet's or that of strokes."""
    name = path.stem
    is_other = name.startswith((".", _SHEET)) or _STROKES.search(name)
    return bool(re.search(r"\d", name)) and not is_other
