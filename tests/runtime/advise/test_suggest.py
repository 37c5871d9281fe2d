"""Suggested keys, from a report alone."""

import numpy as np
import pytest

from vidcolor.advise.suggest import suggest
from vidcolor.film.report import Report

GOAL = 0.65


def report(confidence: list[float], *, keys: list[int], shots: tuple[int, ...], first: int = 0):
    return Report(
        film="film.mkv",
        model="toy",
        size=64,
        keys={key: f"{key:06d}.png" for key in keys},
        shots=shots,
        confidence=tuple(confidence),
        first=first,
    )


def fading(frames: int, key: int, fall: float) -> list[float]:
    return np.clip(1 - fall * np.abs(np.arange(frames) - key), 0.2, 1).tolist()


def test_into_the_stretch_that_lacks_most() -> None:
    """One shot falls off to its end; another stays good."""
    given = report(fading(60, 5, 0.02) + fading(40, 20, 0.01), keys=[5, 80], shots=(0, 60))
    first, *more = suggest(given, goal=GOAL)
    assert not more
    assert 35 <= first.frame <= 50
    assert first.serves == range(23, 60)
    assert first.before == pytest.approx(np.mean(given.confidence[23:60]))
    assert first.before < first.after < 1


def test_its_gain_is_what_the_films_own_keys_give() -> None:
    given = report([*fading(60, 10, 0.02), *[0.3] * 60], keys=[10], shots=(0, 60))
    best = suggest(given, goal=GOAL)[0]
    assert best.serves == range(60, 120)
    hold = np.maximum(0.3, fading(60, best.frame - 60, 0.02))
    assert best.gain == pytest.approx((hold - 0.3).sum(), rel=0.02)


def test_a_shot_in_which_keys_hold_badly_promises_little() -> None:
    """However well they hold in another one."""
    easy, hard = fading(60, 30, 0.002), fading(60, 30, 0.02)
    given = report([*easy, *np.maximum(hard, 0.55)], keys=[30, 90], shots=(0, 60))
    one, other = suggest(given, goal=0.7)
    assert {one.frame < 90, other.frame < 90} == {True, False}
    hold = np.maximum(0.55, fading(60, one.frame - 60, 0.02))
    expected = np.maximum(hold, given.confidence[60:]) - given.confidence[60:]
    assert one.gain == pytest.approx(expected.sum(), rel=0.02)


def test_nothing_where_every_frame_has_what_it_should() -> None:
    given = report(fading(120, 60, 0.005), keys=[60], shots=(0,))
    assert suggest(given, goal=GOAL) == []
    assert suggest(given, goal=0.95)


def test_a_lack_of_few_frames_is_not_worth_the_paint() -> None:
    given = report([*[0.9] * 40, 0.5, 0.5, 0.5], keys=[0], shots=(0,))
    assert suggest(given, goal=GOAL) == []


def test_a_film_without_any_key_in_it() -> None:
    """A part of a film may have none; then nothing is known of how keys hold."""
    [best] = suggest(report([0.4] * 30, keys=[], shots=(0,)), goal=GOAL)
    assert best.frame in (14, 15)
    assert best.after == 1


def test_frames_are_the_films_also_for_a_part_of_it() -> None:
    whole = report([0.9] * 50 + [0.3] * 40, keys=[0, 20], shots=(0, 50))
    part = report([0.9] * 10 + [0.3] * 40, keys=[0, 20], shots=(0, 50), first=40)
    assert suggest(whole, goal=GOAL)[0].frame == suggest(part, goal=GOAL)[0].frame


def test_no_more_than_asked_for_and_the_best_first() -> None:
    shots = tuple(range(0, 600, 30))
    levels = np.linspace(0.2, 0.45, 20)
    given = report(levels.repeat(30).tolist(), keys=[], shots=shots)
    found = suggest(given, goal=GOAL)
    assert [suggestion.frame // 30 for suggestion in found] == list(range(12))
