"""What a damaged file has lost, as far as one can tell, and which frames are odd, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from fractions import Fraction
from itertools import chain
from typing import Self

_FEW = 3
"""Gaps that any film of constant rate may have without being one of variable rate."""
_SELDOM = 50
"""Frames for each further gap."""
_MOST_TOLD = 30
"""Sentences about one film."""
_THREADS = 64
"""Frames after which a decoder of many threads may report a damaged packet."""


class Fate(IntEnum):
    """What became of frames."""

    MISSING = 0
    """The file does not have them."""
    UNDECODABLE = 1
    """They are in the file, but cannot be decoded."""
    CONCEALED = 2
    """They are there, and the decoder has filled in what is damaged in them."""
    CONVERTED = 3
    """They are there, and were of another size or format than the first frame."""


@dataclass(frozen=True)
class Loss:
    """Frames in a row that are not there, between two that are; or that are not as they were."""

    frame: int
    """Number of the first; of frames that are not there, number of the one that comes next."""
    seconds: Fraction
    """When the first of them shows, or would show."""
    count: int
    fate: Fate
    at_end: bool = False
    """Whether no frame comes behind those that are not there."""

    @property
    def is_gap(self) -> bool:
        """Whether the frames are not there."""
        return self.fate in (Fate.MISSING, Fate.UNDECODABLE)

    def concerns(self, part: range) -> bool:
        """Whether it lies in a part of the film."""
        if self.is_gap:
            return part.start < self.frame < part.stop
        return self.frame < part.stop and part.start < self.frame + self.count

    def to_row(self) -> tuple[int, ...]:
        """As six whole numbers; `from_row` is the inverse."""
        time = self.seconds.as_integer_ratio()
        return self.frame, *time, self.count, self.fate, self.at_end

    @classmethod
    def from_row(cls, row: Sequence[int]) -> Self:
        """Read back what `to_row` wrote."""
        frame, ticks, second, count, fate, at_end = row
        return cls(frame, Fraction(ticks, second), count, Fate(fate), bool(at_end))

    def __str__(self) -> str:
        return self._gap() if self.is_gap else self._odd()

    def _gap(self) -> str:
        frames = f"{self.count} frame{'s' * (self.count != 1)}"
        lost = self.fate == Fate.UNDECODABLE
        fate = "cannot be decoded" if lost else f"{_are(self.count)} missing"
        if self.frame == 0:
            place = "before frame 0"
        elif self.at_end:
            place = f"after frame {self.frame - 1}"
        else:
            place = f"between frames {self.frame - 1} and {self.frame}"
        time = clock_time(self.seconds)
        return f"{frames} at {time}, {place}, {fate} and {_are(self.count)} left out"

    def _odd(self) -> str:
        one = self.count == 1
        frames = f"frame {self.frame}" if one else f"frames {self.frame} to {self._last}"
        where = f"{frames} at {clock_time(self.seconds)}"
        if self.fate == Fate.CONVERTED:
            them = "is converted" if one else "are converted"
            return f"{where} {_has(self.count)} another size or format than the first, and {them}"
        return (
            f"{where} {_are(self.count)} damaged: what is missing in {'it' if one else 'them'} was "
            "filled in by the decoder"
        )

    @property
    def _last(self) -> int:
        return self.frame + self.count - 1


def told_of(losses: Sequence[Loss], part: range | None) -> list[str]:
    """What to tell of the losses of a film.

    Args:
        losses: Those of the whole film.
        part: The frames that are asked for; None for all.

    Returns:
        Sentences, `_MOST_TOLD` at most.
    """
    mine = [loss for loss in losses if part is None or loss.concerns(part)]
    if len(mine) <= _MOST_TOLD:
        return [str(loss) for loss in mine]
    rest = mine[_MOST_TOLD - 1 :]
    more = f"and so it is at {len(rest)} more places, up to {clock_time(rest[-1].seconds)}"
    return [*(str(loss) for loss in mine[: _MOST_TOLD - 1]), more]


def clock_time(seconds: Fraction) -> str:
    """Such as 0:01:02.345."""
    sign, milliseconds = "-" * (seconds < 0), round(abs(seconds) * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{sign}{minutes // 60}:{minutes % 60:02}:{rest / 1000:06.3f}"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _has(count: int) -> str:
    return "has" if count == 1 else "have"


@dataclass
class _Gap:
    frame: int
    begin: int
    """Ticks, when the first missing frame would show."""
    end: int
    explained: bool
    """Whether the frame before is said to last as long."""


@dataclass
class Losses:
    """Gathers what is odd about the times of frames, in ticks."""

    step: int
    """Ticks of a frame at the film's rate."""
    _gaps: list[_Gap] = field(default_factory=list)
    _damaged: list[tuple[int, int | None]] = field(default_factory=list)
    """Number of the next frame and time of each packet that could not be decoded."""
    _odd: dict[Fate, list[Loss]] = field(default_factory=dict)
    """Frames that are there. Their seconds are ticks."""
    _frames: int = 0
    _regular: int = 0
    """Frames that follow the one before at the film's rate."""
    _first: int | None = None
    _last: int | None = None
    _until: int = 0
    """When the last frame has been shown, as the file says."""

    def show(self, time: int, duration: int) -> None:
        """A frame that is there."""
        if self._last is not None:
            if 2 * (time - self._last) > 3 * self.step:
                explained = 2 * (time - self._until) < self.step
                self._gaps.append(_Gap(self._frames, self._last + self.step, time, explained))
            elif 10 * abs(time - self._last - self.step) <= self.step:
                self._regular += 1
        if self._first is None:
            self._first = time
        self._last, self._until = time, time + duration
        self._frames += 1

    def mark(self, fate: Fate) -> None:
        """What became of the last frame that is there."""
        frame, found = self._frames - 1, self._odd.setdefault(fate, [])
        if found and found[-1].frame + found[-1].count == frame:
            found[-1] = replace(found[-1], count=found[-1].count + 1)
        else:
            found.append(Loss(frame, Fraction(self._last or 0), 1, fate))

    def damage(self, time: int | None) -> None:
        """A packet that gives no frame."""
        self._damaged.append((self._frames, time))

    def end(self, time: int) -> None:
        """When the film should end, once its last frame has been shown."""
        missing = round((time - self._until) / self.step)
        if self._frames and missing > 0:
            self._gaps.append(_Gap(self._frames, self._until, time, explained=False))

    def miss(self, count: int) -> None:
        """Pictures of a sequence that are missing before the next one."""
        self._gaps.append(_Gap(self._frames, (self._last or 0) + self.step, 0, explained=False))
        self._gaps[-1].end = self._gaps[-1].begin + count * self.step

    def found(self, base: Fraction) -> tuple[Loss, ...]:
        """What was lost. base: seconds of a tick."""
        odd = chain.from_iterable(self._odd.values())
        losses = [replace(loss, seconds=loss.seconds * base) for loss in odd]
        unexplained = list(self._damaged)
        for gap in self._gaps:
            reach = gap.end + _THREADS * self.step
            reasons = [
                (frame, time)
                for frame, time in unexplained
                if (time is None and frame == gap.frame)
                or (time is not None and gap.begin - self.step < time < reach)
            ]
            count = max(1, round((gap.end - gap.begin) / self.step))
            taken = reasons[:count]
            unexplained = [reason for reason in unexplained if reason not in taken]
            if taken or self._told(gap):
                losses.append(
                    Loss(
                        gap.frame,
                        gap.begin * base,
                        max(count, len(taken)),
                        Fate.UNDECODABLE if taken else Fate.MISSING,
                        at_end=gap.frame >= self._frames,
                    )
                )
        for number, time in unexplained:
            # Frames before it may have come after it was found.
            behind = time is not None and self._last is not None and time > self._last
            frame = self._frames if behind else number
            begin = (self._until if frame else 0) if time is None else time
            if frame == 0 and self._first is not None and begin >= self._first:
                begin = max(0, self._first - self.step)  # told late, by a decoder of many threads
            at_end = frame >= self._frames
            losses.append(Loss(frame, begin * base, 1, Fate.UNDECODABLE, at_end=at_end))
        return tuple(sorted(losses, key=lambda loss: (loss.frame, loss.seconds)))

    def _told(self, gap: _Gap) -> bool:
        """Whether it is a gap of a film of constant rate, not one of many of a variable one."""
        few = len(self._gaps) <= max(_FEW, self._frames // _SELDOM)
        return (
            few
            and not gap.explained
            and (self._regular >= 2 * len(self._gaps) or gap.frame >= self._frames)
        )
