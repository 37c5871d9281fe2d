from __future__ import annotations

from types import SimpleNamespace

import pytest

from training import progress as module
from training.progress import Progress

NOW = 1000.0


@pytest.fixture(autouse=True)
def _clock_stands_still(monkeypatch):
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: NOW))


@pytest.mark.parametrize(
    ("steps", "minutes", "step", "seconds", "share"),
    [(10, None, 5, 0.0, 0.5), (None, 2.0, 5, 30.0, 0.25), (10, 1.0, 1, 45.0, 0.75)],
)
def test_whichever_is_further_counts(steps, minutes, step, seconds, share):
    progress = Progress(steps=steps, minutes=minutes, seconds_before=seconds, started=NOW)
    assert progress.share(step) == pytest.approx(share)


def test_what_comes_after_the_last_step_is_part_of_the_minutes():
    """The program began 24 seconds ago, and its last checkpoint takes 6 of its 60 seconds."""
    progress = Progress(steps=None, minutes=1.0, started=NOW - 24)
    assert progress.share(3) == pytest.approx(0.4)
    progress.reserve = 6.0
    assert progress.share(3) == pytest.approx(0.5)


def test_the_time_left_is_told_by_steps_or_minutes():
    progress = Progress(steps=10, minutes=None, reserve=3.0)
    assert progress.seconds_left(4, seconds_per_step=2.0) == pytest.approx(15)
    progress = Progress(steps=10, minutes=1.0, started=NOW - 55)
    assert progress.seconds_left(4, seconds_per_step=2.0) == pytest.approx(5)
    assert Progress(steps=3, minutes=None).seconds_left(9, seconds_per_step=2.0) == 0
