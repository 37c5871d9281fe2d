from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import cv2
import pytest

from tests.support.waiting import DEADLINE
from vidcolor.cores import count_cores, may_use_all_cores, one_opencv_thread
from vidcolor.inference.providers import onnxruntime, session_options


def test_the_cores_are_those_that_the_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5, 9}, raising=False)
    assert count_cores() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    assert count_cores() == 7
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert count_cores() == 1


@pytest.mark.parametrize(
    ("mine", "machine", "threads", "taken"),
    [({0, 1}, 2, None, 0), ({0}, 2, None, 1), ({3, 5}, 64, None, 2), ({0}, 2, 2, 2)],
)
def test_graphs_have_no_more_threads_than_the_process_has_cores(
    mine: set[int],
    machine: int,
    threads: int | None,
    taken: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """0 leaves it to onnxruntime, which counts the machine's."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: mine, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: machine)
    assert may_use_all_cores() == (len(mine) == machine)
    assert session_options(onnxruntime(), threads).intra_op_num_threads == taken


@pytest.fixture
def four_threads() -> Iterator[None]:
    before = cv2.getNumThreads()
    cv2.setNumThreads(4)
    yield
    cv2.setNumThreads(before)


@pytest.mark.usefixtures("four_threads")
def test_opencv_has_its_threads_back_when_the_last_one_leaves() -> None:
    """Who came first leaves first, while the other is still inside."""
    inside, leave = threading.Event(), threading.Event()

    def other() -> None:
        with one_opencv_thread():
            inside.set()
            leave.wait(DEADLINE)

    thread = threading.Thread(target=other)
    with one_opencv_thread():
        assert cv2.getNumThreads() == 1
        thread.start()
        assert inside.wait(DEADLINE)
    assert cv2.getNumThreads() == 1
    leave.set()
    thread.join(DEADLINE)
    assert cv2.getNumThreads() == 4


@pytest.mark.usefixtures("four_threads")
def test_an_error_gives_them_back() -> None:
    with pytest.raises(KeyError), one_opencv_thread():
        raise KeyError
    assert cv2.getNumThreads() == 4
