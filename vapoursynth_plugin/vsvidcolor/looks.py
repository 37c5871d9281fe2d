"""What was seen of frames ahead of their steps, by other threads than the one that steps."""

from __future__ import annotations

import threading
from collections import OrderedDict

from vidcolor.motion.frame_inputs import FrameInputs
from vidcolor.timeline import Pass

BUDGET = 256 * 2**20
"""Bytes of what was seen and not yet used by one filter."""


class Looks:
    """Looks at frames, each for one step; any thread may be inside.

    A look whose step never came makes way, the longest ago first.
    """

    def __init__(self, budget: int = BUDGET) -> None:
        self._budget, self._held = budget, 0
        self._seen: OrderedDict[tuple[int, Pass], FrameInputs] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, frame: int, run: Pass, seen: FrameInputs) -> None:
        """Keep what was seen of `frame` for its step in `run`."""
        with self._lock:
            before = self._seen.pop((frame, run), None)
            self._held += seen.nbytes - (0 if before is None else before.nbytes)
            self._seen[frame, run] = seen
            while self._held > self._budget:
                _, gone = self._seen.popitem(last=False)
                self._held -= gone.nbytes

    def get(self, frame: int, run: Pass) -> FrameInputs | None:
        """What was seen of `frame` for its step in `run`, if anybody looked."""
        return self._seen.get((frame, run))

    def drop(self, frame: int, run: Pass) -> None:
        """The step of `frame` in `run` is made."""
        with self._lock:
            seen = self._seen.pop((frame, run), None)
            self._held -= 0 if seen is None else seen.nbytes
