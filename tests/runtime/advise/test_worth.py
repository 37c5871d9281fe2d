"""Which frames are worth painting, from made-up confidences."""

from __future__ import annotations

from collections.abc import Collection
from itertools import islice

import numpy as np
import pytest

from vidcolor.advise.worth import WORTH, Choice, choose, middle, runs_above_zero

EVERY = 4
"""Frames that a sample stands for."""


class Fading:
    """Confidence that falls by `fall` with every sample from the nearest key, and counts calls."""

    def __init__(self, samples: int, fall: float) -> None:
        self.samples, self.fall, self.calls = np.arange(samples), fall, 0

    def __call__(self, keys: Collection[int]) -> np.ndarray:
        self.calls += 1
        if not keys:
            return np.zeros(len(self.samples))
        far = np.abs(self.samples[:, None] - np.array(sorted(keys))).min(axis=1)
        return np.clip(1 - self.fall * far, 0.1, 1)


def chosen(
    confidence: Fading,
    *,
    painted: Collection[int] = (),
    goal: float = 0.6,
    most: int | None = None,
    worth: float = WORTH,
    candidates: Collection[int] | None = None,
) -> list[Choice]:
    samples = len(confidence.samples)
    weights = np.full(samples, float(EVERY))
    numbers = 1000 + EVERY * np.arange(samples)
    choices = choose(
        numbers,
        weights,
        confidence,
        painted=painted,
        goal=goal,
        worth=worth,
        candidates=candidates,
    )
    return list(islice(choices, most))


def places(choices: list[Choice]) -> list[int]:
    return [(choice.frame - 1000) // EVERY for choice in choices]


def test_a_still_shot_takes_one_key_from_its_middle() -> None:
    [only] = chosen(Fading(21, 0.0))
    assert places([only]) == [10]
    assert only.serves == range(1000, 1081)
    assert (only.before, only.after) == (0, 1)
    assert only.gain == 21 * EVERY


def test_as_few_as_give_every_frame_the_goal() -> None:
    """One key reaches four samples on each side at this pace; no fewer than these would do."""
    confidence = Fading(27, 0.1)
    choices = chosen(confidence, goal=0.6)
    assert confidence([*places(choices)]).min() >= 0.6 - 0.1
    assert len(choices) == 3
    assert len(chosen(confidence, goal=0.3)) < 3


def test_a_higher_goal_takes_more() -> None:
    low, high = (len(chosen(Fading(60, 0.05), goal=goal)) for goal in (0.5, 0.9))
    assert low < high


def test_a_longer_shot_takes_more_but_not_one_every_so_many_frames() -> None:
    slow, fast = (len(chosen(Fading(60, fall))) for fall in (0.02, 0.1))
    assert slow < fast / 2


def test_each_gains_what_it_says() -> None:
    confidence = Fading(40, 0.08)
    keys: list[int] = []
    for choice in chosen(confidence):
        before, after = confidence(keys), confidence([*keys, *places([choice])])
        assert choice.gain == pytest.approx(EVERY * (after - before).sum())
        assert choice.gain >= WORTH
        np.testing.assert_array_equal(choice.curve, after)
        served = slice((choice.serves[0] - 1000) // EVERY, (choice.serves[-1] - 1000) // EVERY + 1)
        assert (after - before)[served].min() > 0
        assert choice.before == pytest.approx(before[served].mean())
        assert choice.after == pytest.approx(after[served].mean())
        keys += places([choice])


def test_the_next_key_goes_into_the_largest_hole() -> None:
    """Painted: near the begin. The hole is what lies behind, not the frame farthest off."""
    [best] = chosen(Fading(40, 0.05), painted=[5], most=1)
    assert 20 < places([best])[0] < 35
    assert best.before > 0


def test_nothing_more_where_the_painted_keys_do() -> None:
    assert chosen(Fading(40, 0.05), painted=[5, 15, 25, 35]) == []


def test_no_key_where_none_would_help_much() -> None:
    """Each frame of a storm is like no other: a key there colours itself and nothing else."""
    storm = Fading(40, 0.9)
    assert len(chosen(storm)) == 1


def test_whoever_asks_for_more_gets_more() -> None:
    few = chosen(Fading(40, 0.9), painted=[20])
    more = chosen(Fading(40, 0.9), painted=[20], worth=1)
    assert few == []
    assert more[0].gain >= 1


def test_a_shot_of_one_frame() -> None:
    assert places(chosen(Fading(1, 0.5))) == [0]


def test_tries_are_few() -> None:
    """Three for the first key and one for each further one: that is what the time goes into."""
    confidence = Fading(60, 0.1)
    count = len(chosen(confidence))
    assert count > 3
    assert confidence.calls <= 1 + 3 + count


def test_runs_above_zero_and_their_middles() -> None:
    lacking = np.array([0, 1, 1, 0, 0, 3, 1, 1, 1])
    assert runs_above_zero(lacking) == [range(1, 3), range(5, 9)]
    assert middle(lacking, range(5, 9)) == 5
    assert middle(np.ones(9), range(9)) == 4
    assert runs_above_zero(np.zeros(3)) == []


def test_only_candidates_are_chosen() -> None:
    """The best places are in a fade: the nearest clear frames are chosen."""
    free = places(chosen(Fading(27, 0.1), goal=0.6))
    clear = sorted({*range(27)} - {*free})
    held = places(chosen(Fading(27, 0.1), goal=0.6, candidates=clear))
    assert held
    assert set(held) <= set(clear)
    assert places(chosen(Fading(27, 0.1), goal=0.6, candidates=range(27))) == free
