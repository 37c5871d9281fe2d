"""A stage on a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import count, islice

import pytest

from tests.support.waiting import DEADLINE
from vidcolor.film.stage import run_ahead


@pytest.mark.parametrize("depth", [1, 3, 50])
def test_items_come_in_their_order(depth: int) -> None:
    assert list(run_ahead(range(20), depth)) == list(range(20))
    assert list(run_ahead([], depth)) == []


def test_items_are_made_ahead_by_another_thread_and_no_further() -> None:
    made = threading.Semaphore(0)
    total, makers = 0, set()

    def items() -> Iterator[int]:
        nonlocal total
        for number in count():
            total += 1
            makers.add(threading.current_thread())
            made.release()
            yield number

    running = run_ahead(items(), 3)
    assert next(running) == 0
    # The one that was taken and three more, without anybody asking.
    assert all(made.acquire(timeout=DEADLINE) for _ in range(4))
    assert not made.acquire(timeout=0.05)
    running.close()
    assert total == 4
    assert threading.current_thread() not in makers
    assert len(makers) == 1


def failing() -> Iterator[int]:
    yield from range(3)
    raise ValueError("item 3 is bad")


def test_errors_come_at_their_place() -> None:
    got: list[int] = []
    with pytest.raises(ValueError, match="item 3 is bad"):
        got.extend(run_ahead(failing(), 8))
    assert got == [0, 1, 2]


@pytest.mark.parametrize("stage", [lambda items: run_ahead(items, 4), lambda items: items])
def test_who_stops_early_closes_what_is_before(stage) -> None:
    closed = threading.Event()

    def items() -> Iterator[int]:
        try:
            yield from count()
        finally:
            closed.set()

    running = run_ahead(stage(items()), 2)
    assert list(islice(running, 3)) == [0, 1, 2]
    running.close()
    assert closed.is_set()
    names = [thread.name for thread in threading.enumerate()]
    assert not [name for name in names if name.startswith("run_ahead")]
