"""Work done on other threads before its results are needed.

Results come in the order of the items, so nothing here can change a colour.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor


def map_ahead[T, R](function: Callable[[T], R], items: Iterable[T], workers: int) -> Iterator[R]:
    """Apply a function to items in other threads, ahead of the caller.

    Args:
        function: Called by all threads at a time.
        items: Taken by the caller's thread, `workers` of them before their results are asked for.
            So every thread has work while the caller has its own.
        workers: How many threads.

    Yields:
        ``function(item)`` of each item, in order. What it raises is raised here, at its place.
    """
    waiting: deque[Future[R]] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix="map_ahead") as threads:
        try:
            for item in items:
                waiting.append(threads.submit(function, item))
                if len(waiting) > workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
