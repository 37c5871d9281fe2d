"""How a long task tells how far it is: a function that is called after every frame."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """A function that shows, or ignores, how far a stage of the work is."""

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """Take note of the progress.

        Args:
            stage: What is being done, such as 'scanning' or 'colouring'.
            done: Frames that are finished.
            total: Frames of this stage; None where that is not known.
        """


def no_progress(stage: str, done: int, total: int | None) -> None:
    """Ignore it."""
