"""Names of files: as FFmpeg takes them, as people read them, and temporary ones."""

from __future__ import annotations

import os
import re
from hashlib import sha256
from pathlib import Path

from vidcolor.errors import ArgumentError

LONGEST = 255
"""Bytes of the longest name that file systems take."""


def url_of(path: Path) -> str:
    """What FFmpeg opens the file at `path` by, whatever letters are in its name.

    A name such as 'Film: part 1.mp4' would be taken for a protocol's, and 'a%03d.png' for a
    pattern's.
    """
    return f"file:{os.path.abspath(path)}"  # noqa: PTH100  (resolve() follows links)


def typed(path: Path) -> str:
    """What is typed in a command for the file at `path`, but for the shell's quotes.

    '-a.mkv' would be taken for an option, and 'Film: part 1.mp4' by FFmpeg for a protocol's.
    """
    text = str(path)
    return f"./{text}" if re.match(r"-|[^/\\]*:", text) and not path.drive else text


def partial_of(path: Path, ending: str | None = None) -> Path:
    """A name beside `path` for as long as its file is not complete: hidden, and short.

    ending: what it ends in; None is the ending of `path`.
    """
    unique = sha256(os.fsencode(path.name)).hexdigest()[:12]
    ending = path.suffix if ending is None else ending
    return path.with_name(f".{unique}.{os.getpid()}.partial{ending}")


def check_length(path: Path, *, spare: str = "") -> None:
    """Raise ArgumentError where file systems do not take the name, with `spare` behind it."""
    beyond = len(os.fsencode(path.name + spare)) - LONGEST
    if beyond > 0:
        raise ArgumentError(
            f"output: {path.name} is too long a name by {beyond} bytes, for beside it lies "
            f"one that ends in {spare}; give a shorter one"
            if spare
            else f"output: {path.name} is too long a name by {beyond} bytes; give a shorter one"
        )


def printable(text: str) -> str:
    """Text with escapes for what no terminal should get: control characters, broken letters."""
    return re.sub(
        r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]",
        lambda match: match[0].encode("unicode_escape", "surrogatepass").decode("ascii"),
        text,
    )


def kind_of(path: Path) -> str | None:
    """What is there, in words, if it is no file; None if it is one.

    Raises nothing: a folder that may not be read holds nothing.
    """
    try:
        if path.is_file():
            return None
        if path.is_dir():
            return "a folder"
        return "no file but a pipe or a device" if path.exists() else "not there"
    except OSError as error:
        return f"out of reach ({error.strerror})"
