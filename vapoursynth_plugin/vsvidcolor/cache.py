"""What stays in memory between requests: finished steps, and inputs of steps still to come."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from vidcolor.motion.frame_inputs import FrameInputs
from vidcolor.propagate import Step
from vidcolor.timeline import Checkpoints, Pass, nearest

RECENT = 32
"""Latest steps that are kept, if they take no more than half of the budget."""

INPUT_BUDGET = 256 * 2**20
"""Bytes of inputs that one filter keeps for steps still to come."""


class StepCache:
    """The latest steps of one direction and checkpoints between them.

    Checkpoints are spread over the pass that is stepped along. Those of other passes make room for
    them, the least recently used pass first. One thread at a time may call `add` and `nearest`.

    Args:
        budget: Bytes to use, about.
        least: How many of the latest steps are kept whatever they take. Requests that are under
            way at the same time overtake each other; the last one must find its step, or it would
            start again from a checkpoint far behind.
        interval: Frames between checkpoints, to begin with.
    """

    def __init__(self, budget: int, *, least: int, interval: int) -> None:
        self._budget = budget
        self._least = least
        self._interval = interval
        self._recent: OrderedDict[int, Step] = OrderedDict()
        self._recent_limit = 0
        self._checkpoint_limit = 0
        self._checkpoints: OrderedDict[Pass, dict[int, Step]] = OrderedDict()
        self._rules: dict[Pass, Checkpoints] = {}

    def nearest(self, frame: int, pass_: Pass) -> tuple[int, Step] | None:
        """Find the last kept step on the way to `frame`.

        Args:
            frame: A frame of the pass.
            pass_: The pass.

        Returns:
            The step's frame and the step; None when no step on the way is kept.
        """
        checkpoints = self._checkpoints.get(pass_, {})
        at = nearest(frame, self._recent.keys() | checkpoints.keys(), pass_)
        if at is None:
            return None
        return at, self._recent.get(at) or checkpoints[at]

    def recent(self, frame: int) -> Step | None:
        """The step of `frame` if it is among the latest; any thread may ask."""
        return self._recent.get(frame)

    def add(self, frame: int, step: Step, pass_: Pass) -> None:
        """Keep a step for a while, and for longer if its frame is due for a checkpoint.

        Args:
            frame: The step's frame.
            step: The step.
            pass_: The pass that it belongs to.
        """
        if not self._recent_limit:  # the size of a step is known only now
            planes = step.chroma.nbytes + step.confidence.nbytes
            # Twice: onnxruntime keeps its own copy of the planes as long as it keeps the state.
            count = self._budget // (2 * planes + step.state.nbytes)
            self._recent_limit = max(self._least, min(RECENT, count // 2))
            self._checkpoint_limit = max(1, count - self._recent_limit)
        self._recent[frame] = step
        self._recent.move_to_end(frame)
        while len(self._recent) > self._recent_limit:
            self._recent.popitem(last=False)
        self._add_checkpoint(frame, step, pass_)

    def _add_checkpoint(self, frame: int, step: Step, pass_: Pass) -> None:
        if pass_ not in self._rules:
            self._rules[pass_] = Checkpoints(self._checkpoint_limit, self._interval)
            self._checkpoints[pass_] = {}
        self._checkpoints.move_to_end(pass_)
        own = self._checkpoints[pass_]
        own[frame] = step
        for dropped in self._rules[pass_].offer(frame):
            del own[dropped]
        limit, kept = self._checkpoint_limit, self._checkpoints
        while len(kept) > limit or sum(map(len, kept.values())) > limit:
            least_recent, _ = kept.popitem(last=False)
            del self._rules[least_recent]


class InputCache:
    """Inputs of steps that were computed ahead, each for one step. Any thread may use it.

    Inputs whose step never came make room for others, the oldest first.

    Args:
        budget: Bytes to use.
    """

    def __init__(self, budget: int = INPUT_BUDGET) -> None:
        self._budget = budget
        self._used = 0
        self._inputs: OrderedDict[tuple[int, Pass], FrameInputs] = OrderedDict()
        self._lock = Lock()

    def put(self, frame: int, pass_: Pass, inputs: FrameInputs) -> None:
        """Keep the inputs of the step of `frame` in `pass_`."""
        with self._lock:
            replaced = self._inputs.pop((frame, pass_), None)
            self._used += inputs.nbytes - (0 if replaced is None else replaced.nbytes)
            self._inputs[frame, pass_] = inputs
            while self._used > self._budget:
                _, dropped = self._inputs.popitem(last=False)
                self._used -= dropped.nbytes

    def replace(self, frame: int, pass_: Pass, old: FrameInputs, new: FrameInputs) -> None:
        """Keep other inputs in place of these, if these are still kept."""
        if new is old:
            return
        with self._lock:
            if self._inputs.get((frame, pass_)) is old:
                self._used += new.nbytes - old.nbytes
                self._inputs[frame, pass_] = new

    def get(self, frame: int, pass_: Pass) -> FrameInputs | None:
        """The inputs of the step of `frame` in `pass_`, if they are kept."""
        return self._inputs.get((frame, pass_))

    def drop(self, frame: int, pass_: Pass) -> None:
        """Forget the inputs of a step that is made."""
        with self._lock:
            dropped = self._inputs.pop((frame, pass_), None)
            self._used -= 0 if dropped is None else dropped.nbytes
