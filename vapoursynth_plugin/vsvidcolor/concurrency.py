"""Requests that go side by side, each on a thread of its own while it works."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Thread

from vsvidcolor.request import Given, Need, Request


def together[T](requests: Sequence[Request[T]], *, streams: int) -> Request[list[T]]:
    """The results of `requests`, of which up to `streams` work at a time.

    What they need is fetched for all of them at once, so that each may be given more than it asked
    for. Where one raises, the others end with it.
    """
    results: dict[int, T] = {}
    given: Given | None = None

    def go_on(place: int) -> Need | None:
        request = requests[place]
        try:
            return next(request) if given is None else request.send(given)
        except StopIteration as done:
            results[place] = done.value
            return None

    waiting: Sequence[int] = range(len(requests))
    while True:
        needs = [need for need in _side_by_side(go_on, waiting, streams) if need is not None]
        waiting = [place for place in waiting if place not in results]
        if not waiting:
            return [results[place] for place in sorted(results)]
        given = yield Need(
            lumas=tuple(dict.fromkeys(number for need in needs for number in need.lumas)),
            keys=tuple(dict.fromkeys(number for need in needs for number in need.keys)),
        )


def _side_by_side[T, R](work: Callable[[T], R], items: Sequence[T], streams: int) -> list[R]:
    """`work` of each of `items`, `streams` of them at a time; what the first of them raised."""
    out: dict[T, R] = {}
    errors: dict[T, BaseException] = {}

    def note(item: T) -> None:
        try:
            out[item] = work(item)
        except BaseException as error:
            errors[item] = error

    for first in range(0, len(items), streams):
        here, *others = items[first : first + streams]
        # Daemons, and no pool: leaving Python does not wait for a replay.
        threads = [Thread(target=note, args=(item,), daemon=True) for item in others]
        for thread in threads:
            thread.start()
        note(here)
        for thread in threads:
            thread.join()
    for item in items:
        if item in errors:
            raise errors[item]
    return [out[item] for item in items]
