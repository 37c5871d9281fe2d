"""The times of a film's frames and packets, put in order.

Three steps, each for one fault of real files:

`vidcolor.media.clock.Clock`
    A recording that was joined to another begins its clock anew. All streams of the later
    recording are moved by one offset, so that its pictures follow the earlier ones.
`DisplayOrder`
    Some containers give a frame the time at which it is decoded, not the one at which it shows.
    Frames get the same times, sorted.
`Grid`
    A Matroska file rounds times to milliseconds, so that a film of 24 frames a second seems to be
    of variable rate. A time that is the rounded time of a frame at the film's rate becomes exact.
    Any other time stays as it is.
"""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, lcm

DEEPEST_REORDERING = 16
"""Frames that H.264 and H.265 may hold back at most before they show one."""

_MILLISECOND = Fraction(1, 1000)
_FINEST = 10**9
"""Ticks a second: MP4 and H.264 count them in 32 bits."""
_CLEAR = 4
"""Ticks of the file in a frame, from which on it can be told whether a time is a rounded one."""

RATES = tuple(
    [Fraction(n) for n in (24, 25, 30, 50, 60, 48, 12, 15, 16, 18, 20, 10, 100, 120)]
    + [Fraction(n * 1000, 1001) for n in (24, 30, 60, 48, 120)]
)
"""Frames a second that films have."""


@dataclass
class DisplayOrder[Picture]:
    """Gives frames, which come in the order in which they show, rising times.

    A frame is held back only while a packet of an earlier time has not shown its frame: in a sound
    file none is.
    """

    _due: list[int] = field(default_factory=list)
    """Times of packets whose frames have not come, a heap."""
    _came: Counter[int] = field(default_factory=Counter)
    """Times in `_due` whose frames have come."""
    _waiting: deque[Picture] = field(default_factory=deque)
    _times: list[int] = field(default_factory=list)
    """Of those that wait, a heap."""
    latest: int = -1
    """Of all times of frames that came."""

    def misses_last(self, damaged: Set[int]) -> bool:
        """Whether packets of later times than that of any frame have given none.

        Args:
            damaged: times of packets that are known to give none.
        """
        return any(time > self.latest and time not in damaged for time in self._due)

    def expect(self, time: int) -> None:
        """A packet of this time goes to the decoder."""
        heapq.heappush(self._due, time)

    def add(self, picture: Picture, time: int) -> Iterator[tuple[Picture, int]]:
        """A frame comes out of the decoder; gives those that are ready, with their times."""
        self.latest = max(self.latest, time)
        self._came[time] += 1
        self._waiting.append(picture)
        heapq.heappush(self._times, time)
        while self._waiting and self._ready():
            yield self._waiting.popleft(), heapq.heappop(self._times)

    def rest(self) -> Iterator[tuple[Picture, int]]:
        """What is left when no more comes."""
        while self._waiting:
            yield self._waiting.popleft(), heapq.heappop(self._times)

    def _ready(self) -> bool:
        earliest = self._times[0]
        while self._due:
            due = self._due[0]
            if self._came[due]:
                self._came[due] -= 1
            elif due >= earliest:
                break
            elif len(self._waiting) <= DEEPEST_REORDERING:
                return False
            heapq.heappop(self._due)  # its packet gave no frame
        self._came = +self._came
        return True


class Grid:
    """Times of frames in ticks that divide both the file's ticks and the frames of its rate.

    Args:
        rate: frames a second.
        file_base: seconds of a tick of the file.

    """

    def __init__(self, rate: Fraction, file_base: Fraction) -> None:
        finest = lcm(rate.numerator, file_base.denominator)
        self.exact = finest <= _FINEST and file_base * _CLEAR <= 1 / rate
        """Whether times are put on the frames of the rate."""
        self.base = Fraction(1, finest) if self.exact else file_base
        """Seconds of a tick of the times that `place` gives."""
        self._scale = int(file_base / self.base)
        self.step = max(1, round(1 / (rate * self.base)))
        """Ticks of a frame."""
        self.least = max(self._scale, ceil(_MILLISECOND / self.base))
        """Ticks that two frames are apart at least: Matroska counts milliseconds."""
        rounded = max(file_base, _MILLISECOND) if rate in RATES else file_base
        self._tolerance = int(rounded / self.base)
        """Ticks that a file's time may be off: some were rounded by another file before."""
        self._anchor: int | None = None

    def place(self, ticks: int) -> int:
        """A time in ticks of the file, in ticks of `base`."""
        time = ticks * self._scale
        if not self.exact:
            return time
        if self._anchor is None:
            self._anchor = 0 if self._near(time, 0) else time
        elif not self._near(time, self._anchor):
            self._anchor = time
        offset = time - self._anchor
        return self._anchor + self.step * round(Fraction(offset, self.step))

    def nearest(self, ticks: int) -> int:
        """As `place`, for a time that is not that of the next frame."""
        anchor = self._anchor
        placed = self.place(ticks)
        self._anchor = anchor
        return placed

    def last(self, duration: int | None) -> int:
        """How long a frame lasts, in ticks of `base`. duration: in ticks of the file."""
        time = (duration or 0) * self._scale
        if not time or (self.exact and abs(time - self.step) <= self._tolerance):
            return self.step
        return time

    def _near(self, time: int, anchor: int) -> bool:
        """Whether a time is that of a frame on the grid, but for the file's rounding."""
        offset = time - anchor
        return abs(offset - self.step * round(Fraction(offset, self.step))) <= self._tolerance


def exact_rate(
    mean: Fraction, guessed: Fraction | None, *, error: Fraction = Fraction(0)
) -> Fraction:
    """Frames a second of a film.

    Args:
        mean: what its file says, or has by its frames and their times.
        guessed: what FFmpeg takes it for, by the first times.
        error: of the mean at most, of 1: times that are rounded make it a little wrong.
    """
    if mean in RATES:
        return mean
    if guessed is not None and guessed in RATES and abs(mean / guessed - 1) < Fraction(1, 100):
        return guessed
    nearest = min(RATES, key=lambda rate: abs(mean / rate - 1))
    return nearest if abs(mean / nearest - 1) <= error else mean
