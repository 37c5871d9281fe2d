"""What a request for one output frame needs while it is under way.

A request is served by a task: a generator that yields the input frames it needs, is sent those
frames, and returns its result. Each task keeps its own position in a replay, whatever other tasks
do meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from threading import Thread
from typing import NamedTuple

import vapoursynth as vs

from vidcolor.planes import Plane
from vidcolor.timeline import CHUNK

MAX_INPUTS = 2 * CHUNK
"""Input frames that one `InputRequest` may name: a chunk for each direction of a frame's passes.

shim.c has the same constant, and refuses a longer request.
"""


class InputRequest(NamedTuple):
    """The input frames that a task needs next, by number; at most `MAX_INPUTS` altogether."""

    lumas: Sequence[int] = ()
    """Frames of the clip."""
    keys: Sequence[int] = ()
    """Frames of the key clip."""


class ClipFrame(NamedTuple):
    """A frame of the clip."""

    luma: Plane
    """[h, w] float32 in [0, 1], at working size."""
    starts_shot: bool | None = None
    """Whether its properties say that a shot starts here; None when they do not say."""
    matrix: str = "bt709"
    """The matrix that the chroma of a key for this frame must be coded in."""


class KeyFrame(NamedTuple):
    """A frame of the key clip."""

    image: vs.VideoFrame
    """The frame itself, RGB or YUV of any size."""
    number: object = None
    """The clip's frame that it colours, if its properties say so; as they say it, unchecked."""


class InputResponse(NamedTuple):
    """The frames of an `InputRequest`, by number. It may hold more than was asked for."""

    lumas: dict[int, ClipFrame]
    keys: dict[int, KeyFrame]


type Task[T] = Generator[InputRequest, InputResponse, T]


def run_concurrently[T](tasks: Sequence[Task[T]], *, streams: int) -> Task[list[T]]:
    """Run several tasks as one, each on a thread of its own while it works.

    The inputs of all tasks are fetched together, so a task may be sent more than it asked for.

    Args:
        tasks: The tasks.
        streams: How many of them may work at a time.

    Returns:
        The results, in the order of `tasks`.

    Raises:
        Exception: What the first failing task raised; the other tasks end with it.
    """
    results: dict[int, T] = {}
    response: InputResponse | None = None

    def advance(place: int) -> InputRequest | None:
        task = tasks[place]
        try:
            return next(task) if response is None else task.send(response)
        except StopIteration as done:
            results[place] = done.value
            return None

    waiting: Sequence[int] = range(len(tasks))
    while True:
        answers = _map_on_threads(advance, waiting, streams)
        waiting = [place for place in waiting if place not in results]
        if not waiting:
            return [results[place] for place in sorted(results)]
        requests = [request for request in answers if request is not None]
        response = yield InputRequest(
            lumas=tuple(dict.fromkeys(n for request in requests for n in request.lumas)),
            keys=tuple(dict.fromkeys(n for request in requests for n in request.keys)),
        )


def _map_on_threads[T, R](work: Callable[[T], R], items: Sequence[T], streams: int) -> list[R]:
    """Return `work` of each item, `streams` items at a time; raise what the first item raised."""
    out: dict[T, R] = {}
    errors: dict[T, BaseException] = {}

    def run(item: T) -> None:
        try:
            out[item] = work(item)
        except BaseException as error:
            errors[item] = error

    for first in range(0, len(items), streams):
        here, *others = items[first : first + streams]
        # Daemon threads instead of a pool: Python does not wait for them when it exits.
        threads = [Thread(target=run, args=(item,), daemon=True) for item in others]
        for thread in threads:
            thread.start()
        run(here)
        for thread in threads:
            thread.join()
    for item in items:
        if item in errors:
            raise errors[item]
    return [out[item] for item in items]
