"""A part of a clip in time: what of its sound, chapters and timecode goes with those frames."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING

from vidcolor.media.info import CopiedPacket

if TYPE_CHECKING:
    from av.container.core import Chapter

_COARSEST = Fraction(1, 1000)
"""Ticks that sound is moved by, in seconds."""
_DROPPED = 2
"""Numbers, for each 30 frames a second, that drop-frame timecode skips in nine of ten minutes."""


@dataclass(frozen=True)
class Span:
    """Some frames of a clip, moved to where the clip begins. Times are seconds."""

    begin: Fraction
    """When the first of them shows in the clip."""
    end: Fraction
    """When the last of them has been shown."""
    origin: Fraction
    """When the clip's own first frame shows."""
    frames_before: int
    """How many frames of the clip come before them."""

    @property
    def _shift(self) -> Fraction:
        return self.begin - self.origin

    def move(self, ticks: int, time_base: Fraction) -> int:
        """A time of the clip as one of the part."""
        return ticks - round(self._shift / time_base)

    def cut_packet(self, packet: CopiedPacket) -> bool:
        """Move a packet of sound or subtitles in time; False if it begins outside."""
        base = Fraction(packet.time_base.numerator, packet.time_base.denominator)
        if packet.pts is None or not self.begin <= packet.pts * base < self.end:
            return False
        # Ticks of sound in AVI last as long as its packets: moved by whole ones it would be late.
        finer = ceil(base / _COARSEST)
        base /= finer
        packet.time_base = base
        packet.pts = self.move(packet.pts * finer, base)
        if packet.dts is not None:
            packet.dts = self.move(packet.dts * finer, base)
        packet.duration = (packet.duration or 0) * finer
        return True

    def cut_chapters(self, chapters: Iterable[Chapter]) -> list[Chapter]:
        """Those that the part shows something of."""
        cut: list[Chapter] = []
        for chapter in chapters:
            base = Fraction(chapter["time_base"].numerator, chapter["time_base"].denominator)
            first, last = round(self.begin / base), round(self.end / base)
            start, end = max(chapter["start"], first), min(chapter["end"], last)
            if start < end:
                kept = chapter.copy()
                kept["start"], kept["end"] = self.move(start, base), self.move(end, base)
                cut.append(kept)
        return cut

    def cut_metadata(self, said: dict[str, str], rate: Fraction) -> dict[str, str]:
        """What the video says of itself, with the timecode of the part's first frame."""
        if "timecode" not in said:
            return said
        return said | {"timecode": later(said["timecode"], self.frames_before, rate)}


def later(timecode: str, frames: int, rate: Fraction) -> str:
    """The timecode `frames` after one such as 01:00:00:00, or 01:00:00;00 with dropped numbers.

    What is no timecode comes back as it is.
    """
    match = re.fullmatch(r"(\d\d):(\d\d):(\d\d)([:;.])(\d\d)", timecode)
    if match is None:
        return timecode
    hours, minutes, seconds, number = (int(match[group]) for group in (1, 2, 3, 5))
    second = round(rate)
    minute = 60 * second
    dropped = 0 if match[4] == ":" else _DROPPED * (second // 30)
    total = minute * (60 * hours + minutes) + second * seconds + number
    total -= dropped * (60 * hours + minutes - (60 * hours + minutes) // 10)  # to frames counted
    total += frames
    tens, rest = divmod(total, 10 * minute - 9 * dropped)
    total += 9 * dropped * tens  # and back to their numbers
    if rest >= minute:
        total += dropped * (1 + (rest - minute) // (minute - dropped))
    total, number = divmod(total, second)
    minutes, seconds = divmod(total, 60)
    return f"{minutes // 60 % 24:02}:{minutes % 60:02}:{seconds:02}{match[4]}{number:02}"
