"""The clocks of recordings that were joined end to end, as one."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import av

    Packet = av.Packet[Any]

_BACK, _BACK_SHOWN = Fraction(1, 10), Fraction(2)
"""Seconds that the time of decoding, or of showing, has to go back by for a new clock."""
_AHEAD = 10
"""Seconds that it has to jump ahead by, in formats whose clocks may do so."""
_MOST_HELD = 512
"""Packets that wait for the pictures of their recording."""
_OVERLAP = Fraction(1, 10)
"""Seconds of sound that may begin before the sound of the recording before has ended."""


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


def _is_decoded_too_late(packet: Packet) -> bool:
    """Whether a packet is to be decoded long after it shows: then that time is damaged."""
    if packet.pts is None or packet.dts is None:
        return False
    return (packet.dts - packet.pts) * _fraction(packet.time_base) > _AHEAD


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
        if _is_decoded_too_late(packet):
            packet.dts = None
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
