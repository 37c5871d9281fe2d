"""How far a run has come, and how long it will take."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass
class Progress:
    """By its steps or its minutes, whichever is further."""

    steps: int | None
    minutes: float | None
    seconds_before: float = 0.0
    """Spent before this process began, when a run is resumed."""
    started: float = field(default_factory=time.monotonic)
    """When this process began, by `time.monotonic`."""
    reserve: float = 0.0
    """Seconds to keep for what follows the last step: validation and a checkpoint."""

    @property
    def seconds(self) -> float:
        """Spent in all, resumed runs counted together."""
        return self.seconds_before + time.monotonic() - self.started

    def share(self, step: int) -> float:
        """Return 0 at the start, 1 or more when the run is to end after `step` updates."""
        by_steps = step / self.steps if self.steps else 0.0
        if not self.minutes:
            return by_steps
        return max(by_steps, (self.seconds + self.reserve) / 60 / self.minutes)

    def seconds_left(self, step: int, *, seconds_per_step: float) -> float:
        """Return how long the run will take from here, as far as can be told.

        Args:
            step: Updates done.
            seconds_per_step: What each of the last ones took.
        """
        left = []
        if self.steps:
            left.append((self.steps - step) * seconds_per_step + self.reserve)
        if self.minutes:
            left.append(60 * self.minutes - self.seconds)
        return max(0.0, min(left, default=0.0))
