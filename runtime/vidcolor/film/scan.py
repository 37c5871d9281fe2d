"""A film looked through once before it is coloured: how long it is, where it is cut, its keys."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import NoReturn, Self

import numpy as np
from tqdm import tqdm

from vidcolor.color import decode_luma
from vidcolor.errors import ArgumentError, KeyFrameError, MediaError
from vidcolor.film import fingerprint
from vidcolor.film.shots import CutFinder
from vidcolor.film.store import Notes, Store
from vidcolor.media.reader import Frame, Reader
from vidcolor.media.span import Span
from vidcolor.media.tags import coding_of
from vidcolor.planes import Plane
from vidcolor.working_size import Fit

_MISSING = 1
"""Seconds that a whole file may end before what it announces."""


@dataclass(frozen=True)
class Survey:
    """What there is to know of a film before colouring."""

    times: Sequence[int]
    """When each frame shows, in ticks of the film's time base; and at last when the film ends."""
    cuts: tuple[int, ...]
    """First frames of its shots, from 0."""
    lumas: dict[int, Plane]
    """Luma at working size of the frames that were asked for."""

    def to_notes(self) -> Notes:
        """As arrays; `from_notes` is the inverse."""
        lumas = {f"luma.{frame}": luma for frame, luma in self.lumas.items()}
        return {"times": np.array(self.times), "cuts": np.array(self.cuts), **lumas}

    @classmethod
    def from_notes(cls, notes: Notes) -> Self:
        """Read back what `to_notes` wrote."""
        lumas = {name: luma for name, luma in notes.items() if name.startswith("luma.")}
        return cls(
            times=notes["times"].tolist(),
            cuts=tuple(notes["cuts"].tolist()),
            lumas={int(name.removeprefix("luma.")): luma for name, luma in lumas.items()},
        )

    @property
    def length(self) -> int:
        """Frames."""
        return len(self.times) - 1

    def part(self, asked: range | None) -> range:
        """The frames asked for; all of them, if None. Raises ArgumentError beyond the last."""
        if asked is not None and asked.stop > self.length:
            raise ArgumentError(
                f"range ends at frame {asked[-1]}, the film has frames 0 to {self.length - 1}"
            )
        return asked or range(self.length)

    def shot(self, number: int) -> range:
        """The frames of a shot, which are counted from 1. Raises ArgumentError beyond the last."""
        if not 1 <= number <= len(self.cuts):
            raise ArgumentError(
                f"only-shot is {number}, the film has {len(self.cuts)} shots, counted from 1"
            )
        return range(self.cuts[number - 1], (*self.cuts, self.length)[number])

    def span(self, part: range, time_base: Fraction) -> Span | None:
        """Some of the frames, in time; None for all of them."""
        if part == range(self.length):
            return None
        return Span(
            begin=self.times[part.start] * time_base,
            end=self.times[part.stop] * time_base,
            origin=self.times[0] * time_base,
            frames_before=part.start,
        )


def look_through(
    film: Path,
    fit: Fit,
    *,
    side: int | None,
    wanted: Collection[int],
    cuts: Sequence[int] | None,
    whole: bool,
    store: Store,
    progress: tqdm[NoReturn],
) -> Survey:
    """Read the film once; or not at all, where `store` has what came out of it the last time.

    side: as in `Reader`. wanted: frames with a key, to keep the luma of. cuts: first frames of its
    shots; None to look for them. whole: whether a film that ends before its time is refused.
    Raises MediaError as `Reader` does, ArgumentError if a key or a shot lies beyond the film, and
    MissingLibraryError where looking for cuts needs it.
    """
    asked = fingerprint.digest(fingerprint.of_film(film), fit, side, sorted(wanted), cuts, whole)
    notes = store.notes(f"survey.{asked}")
    if notes is not None:
        return Survey.from_notes(notes)
    survey = _look_through(film, fit, side, wanted, cuts, whole, progress)
    beyond = [frame for frame in wanted if frame >= survey.length]
    if beyond:
        raise KeyFrameError(
            f"keys: there is a key for frame {min(beyond)}, the film has frames 0 to "
            f"{survey.length - 1}"
        )
    if cuts and max(cuts) >= survey.length:
        raise ArgumentError(
            f"scenes: a shot begins at frame {max(cuts)}, the film has frames 0 to "
            f"{survey.length - 1}"
        )
    store.note(f"survey.{asked}", survey.to_notes())
    return survey


def _look_through(
    film: Path,
    fit: Fit,
    side: int | None,
    wanted: Collection[int],
    cuts: Sequence[int] | None,
    whole: bool,
    progress: tqdm[NoReturn],
) -> Survey:
    times: list[int] = []
    lumas: dict[int, Plane] = {}
    with Reader(film, side=side) as reader:
        info, coding = reader.info, coding_of(reader.info)
        finder = CutFinder(info) if cuts is None else None
        end = 0
        for item in reader:
            if not isinstance(item, Frame):
                continue
            if finder is not None:
                finder.see(item.planes[0])
            if len(times) in wanted:
                lumas[len(times)] = fit.down(decode_luma(item.planes[0], coding))
            times.append(item.pts)
            end = item.pts + (item.duration or round(1 / (info.rate * info.time_base)))
            progress.update()
        if whole:
            _check_whole(film, reader, (end - times[0]) * info.time_base, len(times))
    found = finder.shots if finder is not None else (0, *(cuts or ()))
    return Survey((*times, end), tuple(sorted(set(found))), lumas)


def _check_whole(film: Path, reader: Reader, lasts: Fraction, frames: int) -> None:
    announced = reader.announced
    if announced is not None and announced - lasts > _MISSING:
        raise MediaError(
            f"clip: {film} breaks off after {frames} frames, {float(lasts):.1f} of the "
            f"{float(announced):.1f} seconds that it announces; get the rest of it, or colour "
            f"what is there with --range 0-{frames - 1}"
        )


def read_lumas(film: Path, fit: Fit, side: int | None) -> Iterator[Plane]:
    """Luma of all frames of a film, at working size. side: as in `Reader`."""
    with Reader(film, side=side) as reader:
        coding = coding_of(reader.info)
        for item in reader:
            if isinstance(item, Frame):
                yield fit.down(decode_luma(item.planes[0], coding))
