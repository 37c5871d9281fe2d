"""A film coloured stretch by stretch, so that a job that is stopped goes on where it was.

    look through -> keys, cuts -> stretches -> each carried from its keys, to disk -> one output

Which frame is stepped from which is said by `vidcolor.timeline`, as it is for the VapourSynth
filter, and all colour is made by the runtime's own `Fit.down`, `Propagator.step`, `blend` and
`Fit.up`: the same film, keys and cuts get the same colours, bit for bit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import NoReturn, Self

import numpy as np
from tqdm import tqdm

from vidcolor.color import Codes, Coding, change_bits, decode_luma, encode_chroma
from vidcolor.film import fingerprint
from vidcolor.film.keys import Painted
from vidcolor.film.propagate import Colours
from vidcolor.film.scan import Survey
from vidcolor.film.segments import Stretch, stretches
from vidcolor.film.store import Store
from vidcolor.media.reader import CopiedPacket, Frame, Info, Reader, bits_of, subsampling
from vidcolor.media.span import Span
from vidcolor.media.tags import coding_of, siting_of
from vidcolor.media.writer import Writer
from vidcolor.planes import Key, Plane
from vidcolor.timeline import Timeline
from vidcolor.working_size import Fit

_TAIL = 10
"""Seconds that a file's sound may lie behind its pictures."""


@dataclass(frozen=True)
class Film:
    """What is coloured, from what, into what. Its colours depend on nothing else."""

    path: Path
    side: int | None
    """Short side that the film itself is scaled down to first; None leaves it."""
    info: Info
    fit: Fit
    survey: Survey
    keys: Mapping[int, Painted]
    direction: str
    part: range
    """The frames to colour."""
    pixel_format: str
    """Of the output."""
    model: str
    """Its identity."""

    @cached_property
    def plan(self) -> list[tuple[Stretch, range]]:
        """The stretches of the part, each with its frames of the part, in order."""
        timeline = Timeline(self.keys, self.direction)
        parts = (
            (stretch, stretch.part(self.part))
            for stretch in stretches(timeline, self.survey.cuts, self.survey.length)
        )
        return [(stretch, part) for stretch, part in parts if part]

    @cached_property
    def coding(self) -> Coding:
        """What the film's code values mean."""
        return coding_of(self.info)

    @cached_property
    def coded(self) -> Coding:
        """What the output's code values mean."""
        return Coding(self.coding.matrix, self.coding.full_range, bits_of(self.pixel_format))

    @cached_property
    def identity(self) -> str:
        """Of all that the colours of every stretch depend on."""
        return fingerprint.digest(
            fingerprint.of_film(self.path), self.side, self.fit, self.info.tags, self.pixel_format,
            self.model,
        )  # fmt: skip

    @property
    def span(self) -> Span | None:
        """The part, in time; None for all of the film."""
        return self.survey.span(self.part, self.info.time_base)

    def finished(self, store: Store) -> int:
        """How many frames have their colours in the store."""
        return sum(len(part) for stretch, part in self.plan if self.name(stretch, part) in store)

    def confidence(self, store: Store) -> list[float]:
        """Mean confidence of each frame of the part, whose colours are in the store."""
        return [trust for planned in self.plan for trust in store.trusts(self.name(*planned))]

    def name(self, stretch: Stretch, part: range) -> str:
        """Of the file that holds the colours of a part of a stretch: it says what they are."""
        keys = [self.keys[frame].identity for frame in stretch.keys]
        unique = fingerprint.digest(self.identity, stretch.start, stretch.runs, part, keys)
        return f"{part.start:07}-{part.stop - 1:07}.{unique}"

    def small_keys(self, stretch: Stretch) -> dict[int, Key]:
        """The keys that a stretch needs, at working size."""
        return {frame: self.keys[frame].small for frame in stretch.keys}

    def shrink(self, luma: Codes) -> Plane:
        """Luma codes of a frame at working size."""
        return self.fit.down(decode_luma(luma, self.coding))

    def enlarge(self, colours: Colours, luma: Codes) -> Plane:
        """Chroma of a frame on the output's grid. luma: the frame's codes."""
        full = decode_luma(luma, self.coding)
        return self.fit.up(colours.chroma, self.fit.down(full), full, *self._layout)

    def own_colours(self, frame: int, luma: Codes) -> Plane:
        """Chroma of a key on the output's grid. luma: the frame's codes."""
        full = decode_luma(luma, self.coding)
        return self.keys[frame].chroma(full, self.fit, self.fit.grid(*self._layout))

    @property
    def _layout(self) -> tuple[tuple[int, int], str]:
        return subsampling(self.pixel_format), siting_of(self.info.tags)


class Frames:
    """Luma codes of a film's frames by their numbers, which may only rise."""

    def __init__(self, film: Film) -> None:
        self._reader = Reader(film.path, side=film.side)
        self._frames = (item for item in self._reader if isinstance(item, Frame))
        self._at = -1
        self._luma: Codes = np.empty((0, 0), np.uint8)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._reader.__exit__(*error)

    def luma(self, number: int) -> Codes:
        """[h, w] code values of a frame, the last one asked for or a later one."""
        while self._at < number:
            self._luma = next(self._frames).planes[0]
            self._at += 1
        return self._luma


def keep(
    film: Film,
    store: Store,
    stretch: Stretch,
    part: range,
    *,
    colours: Iterable[Colours],
    frames: Frames,
    progress: tqdm[NoReturn],
) -> None:
    """Bring the colours of a part of a stretch to full size, and keep them."""
    with store.writing(film.name(stretch, part)) as sheets:
        for frame, found in zip(part, colours, strict=True):
            own = not stretch.runs
            luma = frames.luma(frame)
            chroma = film.own_colours(frame, luma) if own else film.enlarge(found, luma)
            u, v = encode_chroma(chroma, film.coded)
            sheets.add(u, v, float(found.confidence.mean(dtype=np.float64)))
            progress.update()


def assemble(
    film: Film, store: Store, reader: Reader, writer: Writer, progress: tqdm[NoReturn]
) -> None:
    """Write the output: the film's own luma, the colours that were kept, sound and the rest."""
    colours = chain.from_iterable(store.read(film.name(*planned)) for planned in film.plan)
    end = film.survey.times[film.part.stop] + round(_TAIL / film.info.time_base)
    for number, item in _numbered(reader):
        if not isinstance(item, Frame):
            writer.copy(item)
        elif number in film.part:
            luma = change_bits(item.planes[0], film.coding, film.coded)
            writer.write((luma, *next(colours)), pts=item.pts, duration=item.duration)
            progress.update()
        elif item.pts > end:
            break


def _numbered(reader: Reader) -> Iterator[tuple[int, Frame | CopiedPacket]]:
    """What a reader gives, with the number of the frame that comes next, or is it."""
    number = 0
    for item in reader:
        yield number, item
        number += isinstance(item, Frame)
