"""The colours of one segment at working size, stepped through from its keys.

They are the very colours that the VapourSynth filter gives to the same frames.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import closing
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vidcolor.blend import blend_passes
from vidcolor.film.segments import Segment
from vidcolor.planes import Key, Plane
from vidcolor.propagate import Propagator, State, Step
from vidcolor.timeline import BACKWARD, FORWARD

Planes = NDArray[np.float32]
"""Planes of many frames."""

Allocate = Callable[[tuple[int, ...]], Planes]
"""Makes an array of a shape."""

IN_LINE = 0
"""Threads that prepare frames ahead: none."""


def allocate_in_memory(shape: tuple[int, ...]) -> Planes:
    """The plainest `Allocate`."""
    return np.empty(shape, np.float32)


class Colors(NamedTuple):
    """A coloured frame at working size."""

    chroma: Plane
    """[2, h, w]"""
    confidence: Plane
    """[h, w] in [0, 1]"""


def propagate_forward(
    propagator: Propagator,
    segment: Segment,
    *,
    keys: Mapping[int, Key],
    references: Sequence[Key] = (),
    lumas: Iterable[Plane],
    workers: int | None,
) -> Generator[Colors, None, None]:
    """Colour the frames of a segment that has a forward pass alone, from its first frame on.

    Args:
        propagator: The model.
        segment: The segment.
        keys: Frame -> key at working size, of those in `segment.keys` at least.
        references: At working size, those that the segment is coloured from.
        lumas: Luma [h, w] of the frames, in order. It may end before the segment does.
        workers: As in `Propagator.run`; `IN_LINE` prepares frames in the caller's thread.
    """
    [forward] = segment.passes
    state = propagator.init_pass(forward, keys, references)
    for step in _steps(propagator, lumas, state, workers):
        yield Colors(step.chroma, step.confidence)


def propagate_both_ways(
    propagator: Propagator,
    segment: Segment,
    part: range,
    *,
    keys: Mapping[int, Key],
    references: Sequence[Key] = (),
    lumas: Planes,
    allocate: Allocate,
    workers: int | None,
) -> Generator[Colors | None, None, None]:
    """Colour the frames `part` of a segment that has a backward pass.

    Args:
        propagator: The model.
        segment: The segment.
        part: Frames of it.
        keys: Frame -> key at working size, of those in `segment.keys` at least.
        references: At working size, those that the segment is coloured from.
        lumas: Luma [n, h, w] at working size of the frames of `segment.reach(part)`.
        allocate: Makes room for what the backward pass finds.
        workers: As in `Propagator.run`; `IN_LINE` prepares frames in the caller's thread.

    Yields:
        None for each step of the backward pass, so that a caller can stop in between. Then the
        colours of each frame of the part, in the film's order.
    """
    reach = segment.reach(part)
    passes = {pass_.direction: pass_ for pass_ in segment.passes}
    state = propagator.init_pass(passes[BACKWARD], keys, references)
    behind = allocate((len(part), 3, *lumas.shape[1:]))
    numbers = range(segment.stop - 1, part.start - 1, -1)
    backward = (lumas[number - reach.start] for number in numbers)
    with closing(_steps(propagator, backward, state, workers)) as steps:
        for number, step in zip(numbers, steps, strict=True):
            if number in part:
                pack(Colors(step.chroma, step.confidence), behind[number - part.start])
            yield None
    if FORWARD not in passes:
        yield from map(unpack, behind)
        return
    state = propagator.init_pass(passes[FORWARD], keys, references)
    numbers = range(segment.start, part.stop)
    forward = (lumas[number - reach.start] for number in numbers)
    with closing(_steps(propagator, forward, state, workers)) as steps:
        for number, step in zip(numbers, steps, strict=True):
            if number not in part:
                yield None
                continue
            other = unpack(behind[number - part.start])
            both = ((step.chroma, step.confidence), other)
            yield Colors(*blend_passes(number, segment.passes, both))


def pack(colors: Colors, planes: Planes) -> None:
    """Write chroma, and behind it confidence, into planes [3, h, w]; `unpack` is the inverse."""
    planes[:2], planes[2] = colors.chroma, colors.confidence


def unpack(planes: Planes) -> Colors:
    """A copy of what `pack` wrote."""
    return Colors(planes[:2].copy(), planes[2].copy())


def _steps(
    propagator: Propagator, lumas: Iterable[Plane], state: State, workers: int | None
) -> Generator[Step, None, None]:
    if workers != IN_LINE:
        yield from propagator.run(lumas, state, workers=workers)
        return
    for luma in lumas:
        step = propagator.step(luma, state)
        state = step.state
        yield step
