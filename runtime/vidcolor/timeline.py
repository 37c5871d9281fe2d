"""Pure integers: from which stored state to reach a frame, which frames to fetch, what to keep.

Note on random access. The colour of a frame depends on every frame since its key, so the runtime
steps from frame to frame. Somebody who asks for frame n out of turn is served by replaying from
the nearest stored state at or before n: one of the last few steps, or a checkpoint. Because a
state is an immutable value, the replay gives the very bytes of a straight run; what is stored
decides only how long it takes. A cold seek costs every step since the key.
"""

from __future__ import annotations

from collections.abc import Iterable

FIRST_INTERVAL = 8
"""Frames between checkpoints as long as the budget holds them all."""

CHUNK = 32
"""Frames fetched at a time in a replay: asking for a whole gap at once would hold it in memory."""


def nearest(frame: int, stored: Iterable[int]) -> int | None:
    """The last of `stored` at or before `frame`; None when there is none."""
    return max((n for n in stored if n <= frame), default=None)


def next_chunk(start: int, frame: int, *, size: int = CHUNK) -> range:
    """The first `size` frames to fetch in order to step from `start`'s state up to before `frame`.

    `frame` itself is not among them: whoever asks for it has it.
    """
    return range(start + 1, min(start + 1 + size, frame))


class Checkpoints:
    """Which frames' states to keep for later replays: every `interval`-th, at most `limit`.

    When they become too many, every second one goes and the interval doubles, so that they stay
    spread over the whole clip however long it is; a replay costs less than `interval` steps.
    """

    def __init__(self, limit: int) -> None:
        if limit < 1:
            raise ValueError(f"limit must be at least 1, got {limit}")
        self.limit = limit
        self.interval = FIRST_INTERVAL
        self._frames: set[int] = set()

    @property
    def frames(self) -> frozenset[int]:
        """The frames kept now."""
        return frozenset(self._frames)

    def offer(self, frame: int) -> frozenset[int]:
        """Keep `frame` if it is due; return the frames to let go, which may hold `frame`."""
        if frame % self.interval:
            return frozenset({frame}) - self._frames
        self._frames.add(frame)
        before = self.frames
        while len(self._frames) > self.limit:
            self.interval *= 2
            self._frames = {n for n in self._frames if n % self.interval == 0}
        return before - self._frames
