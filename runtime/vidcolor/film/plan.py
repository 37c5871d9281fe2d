"""What colouring a film will do, known before its first frame is coloured."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from time import perf_counter

import numpy as np

from vidcolor.film.job import Film, Unkeyed
from vidcolor.film.pieces import Piece
from vidcolor.planes import Key
from vidcolor.propagate import Propagator

WORTH_TIMING = 200
"""Model steps from which on one is timed: fewer take no long time."""
_TIMED = 3
"""Steps that are timed, after one that is not."""


@dataclass(frozen=True)
class PlannedShot:
    """A shot of which frames are to be coloured."""

    number: int
    """Counted from 1, over the whole film."""
    frames: range
    """All of its frames."""
    keys: tuple[int, ...]
    """The frames of it that have a key for all of it, rising."""
    auto_keys: tuple[int, ...] = ()
    """Those of them that the colorizer has painted, for want of a key."""
    nearest_keys: tuple[int, ...] = ()
    """Where there are frames without a key: those that their colours are guessed from, rising."""
    key_ranges: Mapping[int, range] = field(default_factory=dict)
    """Frame of a key -> the frames of the shot that it alone holds for; it is not among `keys`."""
    unreached: range | None = None
    """Where there are `keys`: the frames that none leads to in the one direction that is taken."""

    @property
    def lacks_key(self) -> bool:
        """Whether it has frames that no key holds for, not even one by the colorizer."""
        return not self.keys and sum(map(len, self.key_ranges.values())) < len(self.frames)


@dataclass(frozen=True)
class Plan:
    """What colouring a film will do."""

    clip: str
    """Name of the film's file."""
    part: range
    """The frames that are asked for."""
    shots: tuple[PlannedShot, ...]
    """The shots that have any of them."""
    unkeyed: Unkeyed
    stored: int
    """Frames of the part that are taken from the work folder."""
    steps: int
    """Steps that the model will make; two for a frame between two keys."""
    seconds: float | None
    """How long these will take, where there are `WORTH_TIMING` of them or more, by a few that were
    timed. Decoding and encoding run beside them. None where nothing was timed."""
    references: tuple[str, ...] = ()
    """Names of the pictures that shots without a key are coloured by likeness to."""
    seconds_left: Callable[[], float | None] = lambda: None
    """How long the rest takes, by the steps that were made until it is called; None where that is
    not known yet, or at all, as of other machines."""

    @property
    def without_key(self) -> tuple[PlannedShot, ...]:
        """The shots that have frames that no key holds for, not even one by the colorizer."""
        return tuple(shot for shot in self.shots if shot.lacks_key)


def make_plan(
    film: Film,
    pieces: Sequence[Piece],
    ranges: Sequence[Piece],
    *,
    step_seconds: Callable[[], float] | None,
    seconds_left: Callable[[int], float | None],
) -> Plan:
    """What colouring the pieces of a film will do.

    Args:
        film: The film.
        pieces: What is asked for: `plan_pieces`.
        ranges: `plan_ranges`.
        step_seconds: Times a step of the model, by the steps that are made at a time; only called
            where there are many. None where that cannot be known, as of other machines.
        seconds_left: As in `Pace`.
    """
    steps = sum(piece.steps for piece in (*pieces, *ranges))
    free = [sum(frame not in film.covered for frame in piece.part) for piece in pieces]
    stored = sum(count for count, piece in zip(free, pieces, strict=True) if piece.is_stored)
    unkeyed = [piece for piece in pieces if not piece.segment.has_key_in_shot]
    edges = pairwise((*film.index.shot_starts, film.index.length))
    shots = [
        _plan_shot(film, number, range(start, stop), unkeyed)
        for number, (start, stop) in enumerate(edges, 1)
        if start < film.part.stop and stop > film.part.start
    ]
    return Plan(
        clip=film.path.name,
        part=film.part,
        shots=tuple(shots),
        unkeyed=film.unkeyed,
        references=tuple(reference.name for reference in film.references),
        seconds_left=lambda: seconds_left(steps),
        stored=stored + sum(len(piece.part) for piece in ranges if piece.is_stored),
        steps=steps,
        seconds=steps * step_seconds() if step_seconds and steps >= WORTH_TIMING else None,
    )


def _plan_shot(film: Film, number: int, frames: range, unkeyed: Sequence[Piece]) -> PlannedShot:
    keys = tuple(frame for frame in sorted(film.lasting_keys) if frame in frames)
    without = [piece for piece in unkeyed if piece.part.start in frames]
    return PlannedShot(
        number,
        frames,
        keys,
        auto_keys=tuple(frame for frame in sorted(film.auto_keys) if frame in frames),
        nearest_keys=without[0].segment.keys if without else (),
        key_ranges={
            key: range(max(frames.start, mine.start), min(frames.stop, mine.stop))
            for key, mine in film.key_ranges.items()
            if frames.start < mine.stop and mine.start < frames.stop
        },
        unreached=range(without[0].part.start, without[-1].part.stop) if keys and without else None,
    )


def time_step(film: Film, propagator: Propagator) -> float:
    """Seconds that a step of the model takes on this machine, by a few at the film's size."""
    shape = film.working_size.working.shape
    key = Key(np.full(shape, 0.5, np.float32), np.zeros((2, *shape), np.float32))
    if film.keys:
        key = film.keys[min(film.keys)].small
    state = propagator.step(key.luma, propagator.init_state(key)).state
    start = perf_counter()
    for _ in range(_TIMED):
        state = propagator.step(key.luma, state).state
    return (perf_counter() - start) / _TIMED
