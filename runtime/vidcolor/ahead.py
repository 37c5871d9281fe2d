"""Work done ahead of its use, on other threads: reading, what depends on luma alone, encoding.

The order of what comes out is that of what goes in, so nothing here can change a colour.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final


class _End:
    """What an exhausted iterator gives."""


_END: Final = _End()


def ahead[T](items: Iterable[T], depth: int = 1) -> Iterator[T]:
    """`items`, made by another thread up to `depth` before they are asked for.

    Stages of a pipeline are nested: ``ahead(encode(ahead(decode(clip))))``. What `items` raises is
    raised here, at its place. When the caller stops early, so does `items`, and a generator is
    closed before this returns.
    """
    iterator = iter(items)
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as thread:
        waiting = deque(thread.submit(next, iterator, _END) for _ in range(depth))
        try:
            while not isinstance(item := waiting.popleft().result(), _End):
                waiting.append(thread.submit(next, iterator, _END))
                yield item
        finally:
            _cancel(waiting)
            if isinstance(iterator, Generator):
                thread.submit(iterator.close).result()


def map_ahead[T, R](function: Callable[[T], R], items: Iterable[T], workers: int) -> Iterator[R]:
    """``function(item)`` of each of `items`, in their order, by `workers` threads.

    The caller's thread takes `items`, `workers` of them before their results are asked for, so
    that every thread has work while the caller has its own. `function` may be called by all
    threads at a time; what it raises is raised here, at its place.
    """
    iterator = iter(items)
    waiting: deque[Future[R]] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix="map_ahead") as threads:
        try:
            for item in iterator:
                waiting.append(threads.submit(function, item))
                if len(waiting) > workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            _cancel(waiting)


def _cancel[T](waiting: Iterable[Future[T]]) -> None:
    for future in waiting:
        future.cancel()
