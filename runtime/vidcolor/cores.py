"""The cores there are, and how OpenCV is kept to one of them.

Where frames are worked on side by side, each OpenCV call is better left to its own thread: split
over all cores, calls of several threads take turns and wait for each other. The results are the
same to the bit either way.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import cv2


def count_cores() -> int:
    """Cores that this process may use, at least 1."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def may_use_all_cores() -> bool:
    """Whether the machine has no cores that are kept from this process."""
    return count_cores() >= (os.cpu_count() or 1)


class _Single:
    """Who wants OpenCV to use one thread, and how many it had before the first of them."""

    lock = Lock()
    count = 0
    before = 0


@contextmanager
def one_opencv_thread() -> Iterator[None]:
    """Have OpenCV do its work in the thread that calls it, for all of the process.

    Any number of threads may be inside. The number of OpenCV's threads comes back when the last one
    leaves.
    """
    with _Single.lock:
        if _Single.count == 0:
            _Single.before = cv2.getNumThreads()
            cv2.setNumThreads(1)
        _Single.count += 1
    try:
        yield
    finally:
        with _Single.lock:
            _Single.count -= 1
            if _Single.count == 0:
                cv2.setNumThreads(_Single.before)
