"""Any frame, in any order: `Replay` steps to it from the nearest step that is kept.

See the Note on random access in `vidcolor.timeline`. One `Replay` serves one clip; VapourSynth's
filter mode (parallel requests) sees to it that only one thread at a time is inside.
"""

from __future__ import annotations

import atexit
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping

import numpy as np

from vidcolor.errors import VidcolorError
from vidcolor.planes import Key, Plane
from vidcolor.propagate import Propagator, Step
from vidcolor.timeline import Checkpoints, nearest, next_chunk
from vsvidcolor.memory import trim_after

BUDGET = 512 * 2**20
"""Bytes of steps kept by one filter for later requests."""

RECENT = 32
"""Latest steps kept, if they take no more than half of the budget."""

_exiting = threading.Event()
atexit.register(_exiting.set)


class Replay:
    """The steps of one clip from its key at frame 0, whatever order frames are asked for in.

    Each request has its own cursor, known by a token, so that two far seeks that take turns both
    arrive; but a request starts from what another left behind when that is nearer.
    """

    def __init__(self, propagator: Propagator, *, requests: int = 1, budget: int = BUDGET) -> None:
        """requests: how many are under way at a time. budget: bytes of steps to keep."""
        self._propagator = propagator
        self._kept = Kept(budget, least=requests + 1)
        self._cursors: dict[int, tuple[int, Step]] = {}

    def advance(
        self, frame: int, token: int, *, key: Callable[[], Key], lumas: Mapping[int, Plane]
    ) -> Step | range:
        """Bring the request `token` for `frame` on its way.

        key: gives the key frame at working size. lumas: [h, w] float32 in [0, 1] by frame, at
        least that of `frame`.
        Returns the step of `frame`, or the frames whose lumas are needed next.
        Raises VidcolorError with the frame a step failed at; the request is then forgotten.
        """
        try:
            at, step = self._start(frame, token, key)
            while at < frame and at + 1 in lumas:
                at, step = at + 1, self._step(at + 1, lumas[at + 1], step)
        except BaseException:
            self.drop(token)
            raise
        if at < frame:
            self._cursors[token] = (at, step)
            return next_chunk(at, frame)
        self.drop(token)
        return step

    def drop(self, token: int) -> None:
        """Forget a request."""
        self._cursors.pop(token, None)

    def _start(self, frame: int, token: int, key: Callable[[], Key]) -> tuple[int, Step]:
        """The nearest step at or before `frame`: a kept one or the request's own."""
        found = self._kept.nearest(frame)
        if found is None:
            first = key()
            state = self._propagator.begin(first)
            found = 0, Step(first.chroma, np.ones_like(first.luma), state)
            self._kept.add(*found)
        cursor = self._cursors.get(token)
        return found if cursor is None or cursor[0] < found[0] else cursor

    def _step(self, frame: int, luma: Plane, before: Step) -> Step:
        if _exiting.is_set():
            raise VidcolorError(f"frame {frame} is not coloured, because Python exits")
        try:
            step = self._propagator.step(luma, before.state)
        except Exception as error:
            cause = "" if isinstance(error, VidcolorError) else f"{type(error).__name__}: "
            raise VidcolorError(f"frame {frame}: {cause}{error}") from error
        self._kept.add(frame, step)
        trim_after(frame)
        return step


class Kept:
    """The latest steps and checkpoints between them, together about `budget` bytes.

    least: how many of the latest there are whatever they take. Requests that are under way side
    by side overtake each other; the one that comes last must find its step, or it would start
    again from a checkpoint far behind.
    """

    def __init__(self, budget: int, *, least: int) -> None:
        self._budget, self._least = budget, least
        self._recent: OrderedDict[int, Step] = OrderedDict()
        self._recent_limit = least
        self._checkpoints: dict[int, Step] = {}
        self._rule: Checkpoints | None = None

    def nearest(self, frame: int) -> tuple[int, Step] | None:
        """The last step at or before `frame`, with its frame."""
        at = nearest(frame, self._recent.keys() | self._checkpoints.keys())
        if at is None:
            return None
        return at, self._recent.get(at) or self._checkpoints[at]

    def add(self, frame: int, step: Step) -> None:
        """Keep `step` for a while, and for longer if its frame is due for a checkpoint."""
        if self._rule is None:  # only now is the size of a step known
            held = self._budget // (step.chroma.nbytes + step.confidence.nbytes + step.state.nbytes)
            self._recent_limit = max(self._least, min(RECENT, held // 2))
            self._rule = Checkpoints(max(1, held - self._recent_limit))
        self._recent[frame] = step
        self._recent.move_to_end(frame)
        while len(self._recent) > self._recent_limit:
            self._recent.popitem(last=False)
        self._checkpoints[frame] = step
        for gone in self._rule.offer(frame):
            del self._checkpoints[gone]
