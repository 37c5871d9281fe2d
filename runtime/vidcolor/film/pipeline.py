"""The chain that a film goes through once to be coloured: read, colour, bring to full size, write.

    FilmFrames -> color_sequentially or color_in_parallel -> chroma -> Store, Writer

Its steps run on threads of their own with queues of a few frames in between, so memory does not
grow with the film, and the slowest step decides how long it takes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import numpy as np

from vidcolor.color import Codes, encode_chroma
from vidcolor.film.chroma_file import ChromaWriter
from vidcolor.film.cluster import Cluster
from vidcolor.film.confidence_map import Cells, Confidence, cells_of, pack_maps
from vidcolor.film.executor import (
    Colored,
    ColoredFrame,
    color_in_parallel,
    color_sequentially,
)
from vidcolor.film.finish import Finish
from vidcolor.film.frames import FilmFrames
from vidcolor.film.job import Film
from vidcolor.film.kept_notes import tell_what_does_not_fit, told_when_stopped
from vidcolor.film.kept_passes import discard
from vidcolor.film.pace import Pace, PacedPropagator
from vidcolor.film.pieces import Piece, batches, plan_pieces, plan_ranges
from vidcolor.film.plan import Plan, make_plan, time_step
from vidcolor.film.progress import Progress
from vidcolor.film.stage import run_ahead
from vidcolor.film.store import Store
from vidcolor.film.task import Executor, Threads
from vidcolor.inference.enlarge import Enlarger
from vidcolor.inference.session import Session
from vidcolor.media.codecs import Encoder
from vidcolor.media.reader import Reader
from vidcolor.media.tags import tags_of
from vidcolor.media.writer import Writer
from vidcolor.propagate import Propagator

COLORING, RANGES = "colouring", "colouring ranges of keys"
"""The stages, as `Progress` is told them."""

_DEPTH = 2
"""Frames that a step of the chain may be ahead of the next one."""


@dataclass(frozen=True)
class Job:
    """A film and where it goes."""

    film: Film
    store: Store
    output: Path
    encoder: Encoder
    check_output: Callable[[], None]
    """Raises VidcolorError where the output must not be written."""
    progress: Progress
    note: Callable[[str], None]
    audio: bool = True
    """Whether the film's sound goes with it."""
    tell: Callable[[Plan], None] = lambda plan: None
    """Told what will be done, before it is done."""
    finish: Finish = field(default_factory=Finish)
    """What is done to finished chroma."""


def color_film(job: Job, session: Session, *, jobs: int, cluster: Cluster | None) -> Confidence:
    """Colour what the store lacks, and write the output.

    Args:
        job: What to do.
        session: The model.
        jobs: How many segments to colour at a time.
        cluster: What to colour on; None colours here.

    Returns:
        The confidence of each frame of the part.
    """
    film, store = job.film, job.store
    pieces, ranges = plan_pieces(film, store), plan_ranges(film, store)
    tell_what_does_not_fit(store, (*pieces, *ranges), job.note)
    missing = [batch for batch in batches((*pieces, *ranges)) if batch.needs_model]
    pace = Pace()
    propagator = PacedPropagator(session, pace)
    timed = None if cluster else lambda: time_step(film, Propagator(session)) / jobs
    job.tell(make_plan(film, pieces, ranges, step_seconds=timed, seconds_left=pace.seconds_left))
    with told_when_stopped(store, pieces, job.note), ExitStack() as stack:
        reader = stack.enter_context(_open_reader(film))
        writer = _open_writer(job, reader)
        for note in writer.notes:
            job.note(note)
        stack.enter_context(writer)
        executor: Executor | None = cluster
        if cluster is None and jobs > 1 and len(missing) > 1:
            executor = stack.enter_context(Threads(propagator, jobs, store))
        enlarger = Enlarger(film.working_size, session.device_runner)
        _color_ranges(job, ranges, propagator, executor, enlarger)
        source = FilmFrames(film, reader, pieces)
        with _coloring(job, pieces, source, propagator, executor) as colored:
            _write(job, pieces, ranges, colored, writer, enlarger)
        for packet in source.trailing:
            writer.copy(packet)
        # Somebody else may have written there meanwhile.
        job.check_output()
    return _confidence(film, store, pieces, ranges)


def _open_reader(film: Film) -> Reader:
    return Reader(film.path, side=film.side, progressive=film.progressive)


@contextmanager
def _coloring(
    job: Job,
    pieces: Sequence[Piece],
    source: FilmFrames,
    propagator: Propagator,
    executor: Executor | None,
) -> Iterator[Colored]:
    """The frames of a film, coloured by an executor or, where there is none, one by one."""
    with closing(run_ahead(source, _DEPTH)) as frames:
        if executor is not None:
            colored = color_in_parallel(job.film, job.store, pieces, frames, executor)
        else:
            steps = color_sequentially(job.film, job.store, pieces, frames, propagator)
            colored = run_ahead(steps, _DEPTH)
        with closing(colored):
            yield colored


