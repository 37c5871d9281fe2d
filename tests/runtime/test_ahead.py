from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import count, islice

import pytest

from vidcolor.ahead import ahead, map_ahead

TIMEOUT = 10
"""Seconds that a thread may take for what should happen at once."""


def test_items_come_in_their_order() -> None:
    for depth in (1, 3, 50):
        assert list(ahead(range(20), depth)) == list(range(20))
    assert list(ahead([])) == []
    for workers in (1, 3, 50):
        assert list(map_ahead(str, range(20), workers)) == [str(n) for n in range(20)]
    assert list(map_ahead(str, [], 2)) == []


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

    running = ahead(items(), 3)
    assert next(running) == 0
    # The one that was taken and three more, without anybody asking.
    assert all(made.acquire(timeout=TIMEOUT) for _ in range(4))
    assert not made.acquire(timeout=0.05)
    running.close()
    assert total == 4
    assert threading.current_thread() not in makers
    assert len(makers) == 1


def test_work_is_done_side_by_side() -> None:
    """Each waits for the other two, and for the caller, who has not asked for it yet."""
    together = threading.Barrier(3, timeout=TIMEOUT)
    asked = threading.Event()

    def work(number: int) -> int:
        together.wait()
        asked.wait(TIMEOUT)
        return number

    running = map_ahead(work, range(6), 3)
    asked.set()
    assert list(running) == list(range(6))


def failing() -> Iterator[int]:
    yield from range(3)
    raise ValueError("item 3 is bad")


def test_errors_come_at_their_place() -> None:
    got: list[float] = []
    with pytest.raises(ValueError, match="item 3 is bad"):
        got.extend(ahead(failing(), 8))
    assert got == [0, 1, 2]

    def invert(number: int) -> float:
        return 1 / (number - 3)

    got.clear()
    with pytest.raises(ZeroDivisionError):
        got.extend(map_ahead(invert, range(9), 4))
    assert got == [-1 / 3, -1 / 2, -1]


@pytest.mark.parametrize("pipeline", [lambda items: ahead(items, 4), lambda items: items])
def test_who_stops_early_closes_what_is_before(pipeline) -> None:
    closed = threading.Event()

    def items() -> Iterator[int]:
        try:
            yield from count()
        finally:
            closed.set()

    running = ahead(pipeline(items()), 2)
    assert list(islice(running, 3)) == [0, 1, 2]
    running.close()
    assert closed.is_set()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ahead")]
