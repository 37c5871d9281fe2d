from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import count, islice

import pytest

from tests.support.waiting import DEADLINE
from vidcolor.ahead import map_ahead


def test_results_come_in_the_order_of_the_items() -> None:
    for workers in (1, 3, 50):
        assert list(map_ahead(str, range(20), workers)) == [str(n) for n in range(20)]
    assert list(map_ahead(str, [], 2)) == []


def test_items_are_taken_by_the_caller_and_no_further_ahead_than_there_are_workers() -> None:
    taken, takers, workers = 0, set(), set()

    def items() -> Iterator[int]:
        nonlocal taken
        for number in count():
            taken += 1
            takers.add(threading.current_thread())
            yield number

    def work(number: int) -> int:
        workers.add(threading.current_thread())
        return number

    running = map_ahead(work, items(), 3)
    assert list(islice(running, 5)) == [0, 1, 2, 3, 4]
    assert taken == 5 + 3
    assert takers == {threading.current_thread()}
    assert threading.current_thread() not in workers
    running.close()


def test_work_is_done_side_by_side() -> None:
    """Each waits for the other two, and for the caller, who has not asked for it yet."""
    together = threading.Barrier(3, timeout=DEADLINE)
    asked = threading.Event()

    def work(number: int) -> int:
        together.wait()
        asked.wait(DEADLINE)
        return number

    running = map_ahead(work, range(6), 3)
    asked.set()
    assert list(running) == list(range(6))


def test_errors_come_at_their_place() -> None:
    got: list[float] = []

    def invert(number: int) -> float:
        return 1 / (number - 3)

    with pytest.raises(ZeroDivisionError):
        got.extend(map_ahead(invert, range(9), 4))
    assert got == [-1 / 3, -1 / 2, -1]


def test_who_stops_early_leaves_no_thread() -> None:
    before = set(threading.enumerate())  # other tests may have left some that nobody has closed yet
    running = map_ahead(str, count(), 2)
    assert list(islice(running, 3)) == ["0", "1", "2"]
    assert set(threading.enumerate()) - before
    running.close()
    assert not set(threading.enumerate()) - before
