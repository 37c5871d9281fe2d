"""A batch of a film as a task of its own, for several that are coloured at a time."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from threading import Event
from typing import Protocol, Self

from vidcolor.film.propagate import (
    IN_LINE,
    Allocate,
    Colors,
    Passes,
    Planes,
    pack,
    propagate_both_ways,
    propagate_forward,
)
from vidcolor.film.segments import Segment
from vidcolor.planes import Key
from vidcolor.propagate import Propagator


@dataclass(frozen=True)
class Task:
    """A part of a segment with all that its colours depend on, at working size."""

    segment: Segment
    part: range
    keys: Mapping[int, Key]
    lumas: Planes
    """[n, h, w], of the frames of `segment.reach(part)`."""
    references: Sequence[Key] = ()
    """Those that its colours depend on."""

    def run(
        self, propagator: Propagator, allocate: Allocate, stopped: Callable[[], bool]
    ) -> Planes:
        """The colours of `part`, each as `pack` has it: [n, 3, h, w].

        Raises CancelledError as soon as `stopped` says so.
        """
        planes = allocate((len(self.part), 3, *self.lumas.shape[1:]))
        rest = iter(planes)
        with closing(self._colors(propagator, allocate)) as colors:
            for found in colors:
                if stopped():
                    raise CancelledError
                if found is not None:
                    pack(found, next(rest))
        return planes

    def _colors(
        self, propagator: Propagator, allocate: Allocate
    ) -> Generator[Colors | None, None, None]:
        passes = Passes(
            propagator,
            self.segment,
            self.part,
            keys=self.keys,
            references=self.references,
            allocate=allocate,
        )
        if self.segment.has_backward_pass:
            first = self.segment.reach(self.part).start
            return propagate_both_ways(passes, self.lumas, first=first, workers=IN_LINE)
        return propagate_forward(passes, self.lumas, workers=IN_LINE)


class Executor(Protocol):
    """Workers that each colour one task at a time."""

    @property
    def width(self) -> int:
        """How many tasks to have under way."""
        ...

    def submit(self, task: Task) -> Callable[[], Planes]:
        """Start a task. The function that comes back waits for its colours."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...


class Threads:
    """An executor of threads in this process that share a model."""

    def __init__(self, propagator: Propagator, jobs: int, allocate: Allocate) -> None:
        self._propagator, self._allocate = propagator, allocate
        self._pool = ThreadPoolExecutor(jobs)
        self._stopped = Event()
        self.width = jobs + 1

    def submit(self, task: Task) -> Callable[[], Planes]:
        """As in `Executor`."""
        stopped = self._stopped.is_set
        return self._pool.submit(task.run, self._propagator, self._allocate, stopped).result

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._stopped.set()
        self._pool.shutdown(cancel_futures=True)
