"""Images decoded by OpenCV, whose libraries write what is wrong with a file to standard error."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from tempfile import TemporaryFile
from threading import Lock
from typing import Any, BinaryIO, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

_STANDARD_ERROR = 2
_LIBRARIES = re.compile(
    rb"\[ *(ERROR|WARN):|libpng (error|warning): |Corrupt JPEG data|Premature end of JPEG"
    rb"|Invalid SOS parameters|Inconsistent progression|Unknown Adobe color"
)
"""How lines begin that OpenCV, libtiff, libpng or libjpeg write."""
_DAMAGE = re.compile(
    rb"libpng error: (.+)|TIFF_Error (?:.*: )?(.+)|(Corrupt JPEG .+|Premature end of JPEG .+)"
)
"""What they say of damage, and not of what does no harm, such as an odd colour profile."""
_lock = Lock()  # standard error is the process's


class Decoded(NamedTuple):
    """What could be decoded of a file, and what is wrong with it."""

    images: tuple[NDArray[Any] | None, ...]
    """One for each way that was asked for; None where it failed."""
    damage: str
    """What a library says of damage; empty where none says so."""


def decode(data: NDArray[np.uint8], *flags: int) -> Decoded:
    """Decode an image file. Nothing is written to standard error.

    Args:
        data: The file's bytes.
        flags: OpenCV's, for each way to decode it.
    """
    with _errors_kept() as kept:
        images = tuple(_decode(data, each) for each in flags)
    found = [match for line in kept if (match := _DAMAGE.search(line))]
    reason = next(filter(None, found[0].groups())) if found else b""
    return Decoded(images, reason.decode(errors="replace").strip())


def _decode(data: NDArray[np.uint8], flags: int) -> NDArray[Any] | None:
    try:
        return cv2.imdecode(data, flags)
    except cv2.error:
        return None


@contextmanager
def _errors_kept() -> Iterator[list[bytes]]:
    """Gives a list that has, after the block, the lines that libraries wrote within it.

    What other threads write meanwhile, such as a bar, is passed on.
    """
    lines: list[bytes] = []
    with _lock, TemporaryFile() as file:
        with _standard_error_in(file):
            yield lines
        file.seek(0)
        for line in re.findall(rb"[^\n]*\n|[^\n]+", file.read()):
            theirs = _LIBRARIES.search(line)
            if theirs:
                lines.append(line[theirs.start() :])
            others = line[: theirs.start()] if theirs else line
            if others.strip(b"\n"):
                with suppress(OSError):  # nobody reads it
                    os.write(_STANDARD_ERROR, others)


@contextmanager
def _standard_error_in(file: BinaryIO) -> Iterator[None]:
    try:
        before = os.dup(_STANDARD_ERROR)
    except OSError:  # it is closed
        yield
        return
    os.dup2(file.fileno(), _STANDARD_ERROR)
    try:
        yield
    finally:
        os.dup2(before, _STANDARD_ERROR)
        os.close(before)
