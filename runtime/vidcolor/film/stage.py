"""A stage of a pipeline on a thread of its own, so that it overlaps with the stages around it."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final


class _End:
    """What an exhausted iterator gives."""


_END: Final = _End()


def run_ahead[T](items: Iterable[T], depth: int) -> Generator[T, None, None]:
    """Take items from an iterable in another thread, before they are asked for.

    Stages are nested: ``run_ahead(encode(run_ahead(decode(clip), 2)), 2)``.

    Args:
        items: What to take. If it is a generator, it is closed when the caller stops early.
        depth: How many items to be ahead.

    Yields:
        The items, in order. What `items` raises is raised here, at its place.
    """
    iterator = iter(items)
    with ThreadPoolExecutor(1, thread_name_prefix="run_ahead") as thread:
        waiting = deque(thread.submit(next, iterator, _END) for _ in range(depth))
        try:
            while not isinstance(item := waiting.popleft().result(), _End):
                waiting.append(thread.submit(next, iterator, _END))
                yield item
        finally:
            for future in waiting:
                future.cancel()
            if isinstance(iterator, Generator):
                thread.submit(iterator.close).result()
