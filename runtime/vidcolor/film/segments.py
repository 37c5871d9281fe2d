"""A film divided into segments: frames in a row that are coloured by the same passes.

A segment ends where a shot ends and at a key. A key frame is a segment of its own. No segment
depends on another segment's colours, so they can be coloured in any order, on any machine, and
again after a job was stopped.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import pairwise
from typing import NamedTuple

from vidcolor.timeline import BACKWARD, Pass, Shots, Timeline

PART = 100
"""Frames that are stored together at most: what a stop of the work can cost."""


class Segment(NamedTuple):
    """Frames from `start` to before `stop`."""

    start: int
    stop: int
    passes: tuple[Pass, ...]
    """As `Timeline.passes` gives them for each of the frames; empty where the frame is a key."""

    @property
    def is_key(self) -> bool:
        """Whether this is a key frame, which comes out in the key's own colours."""
        return not self.passes

    @property
    def keys(self) -> tuple[int, ...]:
        """Frames of the keys that its colours depend on, in order."""
        if self.is_key:
            return (self.start,)
        return tuple(sorted({key for pass_ in self.passes for key in pass_.keys}))

    @property
    def has_key_in_shot(self) -> bool:
        """Whether its colours come from a key in the same shot."""
        return self.is_key or self.passes[0].has_key_in_shot

    @property
    def has_backward_pass(self) -> bool:
        """Whether a pass comes from behind, so that the last frame has to be read first."""
        return any(pass_.direction == BACKWARD for pass_ in self.passes)

    @property
    def is_only_backward(self) -> bool:
        """Whether its one pass comes from behind."""
        return self.has_backward_pass and len(self.passes) == 1

    @property
    def borders(self) -> range:
        """The frames within it at which a part begins.

        They are counted from where the pass begins, so that they stay where they are when a cut at
        the other end is moved.
        """
        if self.is_only_backward:
            return range(self.stop - PART, self.start, -PART)[::-1]
        return range(self.start + PART, self.stop, PART)

    def parts(self, wanted: range) -> Iterator[range]:
        """Its frames among those `wanted` as they are stored, in order."""
        for start, stop in pairwise((self.start, *self.borders, self.stop)):
            part = range(max(start, wanted.start), min(stop, wanted.stop))
            if part:
                yield part

    def part(self, wanted: range) -> range:
        """Its frames among those `wanted`; empty if there are none."""
        return range(max(self.start, wanted.start), min(self.stop, wanted.stop))


def split_segments(timeline: Timeline, shot_starts: Collection[int], length: int) -> list[Segment]:
    """All segments of a film, in order. Every frame is in one.

    Args:
        timeline: The film's keys and direction.
        shot_starts: First frames of its shots.
        length: Frames of the film.
    """
    shots, keys = Shots(length, shot_starts), timeline.keys
    edges = {0, length, *shot_starts, *keys, *(key + 1 for key in keys)}
    return [
        Segment(start, stop, () if start in keys else timeline.passes(start, shots))
        for start, stop in pairwise(sorted(edges))
    ]
