"""Free memory handed back to the system, where the C library would keep it.

VapourSynth's frames are aligned and live for a while in its caches; numpy's and OpenCV's planes
come and go between them. In glibc's heap the holes one leaves seldom fit the other, and a clip of
854x480 grew to 1.2 GiB over 2,400 frames, almost all of it free. Trimming every 64 frames keeps it
at 0.2 GiB and costs less than 3 % of the time.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable

EVERY = 64
"""Frames from one trim to the next."""


def _glibc_trim() -> Callable[[int], int] | None:
    try:
        trim: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return None  # another C library
    return trim


_trim = _glibc_trim()


def trim_after(frame: int) -> None:
    """Call once for every frame."""
    if _trim is not None and frame % EVERY == 0:
        _trim(0)
