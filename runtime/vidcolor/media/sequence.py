"""Numbered pictures as a clip: a folder of them, or a pattern such as scan_%05d.tif."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av

from vidcolor.errors import MediaError
from vidcolor.media.containers import open_input
from vidcolor.media.losses import Losses
from vidcolor.media.names import typed

RATE = Fraction(24)
"""Frames a second of pictures, which have none of their own."""

ENDINGS = (
    ".png", ".tif", ".tiff", ".jpg", ".jpeg", ".dpx", ".bmp", ".exr", ".jp2", ".j2k", ".pgm",
    ".ppm", ".pnm", ".webp",
)  # fmt: skip
"""What the names of pictures end in."""


def find_pictures(path: Path) -> Mapping[int, Path] | None:
    """The pictures of a clip by their numbers, rising; None where `path` names a single file.

    Raises MediaError for a folder or pattern that holds none, or more than one sequence.
    """
    try:
        if path.is_dir():
            return _of_folder(path)
        if path.exists() or not re.search(r"%0?\d*d", path.name):
            return None
        pattern = re.sub(r"%%|%0?\d*d", _as_expression, re.sub(r"[^%\w]", r"\\\g<0>", path.name))
        found = _numbered(path.parent, re.compile(pattern))
    except MediaError:
        raise
    except OSError as error:
        raise MediaError(f"clip: {path} cannot be read ({error.strerror})") from error
    if not found:
        raise MediaError(f"clip: there is no picture whose name is like {path}")
    return found


def read_pictures(
    pictures: Mapping[int, Path], losses: Losses
) -> Iterator[tuple[av.VideoFrame, int]]:
    """The pictures of a sequence, each from its own file, and when each shows, in frames.

    Args:
        pictures: as `find_pictures` gives them.
        losses: told of numbers that are missing.

    Raises:
        MediaError: a file cannot be read.

    """
    missing = _missing_before(pictures)
    for place, path in enumerate(pictures.values()):
        if place in missing:
            losses.miss(missing[place])
        try:
            with open_input(path) as container:
                yield next(container.decode(video=0)), place
        except (av.FFmpegError, StopIteration):
            raise MediaError(f"clip: {path} cannot be read as a picture") from None


def as_ffmpeg_input(path: Path, pictures: Mapping[int, Path] | None) -> str:
    """What follows `ffmpeg` in a shell, to read a clip as it is read here.

    Args:
        path: the clip.
        pictures: what `find_pictures` gives for it.
    """
    if pictures is None:
        return f"-i {shlex.quote(typed(path))}"
    number, first = next(iter(pictures.items()))
    name = first.name.replace("%", "%%")
    digits = [match for match in re.finditer(r"\d+", name) if int(match[0]) == number][-1]
    counter = f"%0{len(digits[0])}d" if digits[0].startswith("0") else "%d"
    pattern = first.with_name(name[: digits.start()] + counter + name[digits.end() :])
    return f"-framerate {RATE} -start_number {number} -i {shlex.quote(typed(pattern))}"


def _missing_before(pictures: Mapping[int, Path]) -> dict[int, int]:
    """How many numbers are missing before a picture, by its place in the sequence."""
    numbers = list(pictures)
    gaps = enumerate(pairwise(numbers), 1)
    return {place: two - one - 1 for place, (one, two) in gaps if two > one + 1}


def _as_expression(match: re.Match[str]) -> str:
    if match[0] == "%%":
        return "%"
    width = match[0].strip("%0d")
    return rf"(\d{{{width},}})" if match[0].startswith("%0") and width else r"(\d+)"


def _of_folder(folder: Path) -> Mapping[int, Path]:
    expression = re.compile(r"(.*?)(\d+)(\.\w+)", re.IGNORECASE)
    names: set[tuple[str, str]] = set()
    for path in folder.iterdir():
        match = expression.fullmatch(path.name)
        if match and match[3].lower() in ENDINGS and not path.name.startswith("."):
            names.add((match[1], match[3]))
    if not names:
        raise MediaError(
            f"clip: {folder} is a folder without numbered pictures such as frame_00001.png"
        )
    if len(names) > 1:
        one, other = sorted(names)[:2]
        raise MediaError(
            f"clip: {folder} holds more than one sequence, {one[0]}%d{one[1]} and "
            f"{other[0]}%d{other[1]}: give one of these patterns behind the folder's name"
        )
    [(before, ending)] = names
    return _numbered(folder, re.compile(rf"{re.escape(before)}(\d+){re.escape(ending)}"))


def _numbered(folder: Path, expression: re.Pattern[str]) -> Mapping[int, Path]:
    matches = ((expression.fullmatch(path.name), path) for path in folder.iterdir())
    found = [(int(match[1]), path) for match, path in matches if match and path.is_file()]
    return dict(sorted(found))
