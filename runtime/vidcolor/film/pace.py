"""How long the model's steps take while they are made: what is left of a film's colouring."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from time import monotonic

from vidcolor.inference.session import Session
from vidcolor.motion.frame_inputs import FrameInputs
from vidcolor.planes import Plane
from vidcolor.propagate import Propagator, State, Step

SETTLED = 10.0
"""Seconds of work after which it can be told how long the rest takes."""


class Pace:
    """Counts steps. Threads may share it.

    Args:
        clock: Tells seconds.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock, self._lock = clock, Lock()
        self._begun: float | None = None
        self._done = 0

    def begin_step(self) -> None:
        """Told before the first step at least."""
        with self._lock:
            if self._begun is None:
                self._begun = self._clock()

    def end_step(self) -> None:
        """Told after each step."""
        with self._lock:
            self._done += 1

    def seconds_left(self, steps: int) -> float | None:
        """How long the rest of so many steps takes, at the pace until now.

        Args:
            steps: All that are to be made, with those that are.

        Returns:
            Seconds; None in the first `SETTLED`, and where no step was told of.
        """
        with self._lock:
            if self._begun is None or not self._done:
                return None
            spent = self._clock() - self._begun
            if spent < SETTLED:
                return None
            return max(0, steps - self._done) * spent / self._done


class PacedPropagator(Propagator):
    """Tells a pace of its steps."""

    def __init__(self, session: Session, pace: Pace) -> None:
        super().__init__(session)
        self._pace = pace

    def step(self, luma: Plane | FrameInputs, state: State) -> Step:
        """As in `Propagator`."""
        self._pace.begin_step()
        step = super().step(luma, state)
        self._pace.end_step()
        return step
