"""A batch of a film as a task of its own, for several that are coloured at a time."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from threading import Event
from typing import Protocol, Self

from vidcolor.film.job import Film
from vidcolor.film.kept_passes import KeptPasses
from vidcolor.film.kept_states import Arrays
from vidcolor.film.pieces import Batch
from vidcolor.film.propagate import (
    IN_LINE,
    Colors,
    Planes,
    pack,
    propagate_both_ways,
    propagate_forward,
)
from vidcolor.planes import Key
from vidcolor.propagate import Propagator


@dataclass(frozen=True)
class Task:
    """A batch with all that its colours depend on but luma, at working size."""

    batch: Batch
    fingerprint: str
    """Of its segment."""
    keys: Mapping[int, Key]
    references: Sequence[Key]

    @classmethod
    def of(cls, film: Film, batch: Batch) -> Self:
        """The task of colouring a batch of a film."""
        segment = batch.segment
        return cls(
            batch,
            film.fingerprint_of(segment),
            film.small_keys(segment),
            film.references_of(segment),
        )

    def passes(self, propagator: Propagator, store: Arrays) -> KeptPasses:
        """Its passes, which go on from what the store has of them."""
        return KeptPasses(
            propagator,
            self.batch,
            self.fingerprint,
            keys=self.keys,
            references=self.references,
            store=store,
        )

    def run(
        self, propagator: Propagator, lumas: Planes, store: Arrays
    ) -> Generator[None, None, None]:
        """Give a store the colours of each piece, as `pack` has them, as soon as they are found.

        Args:
            propagator: The model.
            lumas: [n, h, w] at working size, of the frames of `batch.reach`.
            store: Is given all that another run can go on from, too.

        Yields:
            None for each step, so that a caller can stop in between.
        """
        pieces = iter(self.batch.pieces)
        piece, count, planes = next(pieces), 0, None
        with closing(self._colors(propagator, lumas, store)) as found:
            for colors in found:
                if colors is not None:
                    if planes is None:
                        shape = colors.confidence.shape
                        planes = store.allocate((len(piece.part), 3, *shape))
                    pack(colors, planes[count])
                    count += 1
                if planes is not None and count == len(planes):
                    store.save_array(piece.found, planes)
                    store.remove(piece.behind)
                    piece, count, planes = next(pieces, piece), 0, None
                yield None

    def _colors(
        self, propagator: Propagator, lumas: Planes, store: Arrays
    ) -> Generator[Colors | None, None, None]:
        passes = self.passes(propagator, store)
        if self.batch.segment.has_backward_pass:
            first = self.batch.reach.start
            return propagate_both_ways(passes, lumas, first=first, workers=IN_LINE)
        return propagate_forward(passes, lumas, workers=IN_LINE)


class Executor(Protocol):
    """Workers that each colour one task at a time, for a store."""

    @property
    def width(self) -> int:
        """How many tasks to have under way."""
        ...

    def submit(self, task: Task, lumas: Planes) -> Callable[[], None]:
        """Start a task. The function that comes back waits until the store has its colours."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...


class Threads:
    """An executor of threads in this process that share a model."""

    def __init__(self, propagator: Propagator, jobs: int, store: Arrays) -> None:
        self._propagator, self._store = propagator, store
        self._pool = ThreadPoolExecutor(jobs)
        self._stopped = Event()
        self.width = jobs + 1

    def submit(self, task: Task, lumas: Planes) -> Callable[[], None]:
        """As in `Executor`."""
        return self._pool.submit(self._run, task, lumas).result

    def _run(self, task: Task, lumas: Planes) -> None:
        with closing(task.run(self._propagator, lumas, self._store)) as steps:
            for _ in steps:
                if self._stopped.is_set():
                    raise CancelledError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._stopped.set()
        self._pool.shutdown(cancel_futures=True)
