"""What stays in memory of the steps that were made, for requests to come."""

from __future__ import annotations

from collections import OrderedDict

from vidcolor.propagate import Step
from vidcolor.timeline import Checkpoints, Run, nearest

RECENT = 32
"""Latest steps kept, if they take no more than half of the budget."""


class Kept:
    """The latest steps of one direction and checkpoints between them, about `budget` bytes.

    least: how many of the latest there are whatever they take. Requests that are under way side
    by side overtake each other; the one that comes last must find its step, or it would start
    again from a checkpoint far behind. interval: frames between checkpoints, to begin with.
    """

    def __init__(self, budget: int, *, least: int, interval: int) -> None:
        self._budget, self._least, self._interval = budget, least, interval
        self._recent: OrderedDict[int, Step] = OrderedDict()
        self._recent_limit = least
        self._checkpoints: dict[int, Step] = {}
        self._rule: Checkpoints | None = None

    def nearest(self, frame: int, run: Run) -> tuple[int, Step] | None:
        """The last step on the way to `frame` in `run`, with its frame."""
        at = nearest(frame, self._recent.keys() | self._checkpoints.keys(), run)
        if at is None:
            return None
        return at, self._recent.get(at) or self._checkpoints[at]

    def add(self, frame: int, step: Step) -> None:
        """Keep `step` for a while, and for longer if its frame is due for a checkpoint."""
        if self._rule is None:  # only now is the size of a step known
            planes = step.chroma.nbytes + step.confidence.nbytes
            # Twice, because onnxruntime keeps its own of them as long as it keeps the state.
            held = self._budget // (2 * planes + step.state.nbytes)
            self._recent_limit = max(self._least, min(RECENT, held // 2))
            self._rule = Checkpoints(max(1, held - self._recent_limit), self._interval)
        self._recent[frame] = step
        self._recent.move_to_end(frame)
        while len(self._recent) > self._recent_limit:
            self._recent.popitem(last=False)
        self._checkpoints[frame] = step
        for gone in self._rule.offer(frame):
            del self._checkpoints[gone]
