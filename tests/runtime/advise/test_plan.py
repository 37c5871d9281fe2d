"""The keys of a film, over its shots."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.support.scenes import render
from vidcolor.advise.plan import ShotPlan, keep_most_helpful, plan_shot
from vidcolor.advise.samples import Sampled
from vidcolor.advise.worth import Choice
from vidcolor.inference.session import Session
from vidcolor.propagate import Propagator


def plan(number: int, *gains: float) -> ShotPlan:
    choices = [
        Choice(
            frame=10 * number + place,
            serves=range(1),
            before=0,
            after=1,
            gain=gain,
            curve=np.ones(1),
        )
        for place, gain in enumerate(gains)
    ]
    return ShotPlan(number, range(1), [0], [], np.zeros(1), choices)


def kept(plans: list[ShotPlan], most: int) -> list[list[float]]:
    keep_most_helpful(plans, most)
    return [[choice.gain for choice in plan.choices] for plan in plans]


def test_those_that_gain_most_are_kept() -> None:
    assert kept([plan(1, 50, 10), plan(2, 70), plan(3, 20)], 2) == [[50], [70], []]
    assert kept([plan(1, 50, 10), plan(2, 70), plan(3, 20)], 9) == [[50, 10], [70], [20]]


def test_a_later_key_is_never_kept_without_the_ones_before_it() -> None:
    """It was chosen on top of them, though it may gain more than they do."""
    assert kept([plan(1, 10, 90), plan(2, 20), plan(3, 15)], 2) == [[], [20], [15]]
    assert kept([plan(1, 25, 90), plan(2, 20)], 2) == [[25, 90], []]


def test_a_shot_with_and_without_painted_keys(toy_bundle: Path) -> None:
    scene = render(8, 48, 64)
    shot = Sampled(range(100, 129), {100 + 4 * n: luma for n, luma in enumerate(scene.luma)})
    propagator = Propagator(Session.load(toy_bundle, provider="cpu"))
    fresh = plan_shot(3, shot, propagator=propagator, painted=[], goal=0.65, worth=5, most=None)
    assert (fresh.number, fresh.keys) == (3, [112])
    assert fresh.now.max() == 0
    assert [frame for frame, _ in fresh.curve] == list(range(100, 129, 4))
    assert fresh.curve[3] == (112, 1)
    painted = [104]
    again = plan_shot(3, shot, propagator=propagator, painted=painted, goal=0.65, worth=5, most=1)
    assert (again.keys, again.choices) == ([104], [])
    assert again.now[1] == 1 > again.now[2] > 0.9


def test_no_key_in_a_fade(toy_bundle: Path) -> None:
    """The middle of this shot is half way through its fade from black."""
    scene = render(8, 48, 64)
    gains = (0.1, 0.2, 0.3, 0.45, 0.6, 1, 1, 1)
    lumas = {4 * n: gain * scene.luma[n] for n, gain in enumerate(gains)}
    propagator = Propagator(Session.load(toy_bundle, provider="cpu"))
    found = plan_shot(
        1, Sampled(range(29), lumas), propagator=propagator, painted=[], goal=0.65, worth=5, most=1
    )
    assert found.keys == [20]
