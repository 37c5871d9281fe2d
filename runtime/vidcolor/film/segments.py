"""A film cut into stretches: frames in a row that are coloured by the same runs.

A stretch ends where a shot does and at a key; a key is a stretch of its own. Under the law no
stretch depends on another's colours, so they may be coloured in any order, on any machine, and
again after a job was stopped.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import pairwise
from typing import NamedTuple

from vidcolor.timeline import BACKWARD, FORWARD, Pass, Shots, Timeline


class Stretch(NamedTuple):
    """Frames from `start` to before `stop`."""

    start: int
    stop: int
    runs: tuple[Pass, ...]
    """As `Timeline.runs` gives them for each of the frames; none where the frame is a key."""

    @property
    def keys(self) -> tuple[int, ...]:
        """Frames of the keys that its colours depend on, in order."""
        if not self.runs:
            return (self.start,)
        return tuple(sorted({key for run in self.runs for key in run.keys}))

    @property
    def keyed(self) -> bool:
        """Whether its colours come from a key in the same shot."""
        return not self.runs or self.runs[0].keyed

    @property
    def goes_back(self) -> bool:
        """Whether a run comes from behind, so that the last frame has to be known first."""
        return any(run.direction == BACKWARD for run in self.runs)

    def part(self, wanted: range) -> range:
        """Its frames among those `wanted`; empty if there are none."""
        return range(max(self.start, wanted.start), min(self.stop, wanted.stop))

    def reach(self, part: range) -> range:
        """The frames whose luma the colours of `part` depend on, in the film's order."""
        if not self.runs:
            return part
        strides = {run.direction for run in self.runs}
        return range(
            self.start if FORWARD in strides else part.start,
            self.stop if BACKWARD in strides else part.stop,
        )


def stretches(timeline: Timeline, cuts: Collection[int], length: int) -> list[Stretch]:
    """All stretches of a film of `length` frames, in order; every frame is in one.

    cuts: first frames of its shots.
    """
    shots, keys = Shots(length, cuts), timeline.keys
    edges = {0, length, *cuts, *keys, *(key + 1 for key in keys)}
    return [
        Stretch(start, stop, () if start in keys else timeline.runs(start, shots))
        for start, stop in pairwise(sorted(edges))
    ]
