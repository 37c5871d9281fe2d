"""Progress on a terminal as bars, by tqdm; elsewhere as a line a minute, for logs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, NoReturn, Self

from tqdm import tqdm

from vidcolor.commands.times import format_duration
from vidcolor.interruption import check

_BAR = "{desc}: {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} [{elapsed}{postfix}]"
"""A bar without a guess of its own of the time left."""

EVERY = 60.0
"""Seconds between two lines where there is no terminal."""


if TYPE_CHECKING:
    _Tqdm = tqdm[NoReturn]
else:
    _Tqdm = tqdm  # which is generic for type checkers alone


class Bar(_Tqdm):
    """A single stage that is told of each frame by `update`: a bar, or a line a minute.

    Args:
        stage: What is being done.
        total: Its frames; None where that is not known.
        quiet: Show nothing.
        leave: Whether a bar stays on the screen at the end.
    """

    def __init__(self, stage: str, total: int | None, *, quiet: bool, leave: bool = True) -> None:
        hidden = quiet or not _is_terminal()
        super().__init__(desc=stage, total=total, unit="frame", leave=leave, disable=hidden)
        self._lines = ProgressBars(quiet=quiet) if hidden else None
        self._stage, self._done, self._total = stage, 0, total

    def update(self, n: float | None = 1) -> bool | None:
        """Take note of `n` frames more."""
        if self._lines is None:
            return super().update(n)
        self._done += int(n or 0)
        self._lines(self._stage, self._done, self._total)
        return None


def _is_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


class ProgressBars:
    """A `vidcolor.film.progress.Progress` that shows how far each stage is, one after the other.

    Args:
        quiet: Show nothing. Otherwise there are bars where standard error is a terminal, and a line
            every `EVERY` seconds where it is not.
        leave: Whether a bar stays on the screen when its stage is over.
        clock: Tells seconds.
    """

    def __init__(
        self, *, quiet: bool, leave: bool = True, clock: Callable[[], float] = monotonic
    ) -> None:
        terminal = _is_terminal()
        self._bars, self._lines = not quiet and terminal, not quiet and not terminal
        self._leave, self._clock = leave, clock
        self._stage = ""
        self._begun, self._told, self._first = 0.0, 0.0, 0
        self._bar: tqdm[NoReturn] | None = None
        self.seconds_left: Callable[[], float | None] = lambda: None
        """A better guess of the time left than by the frames until now, if there is one."""

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """As in `Progress`; a signal ends the work here, if nowhere else."""
        check()
        if stage != self._stage:
            self.close()
            self._stage, self._begun, self._first = stage, self._clock(), done - 1
            self._told = self._begun
            if self._bars:
                self._bar = tqdm(desc=stage, total=total, unit="frame", leave=self._leave)
        if self._bar is not None:
            self._bar.update(done - self._bar.n)
            self._show_left(self._bar)
        elif self._lines and self._clock() - self._told >= EVERY:
            self._told = self._clock()
            print(f"vidcolor: {self._line(done, total)}", file=sys.stderr, flush=True)

    def _show_left(self, bar: tqdm[NoReturn]) -> None:
        """A bar knows frames alone, some of which take no time, and some twice that of others."""
        if (seconds := self.seconds_left()) is not None:
            bar.bar_format = _BAR
            bar.set_postfix_str(f"about {format_duration(seconds)} left", refresh=False)

    def _line(self, done: int, total: int | None) -> str:
        speed = (done - self._first) / (self._told - self._begun)
        if total is None or total < done:
            return f"{self._stage}: {done} frames, {speed:.1f} a second"
        seconds = self.seconds_left()
        left = format_duration((total - done) / speed if seconds is None else seconds)
        return (
            f"{self._stage}: {done} of {total} frames ({done / total:.0%}), {speed:.1f} a second, "
            f"about {left} left"
        )

    def close(self) -> None:
        """End the bar that is shown."""
        self._stage = ""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
