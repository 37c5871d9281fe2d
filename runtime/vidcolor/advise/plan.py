"""The keys of a film: those that are painted, and those that should be, shot by shot."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import islice

from vidcolor.advise.reach import Reach
from vidcolor.advise.samples import Sampled
from vidcolor.advise.worth import Choice, Confidences, choose
from vidcolor.propagate import Propagator


@dataclass(eq=False)
class ShotPlan:
    """One shot's keys."""

    number: int
    """Which shot it is, counted from 1."""
    frames: range
    samples: Sequence[int]
    """The frames of the shot that were looked at."""
    painted: Sequence[int]
    """Its keys so far."""
    now: Confidences
    """Confidence in each sample with these; 0 if there are none."""
    choices: list[Choice]
    """Further keys it should have, the most needed first."""

    @property
    def curve(self) -> list[tuple[int, float]]:
        """Frame and confidence of each sample, once the chosen keys are painted."""
        values = self.choices[-1].curve if self.choices else self.now
        return list(zip(self.samples, values.tolist(), strict=True))

    @property
    def keys(self) -> list[int]:
        """Frames of the painted keys and of the chosen ones."""
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
    """What further keys a shot needs, at most `most`; see `vidcolor.advise.worth.choose`.

    painted: frames of the keys it has, which are samples.
    """
    samples = shot.numbers.tolist()
    keys = [samples.index(frame) for frame in painted]
    reach = Reach(propagator, samples, [shot.lumas[frame] for frame in samples])
    choices = choose(
        shot.numbers, shot.weights, reach.confidence, painted=keys, goal=goal, worth=worth
    )
    return ShotPlan(
        number=number,
        frames=shot.frames,
        samples=samples,
        painted=sorted(painted),
        now=reach.confidence(keys),
        choices=list(islice(choices, most)),
    )


def keep_most_helpful(plans: Sequence[ShotPlan], most: int) -> None:
    """Leave only the `most` choices of all shots that gain most; a shot's later ones go first."""
    kept = dict.fromkeys(plans, 0)
    for _ in range(most):
        open_ = [plan for plan in plans if kept[plan] < len(plan.choices)]
        if not open_:
            break
        kept[max(open_, key=lambda plan: plan.choices[kept[plan]].gain)] += 1
    for plan, count in kept.items():
        del plan.choices[count:]