def _color_ranges(
    job: Job,
    ranges: Sequence[Piece],
    propagator: Propagator,
    executor: Executor | None,
    enlarger: Enlarger,
) -> None:
    """Put into the store what it lacks of the frames that keys with a range hold for.

    They are read on their own: other keys lead through the same frames.
    """
    missing = [piece for piece in ranges if not piece.is_stored]
    if not missing:
        return
    film, store = job.film, job.store
    done, total = 0, sum(len(piece.part) for piece in missing)
    with _open_reader(film) as reader:
        source = FilmFrames(film, reader, missing)
        with _coloring(job, missing, source, propagator, executor) as colored:
            for index, piece in enumerate(missing):
                with store.writing(piece.name) as stored:
                    for item in _up_to(colored, piece.part[-1]):
                        if item.frame.number in piece.part:
                            _chroma(film, piece, item, stored, enlarger)
                            done += 1
                            job.progress(RANGES, done, total)
                discard(film, store, missing, index)


def _confidence(
    film: Film, store: Store, pieces: Sequence[Piece], ranges: Sequence[Piece]
) -> Confidence:
    """Of each frame of the part, as the piece has it that it shows."""
    means: dict[int, float] = {}
    maps: dict[int, Cells] = {}
    for piece in (*pieces, *ranges):
        if not piece.is_hidden:
            found = piece.of_stored(store.confidences(piece.name))
            means |= zip(piece.part, found, strict=True)
            if (cells := store.confidence_maps(piece.name)) is not None:
                maps |= zip(piece.part, piece.of_stored(cells), strict=True)
    numbers = film.part
    if len(maps) < len(numbers):
        return Confidence([means[number] for number in numbers], None)
    packed = pack_maps(maps[number][None] for number in numbers)
    return Confidence([means[number] for number in numbers], packed)


def _open_writer(job: Job, reader: Reader) -> Writer:
    film = job.film
    return Writer(
        job.output,
        like=reader,
        tags=tags_of(film.info.tags, film.coding),
        codec=job.encoder,
        overwrite=True,  # `check_output` decides
        span=film.span,
        audio=job.audio,
        partial=job.store.temporary() / f"output{job.output.suffix}",
    )


def _write(
    job: Job,
    pieces: Sequence[Piece],
    ranges: Sequence[Piece],
    colored: Colored,
    writer: Writer,
    enlarger: Enlarger,
) -> None:
    film, store = job.film, job.store
    done = 0
    of_ranges = chain.from_iterable(piece.of_stored(store.read(piece.name)) for piece in ranges)
    with film.finisher(job.finish) as finisher:
        for index, piece in enumerate(pieces):
            at_hand = piece.is_stored or piece.is_hidden
            with nullcontext() if at_hand else store.writing(piece.name) as stored:
                for item in _up_to(colored, piece.part[-1]):
                    for packet in item.frame.packets:
                        writer.copy(packet)
                    frame = item.frame
                    if frame.number not in piece.part:
                        continue
                    planes = item.chroma
                    if stored is not None:
                        planes = _chroma(film, piece, item, stored, enlarger)
                    if frame.number in film.covered:
                        planes = next(of_ranges)
                    assert planes is not None  # noqa: S101  (for the type checker)
                    planes = finisher.apply(frame.number, planes)
                    luma = film.output_luma(frame.codes)
                    writer.write((luma, *planes), pts=frame.pts, duration=frame.duration)
                    done += 1
                    job.progress(COLORING, done, len(film.part))
            discard(film, store, pieces, index)
    for rest in colored:
        for packet in rest.frame.packets if rest is not None else ():
            writer.copy(packet)


def _up_to(colored: Colored, last: int) -> Iterator[ColoredFrame]:
    """Frames up to one of them."""
    for item in colored:
        if item is not None:
            yield item
            if item.frame.number == last:
                return


def _chroma(
    film: Film, piece: Piece, item: ColoredFrame, stored: ChromaWriter, enlarger: Enlarger
) -> tuple[Codes, Codes]:
    """Code planes of a frame's chroma, which are stored, too."""
    frame, colors = item.frame, item.colors
    if piece.is_gray:
        gray = np.zeros((2, *film.output_grid.shape), np.float32)
        planes = encode_chroma(gray, film.output_coding)
        confidence = np.zeros(film.working_size.working.shape, np.float32)
    elif colors is None or frame.small is None:
        own = film.key_chroma(frame.number, frame.codes)
        planes = encode_chroma(own, film.output_coding)
        confidence = np.ones(film.working_size.working.shape, np.float32)
    else:
        planes = film.upsample(colors, enlarger, frame.codes, frame.small)
        confidence = colors.confidence
    stored.add(*planes, float(confidence.mean(dtype=np.float64)), cells_of(confidence))
    return planes
