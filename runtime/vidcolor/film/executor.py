"""How the pieces of a film are coloured: one after the other, or several at a time.

The bytes are the same either way.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from itertools import chain, islice
from typing import NamedTuple

from vidcolor.color import Codes
from vidcolor.film.frames import LoadedFrame, Spool
from vidcolor.film.job import Film
from vidcolor.film.pieces import Batch, Piece, batches
from vidcolor.film.propagate import (
    Colors,
    Passes,
    propagate_both_ways,
    propagate_forward,
    unpack,
)
from vidcolor.film.store import Store
from vidcolor.film.task import Executor, Task
from vidcolor.planes import Plane
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


def color_sequentially(
    film: Film,
    store: Store,
    pieces: Sequence[Piece],
    frames: Iterator[LoadedFrame],
    propagator: Propagator,
) -> Colored:
    """Colour the pieces that the store lacks, one batch after the other.

    One with a forward pass alone flows through: nothing grows with its length. The others are read
    to their end first; their luma, and what the backward pass finds, is kept in files. At the
    borders of pieces the store is given the passes' states, from which a later job goes on.
    """
    for gap, batch in _with_gaps(batches(pieces)):
        yield from map(ColoredFrame, islice(frames, gap))
        yield from _color(film, store, batch, frames, propagator)
    yield from map(ColoredFrame, frames)


def color_in_parallel(
    film: Film,
    store: Store,
    pieces: Sequence[Piece],
    frames: Iterator[LoadedFrame],
    executor: Executor,
) -> Colored:
    """Colour the pieces that the store lacks, several batches at a time.

    Those under way are kept in files: see `Spool`. A worker gives the store what
    `color_sequentially` gives it, and the colours of each piece until its chroma is stored.
    """
    under_way: deque[Colored] = deque()
    for gap, batch in _with_gaps(batches(pieces)):
        if gap or batch.is_stored:
            # These flow through; what was begun before them comes first.
            while under_way:
                yield from under_way.popleft()
            yield from map(ColoredFrame, islice(frames, gap))
        if batch.is_stored:
            yield from _at_hand(batch, store, frames)
            continue
        spool = Spool(film, batch, store)
        for frame in islice(frames, len(batch.reach)):
            spool.add(frame)
        wait = None
        if batch.needs_model:
            wait = executor.submit(Task.of(film, batch), spool.lumas)
        under_way.append(_finish(batch, spool, store, wait))
        if len(under_way) > executor.width:
            yield from under_way.popleft()
    while under_way:
        yield from under_way.popleft()
    yield from map(ColoredFrame, frames)


def _with_gaps(found: Iterable[Batch]) -> Iterator[tuple[int, Batch]]:
    """Each batch behind the number of frames that lead up to it."""
    at = 0
    for batch in found:
        yield batch.reach.start - at, batch
        at = batch.reach.stop


def _color(
    film: Film,
    store: Store,
    batch: Batch,
    frames: Iterator[LoadedFrame],
    propagator: Propagator,
) -> Colored:
    if not batch.needs_model:
        yield from _at_hand(batch, store, frames)
        return
    passes = Task.of(film, batch).passes(propagator, store)
    if batch.segment.has_backward_pass:
        yield from _two_way(film, store, batch, frames, passes)
    else:
        yield from _one_way(batch, frames, passes)


def _at_hand(batch: Batch, store: Store, frames: Iterator[LoadedFrame]) -> Colored:
    """The frames of a batch that needs no model."""
    mine = islice(frames, len(batch.part))
    if batch.is_stored:
        chromas = chain.from_iterable(
            piece.of_stored(store.read(piece.name)) for piece in batch.pieces
        )
        for frame, chroma in zip(mine, chromas, strict=True):
            yield ColoredFrame(frame, chroma=chroma)
    elif batch.is_found:
        yield from map(ColoredFrame, mine, _found(batch, store))
    else:
        yield from map(ColoredFrame, mine)


def _found(batch: Batch, store: Store) -> Iterator[Colors]:
    """The colours that the store has of a batch."""
    for piece in batch.pieces:
        yield from map(unpack, store.load_array(piece.found))


def _one_way(batch: Batch, frames: Iterator[LoadedFrame], passes: Passes) -> Colored:
    entered: deque[LoadedFrame] = deque()

    def lumas() -> Iterator[Plane]:
        for frame in islice(frames, len(batch.reach)):
            entered.append(frame)
            yield _small(frame)

    with closing(propagate_forward(passes, lumas(), workers=None)) as found:
        for colors in found:
            yield ColoredFrame(entered.popleft(), colors)


def _two_way(
    film: Film,
    store: Store,
    batch: Batch,
    frames: Iterator[LoadedFrame],
    passes: Passes,
) -> Colored:
    with closing(Spool(film, batch, store)) as spool:
        for frame in islice(frames, len(batch.reach)):
            spool.add(frame)
            yield None
        first = batch.reach.start
        found = propagate_both_ways(passes, spool.lumas, first=first, workers=None)
        with closing(found):
            yield from _beside(spool, batch.part, found)


def _finish(batch: Batch, spool: Spool, store: Store, wait: Callable[[], None] | None) -> Colored:
    with closing(spool):
        if wait is not None:
            wait()
        if wait is not None or batch.is_found:
            yield from _beside(spool, batch.part, _found(batch, store))
        else:
            yield from map(ColoredFrame, spool)


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
