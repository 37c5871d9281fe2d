"""The colours of one stretch at working size, stepped through from its keys.

The very colours that the VapourSynth filter gives the same frames, in the order of the film.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vidcolor.blend import blend
from vidcolor.film.segments import Stretch
from vidcolor.planes import Key, Plane
from vidcolor.propagate import Propagator, State
from vidcolor.timeline import BACKWARD, FORWARD, Pass

Lumas = Callable[[int], Plane]
"""Luma [h, w] of a frame by its number. Asked for frame by frame, backward first, then forward."""

Planes = NDArray[np.float32]
"""Planes of many frames."""

Room = Callable[[tuple[int, ...]], Planes]
"""Makes an array of a shape."""


def in_memory(shape: tuple[int, ...]) -> Planes:
    """The plainest `Room`."""
    return np.empty(shape, np.float32)


class Colours(NamedTuple):
    """A coloured frame at working size."""

    chroma: Plane
    """[2, h, w]"""
    confidence: Plane
    """[h, w] in [0, 1]"""


def carry(
    propagator: Propagator,
    stretch: Stretch,
    part: range,
    *,
    keys: Mapping[int, Key],
    lumas: Lumas,
    room: Room = in_memory,
) -> Iterator[Colours]:
    """The frames of `part`, which lies in `stretch`, one after the other.

    keys: at working size, at least those of `stretch.keys`. room: for what is carried backward.
    """
    if not stretch.runs:
        key = keys[stretch.start]
        yield Colours(key.chroma, np.ones_like(key.luma))
        return
    runs = {run.direction: run for run in stretch.runs}
    states = {direction: _begin(propagator, run, keys) for direction, run in runs.items()}
    behind: Iterator[Colours] = iter(())
    if BACKWARD in runs:
        back = range(stretch.stop - 1, part.start - 1, -1)
        behind = unpack(pack(_walk(propagator, states[BACKWARD], back, lumas), part, room))
    if FORWARD not in runs:
        yield from behind
        return
    there = range(stretch.start, part.stop)
    for frame, colours in _walk(propagator, states[FORWARD], there, lumas):
        if frame in part and BACKWARD in runs:
            since, until = frame - runs[FORWARD].start, runs[BACKWARD].start - frame
            yield Colours(*blend(colours, next(behind), since=since, until=until))
        elif frame in part:
            yield colours


def _begin(propagator: Propagator, run: Pass, keys: Mapping[int, Key]) -> State:
    state = propagator.init_state(*(keys[frame] for frame in run.keys))
    return state if run.keyed else propagator.reset_state(state)


def _walk(
    propagator: Propagator, state: State, frames: range, lumas: Lumas
) -> Iterator[tuple[int, Colours]]:
    for frame in frames:
        chroma, confidence, state = propagator.step(lumas(frame), state)
        yield frame, Colours(chroma, confidence)


def pack(numbered: Iterable[tuple[int, Colours]], part: range, room: Room) -> Planes:
    """Those of some coloured frames that lie in `part`, in the film's order: [n, 3, h, w].

    Chroma, and behind it the confidence; `unpack` is the inverse.
    """
    kept: Planes = np.empty((0, 3, 0, 0), np.float32)
    for frame, colours in numbered:
        if not len(kept):
            kept = room((len(part), 3, *colours.confidence.shape))
        if frame in part:
            kept[frame - part.start, :2] = colours.chroma
            kept[frame - part.start, 2] = colours.confidence
    return kept


def unpack(packed: Planes) -> Iterator[Colours]:
    """The frames that `pack` packed."""
    for planes in packed:
        yield Colours(planes[:2].copy(), planes[2].copy())
