"""What a user may ask for of a film, as text: a range of frames, where shots begin."""

from __future__ import annotations

import re
from pathlib import Path

from vidcolor.errors import ArgumentError, MediaError


def parse_range(text: str) -> range:
    """Frames such as 240-479, both ends included, or 240 alone. Raises ArgumentError."""
    match = re.fullmatch(r"\s*(\d+)\s*(?:-\s*(\d+)\s*)?", text)
    if match is None or int(match[2] or match[1]) < int(match[1]):
        raise ArgumentError(
            f"range is {text!r}, accepted are the first and the last frame, such as 240-479"
        )
    return range(int(match[1]), int(match[2] or match[1]) + 1)


def read_scenes(path: Path) -> tuple[int, ...]:
    """First frames of shots from a text file of numbers; what follows a # is not read.

    Raises MediaError when there is no such file, ArgumentError when it holds anything else.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise MediaError(
            f"scenes: {path} cannot be read ({reason}); accepted are auto, none, or a text file "
            "with the number of each shot's first frame"
        ) from error
    words = re.sub(r"#.*", "", text).replace(",", " ").split()
    wrong = [word for word in words if not word.isdecimal()]
    if wrong or not words:
        got = f"{wrong[0]!r}" if wrong else "nothing"
        raise ArgumentError(
            f"scenes: {path} holds {got}, the number of each shot's first frame is needed"
        )
    return tuple(sorted({int(word) for word in words}))
