"""How the pieces of a film are coloured: one after the other, or several at a time.

The bytes are the same either way.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from threading import Event
from typing import NamedTuple, Protocol, Self

from vidcolor.color import Codes
from vidcolor.film.frames import LoadedFrame, Spool
from vidcolor.film.job import Film, Piece
from vidcolor.film.propagate import (
    IN_LINE,
    Allocate,
    Colors,
    Planes,
    pack,
    propagate_both_ways,
    propagate_forward,
    unpack,
)
from vidcolor.film.segments import Segment
from vidcolor.film.store import Store
from vidcolor.planes import Key, Plane
from vidcolor.propagate import Propagator


class ColoredFrame(NamedTuple):
    """A frame that has been coloured, or needs no colours."""

    frame: LoadedFrame
    colors: Colors | None = None
    """What the model has found; None for a key, and for a frame that is not asked for."""
    chroma: tuple[Codes, Codes] | None = None
    """Chroma that the store has."""


Colored = Generator[ColoredFrame | None, None, None]
"""Every frame of the film in order. None after a step that leaves no frame to write yet."""


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
        with closing(self._colors(propagator, allocate)) as colors:
            for found in colors:
                if stopped():
                    raise CancelledError
                if found is not None:
                    number, color = found
                    pack(color, planes[number - self.part.start])
        return planes

    def _colors(
        self, propagator: Propagator, allocate: Allocate
    ) -> Generator[tuple[int, Colors] | None, None, None]:
        if self.segment.has_backward_pass:
            numbers = iter(self.part)
            for colors in propagate_both_ways(
                propagator,
                self.segment,
                self.part,
                keys=self.keys,
                references=self.references,
                lumas=self.lumas,
                allocate=allocate,
                workers=IN_LINE,
            ):
                yield None if colors is None else (next(numbers), colors)
            return
        found = propagate_forward(
            propagator,
            self.segment,
            keys=self.keys,
            references=self.references,
            lumas=self.lumas,
            workers=IN_LINE,
        )
        for number, colors in enumerate(found, self.segment.start):
            yield (number, colors) if number in self.part else None


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


def color_sequentially(
    film: Film,
    store: Store,
    pieces: Sequence[Piece],
    frames: Iterator[LoadedFrame],
    propagator: Propagator,
) -> Colored:
    """Colour the pieces that the store lacks, one after the other.

    A piece with a forward pass alone flows through: nothing grows with its length. The others are
    read to their end first; their luma, and what the backward pass finds, is kept in files.
    """
    yield from map(ColoredFrame, islice(frames, pieces[0].reach.start))
    for piece in pieces:
        if not piece.needs_model:
            yield from _at_hand(piece, store, frames)
        elif piece.segment.has_backward_pass:
            yield from _two_way(film, store, piece, frames, propagator)
        else:
            yield from _one_way(film, piece, frames, propagator)
    yield from map(ColoredFrame, frames)


def color_in_parallel(
    film: Film,
    store: Store,
    pieces: Sequence[Piece],
    frames: Iterator[LoadedFrame],
    executor: Executor,
) -> Colored:
    """Colour the pieces that the store lacks, several at a time.

    Those under way are kept in files: see `Spool`.
    """
    under_way: deque[Colored] = deque()
    yield from map(ColoredFrame, islice(frames, pieces[0].reach.start))
    for piece in pieces:
        if piece.is_stored:
            # It flows through; what was begun before it comes first.
            while under_way:
                yield from under_way.popleft()
            yield from _at_hand(piece, store, frames)
            continue
        spool = Spool(film, piece, store)
        for frame in islice(frames, len(piece.reach)):
            spool.add(frame)
        wait = None
        if piece.needs_model:
            keys, references = film.small_keys(piece.segment), film.references_of(piece.segment)
            wait = executor.submit(Task(piece.segment, piece.part, keys, spool.lumas, references))
        under_way.append(_finish(piece, spool, wait))
        if len(under_way) > executor.width:
            yield from under_way.popleft()
    while under_way:
        yield from under_way.popleft()
    yield from map(ColoredFrame, frames)


def _at_hand(piece: Piece, store: Store, frames: Iterator[LoadedFrame]) -> Iterator[ColoredFrame]:
    """The frames of a piece that needs no model."""
    mine = islice(frames, len(piece.part))
    if not piece.is_stored:
        yield from map(ColoredFrame, mine)
        return
    for frame, chroma in zip(mine, store.read(piece.name), strict=True):
        yield ColoredFrame(frame, chroma=chroma)


def _one_way(
    film: Film, piece: Piece, frames: Iterator[LoadedFrame], propagator: Propagator
) -> Colored:
    entered: deque[LoadedFrame] = deque()

    def lumas() -> Iterator[Plane]:
        for frame in islice(frames, len(piece.reach)):
            entered.append(frame)
            yield _small(frame)

    found = propagate_forward(
        propagator,
        piece.segment,
        keys=film.small_keys(piece.segment),
        references=film.references_of(piece.segment),
        lumas=lumas(),
        workers=None,
    )
    with closing(found):
        for colors in found:
            frame = entered.popleft()
            yield ColoredFrame(frame, colors if frame.number in piece.part else None)


def _two_way(
    film: Film,
    store: Store,
    piece: Piece,
    frames: Iterator[LoadedFrame],
    propagator: Propagator,
) -> Colored:
    with closing(Spool(film, piece, store)) as spool:
        for frame in islice(frames, len(piece.reach)):
            spool.add(frame)
            yield None
        found = propagate_both_ways(
            propagator,
            piece.segment,
            piece.part,
            keys=film.small_keys(piece.segment),
            references=film.references_of(piece.segment),
            lumas=spool.lumas,
            allocate=store.allocate,
            workers=None,
        )
        with closing(found):
            yield from _beside(spool, piece.part, found)


def _finish(piece: Piece, spool: Spool, wait: Callable[[], Planes] | None) -> Colored:
    with closing(spool):
        if wait is None:
            yield from map(ColoredFrame, spool)
        else:
            yield from _beside(spool, piece.part, map(unpack, wait()))


def _beside(spool: Spool, part: range, found: Iterable[Colors | None]) -> Colored:
    """The frames of a spool with the colours of those in `part`."""
    frames = iter(spool)
    for colors in found:
        if colors is None:
            yield None
            continue
        for frame in frames:
            if frame.number in part:
                yield ColoredFrame(frame, colors)
                break
            yield ColoredFrame(frame)
    yield from map(ColoredFrame, frames)


def _small(frame: LoadedFrame) -> Plane:
    if frame.small is None:
        raise AssertionError(f"frame {frame.number} was loaded without its planes")
    return frame.small
