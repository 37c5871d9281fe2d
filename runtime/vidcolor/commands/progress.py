"""Progress bars on a terminal, by tqdm."""

from __future__ import annotations

from types import TracebackType
from typing import NoReturn, Self

from tqdm import tqdm

from vidcolor.interruption import check


class ProgressBars:
    """A `vidcolor.film.progress.Progress` that shows a bar for each stage, one after the other.

    Args:
        quiet: Show nothing. Otherwise bars are shown where standard error is a terminal.
        leave: Whether a bar stays on the screen when its stage is over.
    """

    def __init__(self, *, quiet: bool, leave: bool = True) -> None:
        self._hidden = True if quiet else None  # tqdm's None: hidden where there is no terminal
        self._leave = leave
        self._stage = ""
        self._bar: tqdm[NoReturn] | None = None

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """As in `Progress`; a signal ends the work here, if nowhere else."""
        check()
        if self._bar is None or stage != self._stage:
            self.close()
            self._stage = stage
            self._bar = tqdm(
                desc=stage, total=total, unit="frame", disable=self._hidden, leave=self._leave
            )
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        """End the bar that is shown."""
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
