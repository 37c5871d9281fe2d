"""The keys of a film, shot by shot: those that are painted and those that should be."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import islice

from vidcolor.advise.reach import Reach
from vidcolor.advise.samples import Sampled
from vidcolor.advise.worth import Choice, Confidences, choose
from vidcolor.propagate import Propagator


@dataclass(eq=False)
class ShotPlan:
    """The keys of one shot."""

    number: int
    """Which shot it is, from 1."""
    frames: range
    """All frames of the shot."""
    samples: Sequence[int]
    """The frames of the shot that keys were tried out on."""
    painted: Sequence[int]
    """Frames of the keys that it has."""
    now: Confidences
    """Confidence [samples] with these keys; 0 if there are none."""
    choices: list[Choice]
    """Further keys that it should have, the most needed first."""

    @property
    def curve(self) -> list[tuple[int, float]]:
        """Frame and confidence of each sample, when the chosen keys are painted."""
        values = self.choices[-1].curve if self.choices else self.now
        return list(zip(self.samples, values.tolist(), strict=True))

    @property
    def keys(self) -> list[int]:
        """Frames of the painted and the chosen keys."""
        return sorted([*self.painted, *(choice.frame for choice in self.choices)])


def plan_shot(
    number: int,
    shot: Sampled,
    *,
    propagator: Propagator,
    painted: Collection[int],
    goal: float,
    worth: float,
    most: int | None,
) -> ShotPlan:
    """Choose the further keys that a shot needs.

    Args:
        number: Which shot it is, from 1.
        shot: Its samples.
        propagator: The model that keys are tried out with.
        painted: Frames of the keys that it has; all of them are samples.
        goal: As in `vidcolor.advise.worth.choose`.
        worth: As in `vidcolor.advise.worth.choose`.
        most: Most keys to choose; None is as many as it needs.
    """
    samples = shot.numbers.tolist()
    keys = [samples.index(frame) for frame in painted]
    reach = Reach(propagator, samples, [shot.lumas[frame] for frame in samples])
    choices = choose(
        shot.numbers,
        shot.weights,
        reach.confidence,
        painted=keys,
        goal=goal,
        worth=worth,
        candidates=shot.clear,
    )
    return ShotPlan(
        number=number,
        frames=shot.frames,
        samples=samples,
        painted=sorted(painted),
        now=reach.confidence(keys),
        choices=list(islice(choices, None if most is None else min(most, sys.maxsize))),
    )


def keep_most_helpful(plans: Sequence[ShotPlan], most: int) -> None:
    """Leave only the `most` choices that gain most, over all shots.

    A shot's later choices are dropped before its earlier ones.
    """
    kept = dict.fromkeys(plans, 0)
    for _ in range(most):
        open_ = [plan for plan in plans if kept[plan] < len(plan.choices)]
        if not open_:
            break
        kept[max(open_, key=lambda plan: plan.choices[kept[plan]].gain)] += 1
    for plan, count in kept.items():
        del plan.choices[count:]
