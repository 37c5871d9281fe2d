"""What stays in memory of the steps that were made, for requests to come."""

from __future__ import annotations

from collections import OrderedDict

from vidcolor.propagate import Step
from vidcolor.timeline import Checkpoints, Pass, nearest

RECENT = 32
"""Latest steps kept, if they take no more than half of the budget."""


class Kept:
    """The latest steps of one direction and checkpoints between them, about `budget` bytes.

    Checkpoints are spread over the run that is walked; those of other runs make way for them, the
    one walked longest ago first.

    least: how many of the latest there are whatever they take. Requests that are under way side
    by side overtake each other; the one that comes last must find its step, or it would start
    again from a checkpoint far behind. interval: frames between checkpoints, to begin with.
    """

    def __init__(self, budget: int, *, least: int, interval: int) -> None:
        self._budget, self._least, self._interval = budget, least, interval
        self._recent: OrderedDict[int, Step] = OrderedDict()
        self._recent_limit = self._checkpoint_limit = 0
        self._checkpoints: OrderedDict[Pass, dict[int, Step]] = OrderedDict()
        self._rules: dict[Pass, Checkpoints] = {}

    def nearest(self, frame: int, run: Pass) -> tuple[int, Step] | None:
        """The last step on the way to `frame` in `run`, with its frame."""
        checkpoints = self._checkpoints.get(run, {})
        at = nearest(frame, self._recent.keys() | checkpoints.keys(), run)
        if at is None:
            return None
        return at, self._recent.get(at) or checkpoints[at]

    def holds(self, frame: int) -> bool:
        """Whether the step of `frame` is among the latest; any thread may ask."""
        return frame in self._recent

    def add(self, frame: int, step: Step, run: Pass) -> None:
        """Keep `step` for a while, and for longer if its frame is due for a checkpoint."""
        if not self._recent_limit:  # only now is the size of a step known
            planes = step.chroma.nbytes + step.confidence.nbytes
            # Twice, because onnxruntime keeps its own of them as long as it keeps the state.
            held = self._budget // (2 * planes + step.state.nbytes)
            self._recent_limit = max(self._least, min(RECENT, held // 2))
            self._checkpoint_limit = max(1, held - self._recent_limit)
        self._recent[frame] = step
        self._recent.move_to_end(frame)
        while len(self._recent) > self._recent_limit:
            self._recent.popitem(last=False)
        self._check_in(frame, step, run)

    def _check_in(self, frame: int, step: Step, run: Pass) -> None:
        if run not in self._rules:
            self._rules[run] = Checkpoints(self._checkpoint_limit, self._interval)
            self._checkpoints[run] = {}
        self._checkpoints.move_to_end(run)
        own = self._checkpoints[run]
        own[frame] = step
        for gone in self._rules[run].offer(frame):
            del own[gone]
        limit, kept = self._checkpoint_limit, self._checkpoints
        while len(kept) > limit or sum(map(len, kept.values())) > limit:
            longest_ago, _ = kept.popitem(last=False)
            del self._rules[longest_ago]
