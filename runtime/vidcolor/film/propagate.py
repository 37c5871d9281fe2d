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


class Passes:
    """The passes of a segment, which begin at its keys or its edges, and what they find.

    Args:
        propagator: The model.
        segment: The segment.
        part: The frames of it that are to be coloured.
        keys: Frame -> key at working size, of those in `segment.keys` at least.
        references: At working size, those that the segment is coloured from.
        allocate: Makes room for what the backward pass finds.
    """

    def __init__(
        self,
        propagator: Propagator,
        segment: Segment,
        part: range,
        *,
        keys: Mapping[int, Key],
        references: Sequence[Key],
        allocate: Allocate,
    ) -> None:
        self.propagator, self.segment, self.part = propagator, segment, part
        self.allocate = allocate
        self._keys, self._references = keys, references
        self._behind: Planes | None = None

    def begin(self, direction: int) -> tuple[State, range]:
        """The state that a pass's first step is made from, and its frames in the pass's order."""
        state = self.first_state(direction)
        if direction == FORWARD:
            return state, range(self.segment.start, self.part.stop)
        return state, range(self.segment.stop - 1, self.part.start - 1, -1)

    def first_state(self, direction: int) -> State:
        """The state at the pass's key, or at the segment's edge."""
        [pass_] = [pass_ for pass_ in self.segment.passes if pass_.direction == direction]
        return self.propagator.init_pass(pass_, self._keys, self._references)

    def passed(self, direction: int, frame: int, state: State) -> None:
        """Told of the state after each frame."""

    def keep_behind(self, frame: int, colors: Colors) -> None:
        """Keep what the backward pass has found for a frame of the part."""
        if self._behind is None:
            self._behind = self.allocate((len(self.part), 3, *colors.confidence.shape))
        pack(colors, self._behind[frame - self.part.start])

    def behind(self, frame: int) -> Colors:
        """What the backward pass has found for a frame of the part."""
        if self._behind is None:
            raise AssertionError(f"frame {frame} was not passed backward")
        return unpack(self._behind[frame - self.part.start])


def propagate_forward(
    passes: Passes, lumas: Iterable[Plane], *, workers: int | None
) -> Generator[Colors | None, None, None]:
    """Colour the frames of a segment that has a forward pass alone.

    Args:
        passes: Its passes.
        lumas: Luma [h, w] of the frames, in order, from where the pass begins.
        workers: As in `Propagator.run`; `IN_LINE` prepares frames in the caller's thread.

    Yields:
        The colours of each frame of the part, and None for each that is passed before it.
    """
    state, frames = passes.begin(FORWARD)
    with closing(_steps(passes.propagator, lumas, state, workers)) as steps:
        for frame, step in zip(frames, steps, strict=False):
            passes.passed(FORWARD, frame, step.state)
            yield Colors(step.chroma, step.confidence) if frame in passes.part else None


def propagate_both_ways(
    passes: Passes, lumas: Planes, *, first: int, workers: int | None
) -> Generator[Colors | None, None, None]:
    """Colour the frames of a segment that has a backward pass.

    Args:
        passes: Its passes.
        lumas: Luma [n, h, w] at working size, of all the frames that are passed.
        first: The frame that `lumas` begins with.
        workers: As in `Propagator.run`; `IN_LINE` prepares frames in the caller's thread.

    Yields:
        None for each step of the backward pass, so that a caller can stop in between. Then the
        colours of each frame of the part, in the film's order, and None for each that is passed
        before it.
    """
    part = passes.part
    state, frames = passes.begin(BACKWARD)
    backward = (lumas[frame - first] for frame in frames)
    with closing(_steps(passes.propagator, backward, state, workers)) as steps:
        for frame, step in zip(frames, steps, strict=True):
            if frame in part:
                passes.keep_behind(frame, Colors(step.chroma, step.confidence))
            passes.passed(BACKWARD, frame, step.state)
            yield None
    if len(passes.segment.passes) == 1:
        yield from map(passes.behind, part)
        return
    state, frames = passes.begin(FORWARD)
    forward = (lumas[frame - first] for frame in frames)
    with closing(_steps(passes.propagator, forward, state, workers)) as steps:
        for frame, step in zip(frames, steps, strict=True):
            passes.passed(FORWARD, frame, step.state)
            if frame not in part:
                yield None
                continue
            both = ((step.chroma, step.confidence), passes.behind(frame))
            yield Colors(*blend_passes(frame, passes.segment.passes, both))


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
