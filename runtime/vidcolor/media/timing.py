"""The times of a film's frames and packets, put in order.

Three steps, each for one fault of real files:

`Clock`
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
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import av

    Packet = av.Packet[Any]

DEEPEST_REORDERING = 16
"""Frames that H.264 and H.265 may hold back at most before they show one."""

_BACK, _BACK_SHOWN = Fraction(1, 10), Fraction(2)
"""Seconds that the time of decoding, or of showing, has to go back by for a new clock."""
_AHEAD = 10
"""Seconds that it has to jump ahead by, in formats whose clocks may do so."""
_MOST_HELD = 512
"""Packets that wait for the pictures of their recording."""
_OVERLAP = Fraction(1, 10)
"""Seconds of sound that may begin before the sound of the recording before has ended."""
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
class _Progress:
    """How far a stream has come."""

    recording: int = 0
    """Which of the joined recordings it is in."""
    decoded: Fraction | None = None
    """Seconds on the clock of that recording, when its last packet is decoded."""
    shown: Fraction | None = None
    """When it shows; of no use once times of decoding are known, for frames change places."""
    end: Fraction | None = None
    """Seconds on the clock of the first recording, at which its last packet ends."""


class Clock:
    """Moves packets so that the clocks of joined recordings go on as one.

    Args:
        video: index of the stream of the pictures, which the other streams follow.
        rate: frames a second, for packets that do not say how long they last.
        may_jump: whether times that jump ahead by more than 10 seconds begin a new clock, too.

    """

    def __init__(self, video: int, *, rate: Fraction, may_jump: bool) -> None:
        self._video, self._step, self._may_jump = video, 1 / rate, may_jump
        self._streams: dict[int, _Progress] = {}
        self._offsets = [Fraction(0)]
        """Of each recording, in seconds."""
        self._held: deque[Packet] = deque()

    def carry(self, packet: Packet) -> Iterator[Packet]:
        """The packets that are ready, in order, moved to the clock of the first recording."""
        index = packet.stream.index
        progress = self._streams.get(index)
        if progress is None:
            at = self._streams.get(self._video, _Progress()).recording
            progress = self._streams[index] = _Progress(recording=at)
        if self._begins_anew(packet, progress):
            progress.recording += 1
            progress.decoded = progress.shown = None
        base = _fraction(packet.time_base)
        progress.decoded = progress.decoded if packet.dts is None else packet.dts * base
        progress.shown = progress.shown if packet.pts is None else packet.pts * base
        if index == self._video:
            yield from self._carry_video(packet, progress)
        elif progress.recording < len(self._offsets):
            yield from self._moved(packet, progress)
        else:
            self._held.append(packet)
            if len(self._held) > _MOST_HELD:
                yield from self.rest()

    def rest(self) -> Iterator[Packet]:
        """What still waits for pictures that do not come: it goes on where its stream ended."""
        while self._held:
            packet = self._held.popleft()
            progress = self._streams[packet.stream.index]
            time, end = _seconds(packet), progress.end
            while progress.recording >= len(self._offsets):
                self._offsets.append(self._offsets[-1])
            if time is not None and end is not None:
                self._offsets[progress.recording] = end - time
            yield from self._moved(packet, progress)

    def _carry_video(self, packet: Packet, progress: _Progress) -> Iterator[Packet]:
        if progress.recording >= len(self._offsets):
            time, end = _seconds(packet), progress.end
            offset = end - time if time is not None and end is not None else Fraction(0)
            self._offsets.append(offset + self._room_for_sound(offset))
        yield from self._moved(packet, progress)
        held, self._held = self._held, deque()
        for other in held:
            behind = self._streams[other.stream.index]
            if behind.recording < len(self._offsets):
                yield from self._moved(other, behind)
            else:
                self._held.append(other)

    def _room_for_sound(self, offset: Fraction) -> Fraction:
        """Seconds, whole frames, so that no sound of the later recording begins too early."""
        late = Fraction(0)
        begun = set()
        for packet in self._held:
            time, end = _seconds(packet), self._streams[packet.stream.index].end
            if packet.stream.index in begun or time is None or end is None:
                continue
            begun.add(packet.stream.index)
            late = max(late, end - (time + offset))
        return self._step * ceil((late - _OVERLAP) / self._step) if late > _OVERLAP else Fraction(0)

    def _begins_anew(self, packet: Packet, progress: _Progress) -> bool:
        if packet.stream.type not in ("video", "audio"):
            return False
        last, ticks, back = progress.decoded, packet.dts, _BACK
        if last is None and ticks is None:
            last, ticks, back = progress.shown, packet.pts, _BACK_SHOWN
        if last is None or ticks is None:
            return False
        time = ticks * _fraction(packet.time_base)
        return time < last - back or (self._may_jump and time - last > _AHEAD)

    def _moved(self, packet: Packet, progress: _Progress) -> Iterator[Packet]:
        offset = self._offsets[progress.recording]
        base = _fraction(packet.time_base)
        if offset and base:
            ticks = round(offset / base)
            if packet.pts is not None:
                packet.pts += ticks
            if packet.dts is not None:
                packet.dts += ticks
        time = _seconds(packet)
        if time is not None:
            if offset and progress.end is not None and time < progress.end - _OVERLAP:
                return  # it sounds at the same time as what came before the joint
            lasts = (packet.duration or 0) * base
            if not lasts and packet.stream.index == self._video:
                lasts = self._step
            progress.end = time + lasts
        yield packet


def _seconds(packet: Packet) -> Fraction | None:
    """When a packet is decoded, as far as it says so."""
    ticks = packet.dts if packet.dts is not None else packet.pts
    return None if ticks is None else ticks * _fraction(packet.time_base)


def _fraction(base: Any) -> Fraction:
    return Fraction(base.numerator, base.denominator) if base and base.denominator else Fraction(0)


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
