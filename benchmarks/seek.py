"""What it costs to ask the filter for a frame far from those before, against the distance."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from benchmarks.footage import CLIPS, pan, place
from benchmarks.machine import Model

if TYPE_CHECKING:
    import vapoursynth as vs

DISTANCES = (1, 8, 32, 128, 512)
"""Frames."""
CLIP = "480p"

_AHEAD, _BACK = "ahead, not visited before", "back, visited before"


class Row(NamedTuple):
    """A seek."""

    place: str
    size: int
    where: str
    distance: int
    milliseconds: float


def measure(model: Model, *, size: int) -> Iterator[Row]:
    """Seeks from one frame to another, ahead over new ground and back over old."""
    import vapoursynth as vs  # noqa: PLC0415 - `cuda` does without it

    core: Any = vs.core
    height, width = CLIPS[CLIP]
    blank = core.std.BlankClip(
        format=vs.GRAY8, width=width, height=height, length=2 * sum(DISTANCES), keep=True
    )
    frames = []
    for codes in pan(height, width):
        frame = blank.get_frame(0).copy()
        np.asarray(frame[0])[:] = codes
        frames.append(frame)
    clip = core.std.ModifyFrame(blank, blank, lambda n, f: frames[place(n)])
    key = core.std.BlankClip(
        format=vs.RGB24, width=width, height=height, length=1, color=[9, 9, 99]
    )
    coloured = core.vidcolor.Propagate(
        clip,
        key,
        frames=0,
        size=size,
        **model.filter_options,
    )
    core.std.SetVideoCache(coloured, mode=0)
    at = 1
    coloured.get_frame(at).close()
    for distance in DISTANCES:
        at += distance
        yield Row(model.place, size, _AHEAD, distance, _seek(coloured, at))
    for distance in DISTANCES:
        at -= distance
        yield Row(model.place, size, _BACK, distance, _seek(coloured, at))


def _seek(clip: vs.VideoNode, frame: int) -> float:
    start = time.perf_counter()
    clip.get_frame(frame).close()
    return 1e3 * (time.perf_counter() - start)
