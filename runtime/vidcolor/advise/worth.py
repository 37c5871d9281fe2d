"""Which frames of a shot are worth painting, from numbers only."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Confidences = NDArray[np.float64]
"""One number for each sample of a shot."""

GOAL = 0.65
"""Default of the confidence that every frame should have, of 1."""

WORTH = 5.0
"""The least gain of a key: the sum over frames of the confidence that each gains."""
LEAST_WORTH = 1.0
"""The least gain of a further key, when there are painted ones already."""

_FIRST = (1 / 2, 1 / 4, 3 / 4)
"""Places in a shot, from 0 to 1, where its first key is tried; on a tie the middle wins."""
_NOTICEABLE = 0.02
"""Confidence that a frame must gain to count as served by a key."""


@dataclass(frozen=True, eq=False)
class Choice:
    """A frame that is worth painting."""

    frame: int
    """Its number in the film, from 0."""
    serves: range
    """The frames around it that gain noticeably."""
    before: float
    """Their mean confidence without the key; 0 if it is the shot's first key."""
    after: float
    """Their mean confidence with the key, as expected."""
    gain: float
    """Sum over the shot's frames of the confidence that each gains."""
    curve: Confidences
    """Confidence [samples] of the shot with the key, as expected."""

    @property
    def purpose(self) -> str:
        """What the key is good for, in words."""
        frames = f"frames {self.serves[0]} to {self.serves[-1]}"
        if not self.before:
            return f"colours {frames}: confidence {self.after:.2f} expected"
        return f"lifts {frames}: confidence {self.before:.2f} to {self.after:.2f} expected"


def choose(
    numbers: NDArray[np.int64],
    weights: Confidences,
    confidence: Callable[[Collection[int]], Confidences],
    *,
    painted: Collection[int],
    goal: float,
    worth: float = WORTH,
    candidates: Collection[int] | None = None,
) -> Iterator[Choice]:
    """Choose the keys that a shot needs besides the painted ones.

    The first key goes where the whole shot gains most. Each further key goes into the run of
    samples that lacks most confidence, at the sample that has half of the lack on either side.

    Args:
        numbers: Frames of the shot's samples, [samples].
        weights: Frames that each sample stands for, [samples].
        confidence: Gives the confidence [samples] with these samples as keys;
            `vidcolor.advise.reach.Reach.confidence`.
        painted: Indices of samples that are keys already.
        goal: Confidence that every frame should have, in (0, 1].
        worth: Least gain of a key, as `WORTH`.
        candidates: Indices of the samples that may be chosen; None is all of them.

    Yields:
        Keys, the most needed first, until nearly all frames have the goal or another key would
        gain too little.
    """
    keys, centre = set(painted), _at(1 / 2, weights)
    now = confidence(keys)
    while True:
        lacking = weights * np.maximum(0, goal - now)
        if keys and lacking.sum() < worth:
            return
        tries = {_middle(lacking)} if keys else {_at(place, weights) for place in _FIRST}
        tries = {_nearest(key, candidates) for key in tries}
        trials = {key: confidence({*keys, key}) for key in sorted(tries)}
        key = max(sorted(trials, key=lambda k: abs(k - centre)), key=lambda k: weights @ trials[k])
        gained = weights * (trials[key] - now)
        if keys and gained.sum() < worth:
            return
        noticeable = np.where(gained >= _NOTICEABLE * weights, gained, 0)
        served = next((run for run in runs_above_zero(noticeable) if key in run), None)
        if served is None:  # what lacks confidence has no candidate near it
            return
        part = slice(served.start, served.stop)
        yield Choice(
            frame=int(numbers[key]),
            serves=range(int(numbers[served[0]]), int(numbers[served[-1]]) + 1),
            before=float(np.average(now[part], weights=weights[part])),
            after=float(np.average(trials[key][part], weights=weights[part])),
            gain=float(gained.sum()),
            curve=trials[key],
        )
        keys, now = {*keys, key}, trials[key]


def runs_above_zero(values: Confidences) -> list[range]:
    """The runs of indices at which values [samples] are above 0."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], values > 0, [False]))))
    return [range(start, stop) for start, stop in edges.reshape(-1, 2)]


def middle(lacking: Confidences, run: range) -> int:
    """The index of a run that has half of the run's sum of `lacking` on either side."""
    total = np.cumsum(lacking[run.start : run.stop])
    return run.start + int(np.searchsorted(total, total[-1] / 2))


def _middle(lacking: Confidences) -> int:
    worst = max(runs_above_zero(lacking), key=lambda s: float(lacking[s.start : s.stop].sum()))
    return middle(lacking, worst)


def _nearest(key: int, candidates: Collection[int] | None) -> int:
    """The candidate nearest to a sample."""
    return min(candidates, key=lambda other: abs(other - key)) if candidates else key


def _at(place: float, weights: Confidences) -> int:
    """The index of the sample at `place` of the shot, from 0 to 1."""
    return int(np.searchsorted(np.cumsum(weights), place * weights.sum()))
