"""Who colours the stretches of a film: one after the other, or many side by side.

Whoever does it, in whatever order: the bytes are the same.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import NoReturn, Protocol, Self

from tqdm import tqdm

from vidcolor.film.job import Film, Frames, keep
from vidcolor.film.propagate import Planes, Room, carry, pack, unpack
from vidcolor.film.segments import Stretch
from vidcolor.film.store import Store
from vidcolor.planes import Key, Plane
from vidcolor.propagate import Propagator


@dataclass(frozen=True)
class Task:
    """A part of a stretch with all that its colours depend on, at working size."""

    stretch: Stretch
    part: range
    keys: Mapping[int, Key]
    lumas: Planes
    """[n, h, w], of the frames of `stretch.reach(part)`."""

    def carry(self, propagator: Propagator, room: Room) -> Planes:
        """The colours of `part`, as `pack` packs them."""
        first = self.stretch.reach(self.part).start
        colours = carry(
            propagator,
            self.stretch,
            self.part,
            keys=self.keys,
            lumas=lambda frame: self.lumas[frame - first],
            room=room,
        )
        return pack(zip(self.part, colours, strict=True), self.part, room)


class Crew(Protocol):
    """Workers that colour one stretch each at a time."""

    @property
    def width(self) -> int:
        """How many stretches to have under way."""
        ...

    def begin(self, task: Task) -> Callable[[], Planes]:
        """Set somebody to work; what comes back waits for the colours."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...


class Threads:
    """A crew of threads in this process that share a model."""

    def __init__(self, propagator: Propagator, jobs: int, room: Room) -> None:
        self._propagator, self._room = propagator, room
        self._pool = ThreadPoolExecutor(jobs)
        self.width = jobs + 1

    def begin(self, task: Task) -> Callable[[], Planes]:
        """As in `Crew`."""
        return self._pool.submit(task.carry, self._propagator, self._room).result

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._pool.shutdown(cancel_futures=True)


def threads_for(jobs: int) -> int | None:
    """CPU threads for each frame where `jobs` frames are stepped at a time; None: all."""
    return None if jobs == 1 else max(1, (os.cpu_count() or 1) // jobs)


def colour_alone(
    film: Film, store: Store, propagator: Propagator, progress: tqdm[NoReturn]
) -> None:
    """Colour what the store lacks, one stretch after the other.

    A stretch that is carried forward alone takes no memory that grows with it; the others keep
    their luma and what was carried backward in a temporary file.
    """
    with Frames(film) as ahead, Frames(film) as frames:
        for stretch, part in _missing(film, store):
            reach = stretch.reach(part)
            if stretch.goes_back:
                small = _fetch(film, reach, ahead, store.room)
                lumas = partial(_nth, small, reach.start)
            else:
                lumas = partial(_shrink, film, frames)
            colours = carry(
                propagator,
                stretch,
                part,
                keys=film.small_keys(stretch),
                lumas=lumas,
                room=store.room,
            )
            keep(film, store, stretch, part, colours=colours, frames=frames, progress=progress)


def colour_together(film: Film, store: Store, crew: Crew, progress: tqdm[NoReturn]) -> None:
    """Colour what the store lacks, as many stretches at a time as the crew has workers."""
    under_way: deque[tuple[Stretch, range, Callable[[], Planes]]] = deque()
    with Frames(film) as ahead, Frames(film) as frames:

        def finish() -> None:
            stretch, part, wait = under_way.popleft()
            colours = unpack(wait())
            keep(film, store, stretch, part, colours=colours, frames=frames, progress=progress)

        for stretch, part in _missing(film, store):
            lumas = _fetch(film, stretch.reach(part), ahead, store.room)
            task = Task(stretch, part, film.small_keys(stretch), lumas)
            under_way.append((stretch, part, crew.begin(task)))
            if len(under_way) == crew.width:
                finish()
        while under_way:
            finish()


def _missing(film: Film, store: Store) -> list[tuple[Stretch, range]]:
    return [planned for planned in film.plan if film.name(*planned) not in store]


def _fetch(film: Film, reach: range, frames: Frames, room: Room) -> Planes:
    """Luma of frames at working size: [n, h, w]."""
    lumas = room((len(reach), *film.fit.working.shape))
    for index, frame in enumerate(reach):
        lumas[index] = film.shrink(frames.luma(frame))
    return lumas


def _nth(lumas: Planes, first: int, frame: int) -> Plane:
    plane: Plane = lumas[frame - first]
    return plane


def _shrink(film: Film, frames: Frames, frame: int) -> Plane:
    return film.shrink(frames.luma(frame))
