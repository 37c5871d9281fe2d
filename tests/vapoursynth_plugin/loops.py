"""What the filter should make of a clip, in plain loops over the runtime: shot by shot, key by key.

It colours whole shots at once and in order, and shares no code with vsvidcolor and timeline.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise

import numpy as np

from vidcolor.blend import blend
from vidcolor.planes import Key, Plane
from vidcolor.propagate import Propagator, State, Step

Colors = tuple[Plane, Plane, bool]
"""Chroma, confidence, whether carried from a key in the shot."""


def color_all(
    propagator: Propagator,
    lumas: Sequence[Plane],
    keys: Mapping[int, Key],
    cuts: Collection[int],
    direction: str,
    references: Sequence[Key] = (),
) -> list[Colors]:
    """Every frame at working size; key frames as their keys are."""
    out: dict[int, Colors] = {n: (k.chroma, np.ones_like(k.luma), True) for n, k in keys.items()}
    edges = sorted({0, len(lumas), *cuts})
    for start, end in pairwise(edges):
        out |= _shot(propagator, lumas, keys, range(start, end), direction, references)
    return [out[n] for n in range(len(lumas))]


def _shot(
    propagator: Propagator,
    lumas: Sequence[Plane],
    keys: Mapping[int, Key],
    shot: range,
    direction: str,
    references: Sequence[Key],
) -> dict[int, Colors]:
    def walk(state: State, numbers: Iterable[int]) -> dict[int, Step]:
        steps = {}
        for n in numbers:
            steps[n] = propagator.step(lumas[n], state)
            state = steps[n].state
        return steps

    def begin(*numbers: int) -> State:
        return propagator.init_state(*(keys[n] for n in numbers))

    out: dict[int, Colors] = {}
    inside = [n for n in shot if n in keys]
    borders = [shot.start - 1, *inside, shot.stop]
    for left, right in pairwise(borders):
        gap = range(left + 1, right)
        to_left, to_right = left in inside, right in inside
        to_left &= direction != "backward"
        to_right &= direction != "forward"
        if to_left and to_right:
            there = walk(begin(right, left), gap)
            back = walk(begin(left, right), reversed(gap))
            for n in gap:
                sides = ((s[n].chroma, s[n].confidence) for s in (there, back))
                out[n] = *blend(*sides, distance_before=n - left, distance_after=right - n), True
        elif to_left:
            out |= _plain(walk(begin(left), gap), carried=True)
        elif to_right:
            out |= _plain(walk(begin(right), reversed(gap)), carried=True)
        elif gap:
            before = [n for n in sorted(keys) if n < gap.start][-1:]
            after = [n for n in sorted(keys) if n >= gap.stop][:1]
            near = [keys[n] for n in (*before, *after)]
            state = propagator.reset_state(propagator.init_state(*near, references=references))
            is_back = direction == "backward" or (direction == "both" and not before and after)
            out |= _plain(walk(state, reversed(gap) if is_back else gap), carried=False)
    return out


def _plain(steps: Mapping[int, Step], *, carried: bool) -> dict[int, Colors]:
    return {n: (step.chroma, step.confidence, carried) for n, step in steps.items()}
