"""A film read once before it is coloured: how long it is, where its shots begin, its key frames."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from vidcolor.errors import ArgumentError, KeyFrameError, MediaError
from vidcolor.film.fingerprint import digest, fingerprint_film
from vidcolor.film.progress import Progress
from vidcolor.film.shots import ShotFinder, detail_of, small_luma
from vidcolor.film.stage import run_ahead
from vidcolor.film.store import Store
from vidcolor.media.info import Frame
from vidcolor.media.losses import Loss
from vidcolor.media.reader import Reader
from vidcolor.media.span import Span
from vidcolor.media.tags import coding_of
from vidcolor.planes import Plane
from vidcolor.working_size import WorkingSize

SCANNING = "scanning"
"""The stage, as `Progress` is told it."""

_FORM = 3
"""Of what is cached: another number where the same film gives another result."""
_DEPTH = 4
"""Frames that are decoded ahead."""
_TOLERANCE = 1
"""Seconds that a complete file may end before the end that it announces."""


@dataclass(frozen=True)
class FilmIndex:
    """What is known of a film once it has been scanned."""

    times: Sequence[int]
    """When each frame shows, in ticks of the film's time base; and last, when the film ends."""
    shot_starts: tuple[int, ...]
    """First frames of its shots, from 0; empty while nobody has looked for them."""
    lumas: Mapping[int, Plane]
    """Frame -> luma [h, w] at working size, of the frames that have a key."""
    losses: tuple[Loss, ...] = ()
    """Frames that are damaged or missing."""
    details: Sequence[float] = ()
    """How much there is to see in each frame: `vidcolor.film.shots.detail_of`."""

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """As arrays to cache; `from_arrays` is the inverse."""
        lumas = {f"luma.{frame}": luma for frame, luma in self.lumas.items()}
        losses = [loss.to_row() for loss in self.losses]
        return {
            "times": np.array(self.times),
            "shots": np.array(self.shot_starts, np.int64),
            "losses": np.array(losses, np.int64).reshape(-1, 6),
            "details": np.array(self.details),
            **lumas,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Read back what `to_arrays` made."""
        lumas = {name: luma for name, luma in arrays.items() if name.startswith("luma.")}
        return cls(
            times=arrays["times"].tolist(),
            shot_starts=tuple(arrays["shots"].tolist()),
            lumas={int(name.removeprefix("luma.")): luma for name, luma in lumas.items()},
            losses=tuple(Loss.from_row(row) for row in arrays["losses"].tolist()),
            details=tuple(arrays["details"].tolist()),
        )

    @property
    def length(self) -> int:
        """How many frames the film has."""
        return len(self.times) - 1

    def part(self, asked: range | None) -> range:
        """The frames asked for; all of them, if None.

        Raises:
            ArgumentError: They end beyond the film's last frame.
        """
        if asked is not None and asked.stop > self.length:
            raise ArgumentError(
                f"range ends at frame {asked[-1]}, the film has frames 0 to {self.length - 1}"
            )
        return asked or range(self.length)

    def shot(self, number: int) -> range:
        """The frames of a shot. Shots are counted from 1.

        Raises:
            ArgumentError: The film has no such shot.
        """
        if not 1 <= number <= len(self.shot_starts):
            raise ArgumentError(
                f"only-shot is {number}, the film has {len(self.shot_starts)} shots, counted from 1"
            )
        return range(self.shot_starts[number - 1], (*self.shot_starts, self.length)[number])

    def shots_without(
        self, keys: Collection[int], part: range, covered: Collection[int] = ()
    ) -> list[range]:
        """The shots that have frames of a part, not all of them covered, and none of some keys.

        Args:
            keys: Frames of keys.
            part: Frames of the film.
            covered: Frames that have their colours from elsewhere.
        """
        edges = pairwise((*self.shot_starts, self.length))
        shots = (range(start, stop) for start, stop in edges)
        own, elsewhere = set(keys), set(covered)
        return [
            shot
            for shot in shots
            if not own.intersection(shot)
            and any(frame in part and frame not in elsewhere for frame in shot)
        ]

    def best_frame(self, shot: range, covered: Collection[int] = ()) -> int:
        """The frame of a shot with most to see, among those of its middle half.

        Those that are covered, see `shots_without`, are left out where there are others.
        """
        quarter = len(shot) // 4
        middle = shot[quarter : len(shot) - quarter]
        free = [[frame for frame in frames if frame not in covered] for frames in (middle, shot)]
        return max(free[0] or free[1] or middle, key=lambda frame: self.details[frame])

    def span(self, part: range, time_base: Fraction) -> Span | None:
        """The time that some frames take up; None for all of the film."""
        if part == range(self.length):
            return None
        return Span(
            begin=self.times[part.start] * time_base,
            end=self.times[part.stop] * time_base,
            origin=self.times[0] * time_base,
            frames_before=part.start,
        )


def scan_film(
    film: Path,
    working_size: WorkingSize,
    *,
    side: int | None,
    progressive: bool = False,
    key_frames: Collection[int],
    shot_starts: Sequence[int] | None,
    require_complete: bool,
    store: Store,
    progress: Progress,
) -> FilmIndex:
    """Read a film once. What `store` still has of the last time is not read again.

    Args:
        film: The film's file.
        working_size: The film's mapping to working size.
        side: As in `Reader`.
        progressive: As in `Reader`.
        key_frames: Frames that have a key; their luma is kept.
        shot_starts: First frames of its shots; None to look for them.
        require_complete: Raise MediaError if the file is truncated.
        store: Where the result is cached.
        progress: Told of every frame.

    Raises:
        MediaError: As `Reader` does, or the file is truncated.
        KeyFrameError: A key is for a frame beyond the film's last one.
        ArgumentError: A shot begins beyond it.
        MissingLibraryError: Looking for shots needs a library that is not installed.
    """
    name = f"scan.{digest(_FORM, fingerprint_film(film), working_size, side, progressive)}"
    cached = store.load_arrays(name)
    known = None if cached is None else FilmIndex.from_arrays(cached)
    with Reader(film, side=side, progressive=progressive) as reader:
        if known is None or (shot_starts is None and not known.shot_starts):
            finder = ShotFinder(reader.info) if shot_starts is None else None
            index = _scan(reader, working_size, key_frames, finder, progress)
        else:
            index = _add_lumas(known, reader, working_size, key_frames, progress)
        if require_complete:
            _check_complete(film, reader, index)
    _check_numbers(index.length - 1, key_frames, shot_starts)
    if index is not known:
        store.save_arrays(name, index.to_arrays())
    if shot_starts is None:
        return index
    return replace(index, shot_starts=tuple(sorted({0, *shot_starts})))


def _scan(
    reader: Reader,
    working_size: WorkingSize,
    key_frames: Collection[int],
    finder: ShotFinder | None,
    progress: Progress,
) -> FilmIndex:
    info, coding = reader.info, coding_of(reader.info)
    times: list[int] = []
    lumas: dict[int, Plane] = {}
    details: list[float] = []
    end = 0
    with closing(run_ahead(reader, _DEPTH)) as items:
        for item in items:
            if not isinstance(item, Frame):
                continue
            small = small_luma(item.planes[0], coding)
            details.append(detail_of(small))
            if finder is not None:
                finder.add(small)
            if len(times) in key_frames:
                lumas[len(times)] = working_size.downsample_codes(item.planes[0], coding)
            times.append(item.pts)
            end = item.pts + (item.duration or round(1 / (info.rate * info.time_base)))
            progress(SCANNING, len(times), info.frame_count)
    shot_starts = () if finder is None else tuple(finder.shots)
    return FilmIndex((*times, end), shot_starts, lumas, reader.losses, details)


def _add_lumas(
    known: FilmIndex,
    reader: Reader,
    working_size: WorkingSize,
    key_frames: Collection[int],
    progress: Progress,
) -> FilmIndex:
    """`known` with the luma of more frames; itself, if it has them all."""
    missing = {frame for frame in key_frames if frame < known.length} - known.lumas.keys()
    if not missing:
        return known
    lumas, coding = dict(known.lumas), coding_of(reader.info)
    frames = (item for item in reader if isinstance(item, Frame))
    last = max(missing)
    for number, frame in enumerate(islice(frames, last + 1)):
        if number in missing:
            lumas[number] = working_size.downsample_codes(frame.planes[0], coding)
        progress(SCANNING, number + 1, last + 1)
    return replace(known, lumas=lumas)


def _check_numbers(
    last: int, key_frames: Collection[int], shot_starts: Sequence[int] | None
) -> None:
    if (frame := max(key_frames, default=0)) > last:
        first = min(frame for frame in key_frames if frame > last)
        raise KeyFrameError(
            f"keys: there is a key for frame {first}, the film has frames 0 to {last}"
        )
    if shot_starts and (frame := max(shot_starts)) > last:
        raise ArgumentError(
            f"scenes: a shot begins at frame {frame}, the film has frames 0 to {last}"
        )


def _check_complete(film: Path, reader: Reader, index: FilmIndex) -> None:
    announced, end = reader.announced, reader.announced_end
    if announced is None or end is None:
        return
    missing = end - index.times[-1] * reader.info.time_base
    if missing > _TOLERANCE:
        raise MediaError(
            f"clip: {film} breaks off after {index.length} frames, "
            f"{float(announced - missing):.1f} of the {float(announced):.1f} seconds that it "
            f"announces; get the rest of it, or colour what is there with --range "
            f"0-{index.length - 1}"
        )


def read_lumas(
    film: Path, working_size: WorkingSize, side: int | None, *, progressive: bool = False
) -> Iterator[Plane]:
    """Luma of all frames of a film, at working size.

    Args:
        film: The film's file.
        working_size: The film's mapping to working size.
        side: As in `Reader`.
        progressive: As in `Reader`.
    """
    with Reader(film, side=side, progressive=progressive) as reader:
        coding = coding_of(reader.info)
        for item in reader:
            if isinstance(item, Frame):
                yield working_size.downsample_codes(item.planes[0], coding)
