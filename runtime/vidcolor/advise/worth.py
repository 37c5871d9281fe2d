"""Which frames of a shot are worth painting, and what for. Pure numbers: no pictures, no files."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Confidences = NDArray[np.float64]

GOAL = 0.65
"""Confidence that every frame should have, of 1, unless somebody asks for another."""

WORTH = 5.0
"""A key should help this much: frames times the confidence that each of them gains."""
LEAST_WORTH = 1.0
"""When somebody asks for one more all the same."""

_FIRST = (1 / 2, 1 / 4, 3 / 4)
"""Where in a shot to try its first key; on a draw the middle wins."""
_FELT = 0.02
"""Confidence that a frame must gain for a key to count as being for this frame."""


@dataclass(frozen=True, eq=False)
class Choice:
    """A frame that is worth painting."""

    frame: int
    serves: range
    """The frames around it that gain."""
    before: float
    """Mean confidence of these without it; 0 where it is the shot's first key."""
    after: float
    """With it, as expected."""
    gain: float
    """Frames of the shot times the confidence that each gains."""
    curve: Confidences
    """Confidence in each sample of the shot with it, as expected."""

    @property
    def purpose(self) -> str:
        """What it is for, in words."""
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
) -> Iterator[Choice]:
    """The keys that a shot needs besides those that are painted, the most needed first.

    numbers: frames of the shot's samples. weights: frames that each sample stands for.
    confidence: what `vidcolor.advise.reach.Reach.confidence` gives for keys, which are samples.
    painted: samples that are keys already.
    goal: confidence that every frame should have. There are no more keys to add when nearly all
    of them have it, or when another key would help too little.
    worth: frames times confidence, below which it is too little.

    The first key goes where the whole shot gains most. Every further one goes into the stretch
    that lacks most, in its middle if weighed by what is lacking, so that both sides gain alike.
    """
    keys, centre = set(painted), _at(1 / 2, weights)
    now = confidence(keys)
    while True:
        lacking = weights * np.maximum(0, goal - now)
        if keys and lacking.sum() < worth:
            return
        tries = {_middle(lacking)} if keys else {_at(place, weights) for place in _FIRST}
        trials = {key: confidence({*keys, key}) for key in sorted(tries)}
        key = max(sorted(trials, key=lambda k: abs(k - centre)), key=lambda k: weights @ trials[k])
        gained = weights * (trials[key] - now)
        if keys and gained.sum() < worth:
            return
        felt = next(
            s for s in stretches(np.where(gained >= _FELT * weights, gained, 0)) if key in s
        )
        part = slice(felt.start, felt.stop)
        yield Choice(
            frame=int(numbers[key]),
            serves=range(int(numbers[felt[0]]), int(numbers[felt[-1]]) + 1),
            before=float(np.average(now[part], weights=weights[part])),
            after=float(np.average(trials[key][part], weights=weights[part])),
            gain=float(gained.sum()),
            curve=trials[key],
        )
        keys, now = {*keys, key}, trials[key]


def stretches(lacking: Confidences) -> list[range]:
    """The stretches of samples in which something is lacking."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], lacking > 0, [False]))))
    return [range(start, stop) for start, stop in edges.reshape(-1, 2)]


def middle(lacking: Confidences, stretch: range) -> int:
    """The sample of a stretch that has half of what is lacking on either side."""
    total = np.cumsum(lacking[stretch.start : stretch.stop])
    return stretch.start + int(np.searchsorted(total, total[-1] / 2))


def _middle(lacking: Confidences) -> int:
    worst = max(stretches(lacking), key=lambda s: float(lacking[s.start : s.stop].sum()))
    return middle(lacking, worst)


def _at(place: float, weights: Confidences) -> int:
    """The sample at `place` of the shot, from 0 to 1."""
    return int(np.searchsorted(np.cumsum(weights), place * weights.sum()))
