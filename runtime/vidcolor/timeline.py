"""Pure integers: which key and shot a frame belongs to, and from which state to reach it.

Note on random access. The colour of a frame depends on every frame since its key, so the runtime
steps from frame to frame. Somebody who asks for frame n out of turn is served by replaying from
the nearest stored state on the way to n: one of the last few steps, or a checkpoint. Because a
state is an immutable value, the replay gives the very bytes of a straight run; what is stored
decides only how long it takes. A cold seek costs every step since the key.

Note on runs. A run is a chain of steps, forward or backward, from a key to the next key or the
shot's end. Where a shot has no key on the side a run comes from, the run begins at the shot's
edge, without a past. Runs of one direction never overlap: frame and direction name a state.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable
from typing import NamedTuple

DIRECTIONS = ("forward", "backward", "both")

FIRST_INTERVAL = 8
"""Frames between checkpoints as long as the budget holds them all."""

CHUNK = 32
"""Frames fetched at a time in a replay: asking for a whole gap at once would hold it in memory."""

FORWARD, BACKWARD = 1, -1
"""From one frame of a run to the next."""


_UNKNOWN, _NO_CUT, _CUT = 0, 1, 2


class Pass(NamedTuple):
    """A chain of steps that reaches the frames of one shot on one side of a key."""

    start: int
    """Where it comes from: the key's frame, or in a shot without one the frame just beyond it."""
    direction: int
    """`FORWARD` or `BACKWARD`."""
    keyed: bool
    """Whether `start` is a key in the same shot. If not, the run has no past there."""
    keys: tuple[int, ...]
    """Frames of the keys that it remembers; when `keyed`, `start` is the last of them."""


class Shots:
    """Where the clip is cut, as far as is known: one byte for each frame."""

    def __init__(self, length: int, scenes: Iterable[int] | None = None) -> None:
        """scenes: first frames of all shots; None when that has yet to be learned."""
        self.length = length
        self._is_given = scenes is not None
        self._marks = bytearray([_NO_CUT if self._is_given else _UNKNOWN]) * length
        for frame in scenes or ():
            self._marks[frame] = _CUT

    def learn(self, frame: int, *, starts: bool) -> None:
        """`frame` starts a shot, or not. Of no effect when `scenes` was given."""
        if not self._is_given:
            self._marks[frame] = _CUT if starts else _NO_CUT

    def unknown(self, first: int, last: int) -> range:
        """The first up to `CHUNK` frames of those from `first` to `last` yet to be learned."""
        start = self._marks.find(_UNKNOWN, first, last + 1)
        return range(start, min(start + CHUNK, last + 1)) if start >= 0 else range(0)

    def last_cut(self, first: int, last: int) -> int | None:
        """The last frame from `first` to `last` that is known to start a shot."""
        found = self._marks.rfind(_CUT, first, last + 1)
        return None if found < 0 else found

    def first_cut(self, first: int, last: int) -> int | None:
        """The first frame from `first` to `last` that is known to start a shot."""
        found = self._marks.find(_CUT, first, last + 1)
        return None if found < 0 else found


class Timeline:
    """Key frames of a clip and the direction that colour is carried in."""

    def __init__(self, keys: Collection[int], direction: str) -> None:
        """keys: at least one frame. direction: one of `DIRECTIONS`."""
        self.keys = frozenset(keys)
        self._sorted = sorted(keys)
        self._direction = direction

    @property
    def n_directions(self) -> int:
        """How many directions steps are made in, over all frames."""
        return 2 if self._direction == "both" and self.keys != {0} else 1

    def around(self, frame: int) -> tuple[int | None, int | None]:
        """The last key at or before `frame`, and the first at or after it."""
        before = bisect_right(self._sorted, frame) - 1
        after = bisect_left(self._sorted, frame)
        return (
            self._sorted[before] if before >= 0 else None,
            self._sorted[after] if after < len(self._sorted) else None,
        )

    def strides(self, frame: int) -> tuple[int, ...]:
        """The directions that `frame` can be reached in; both only between two keys."""
        if self._direction == "both":
            left, right = self.around(frame)
            sides = ((FORWARD, left), (BACKWARD, right))
            return tuple(direction for direction, key in sides if key is not None)
        return (FORWARD,) if self._direction == "forward" else (BACKWARD,)

    def unknown(self, frame: int, shots: Shots) -> range:
        """Frames of which `shots` must learn before `runs` can tell about `frame`; then empty."""
        left, right = self.around(frame)
        for direction in self.strides(frame):
            # Beyond a cut that is known, nothing is of interest.
            if direction == FORWARD:
                first, last = 1 + (left or 0), frame
                first = shots.last_cut(first, last) or first
            else:
                first, last = frame + 1, shots.length - 1 if right is None else right
                cut = shots.first_cut(first, last)
                last = last if cut is None else cut - 1
            if missing := shots.unknown(first, last):
                return missing
        return range(0)

    def runs(self, frame: int, shots: Shots) -> tuple[Pass, ...]:
        """How to reach `frame`, which is no key: by one run, or by a forward and a backward one.

        Between two keys of its shot (direction 'both') by two. With a key on one side only, from
        that side. In a shot without a key by one run without a past, that remembers the nearest
        keys of other shots: from the shot's first frame, or in direction 'backward' and before
        the clip's first key from its last frame.
        """
        left, right = self.around(frame)
        reached = [self._origin(frame, direction, shots) for direction in self.strides(frame)]
        keyed = [run for run in reached if run.keyed]
        if not keyed:
            near = tuple(key for key in (left, right) if key is not None)
            return (reached[0]._replace(keys=near),)
        if len(keyed) == 1:
            return (keyed[0],)
        forward, backward = keyed
        pair = (forward.start, backward.start)
        return forward._replace(keys=pair[::-1]), backward._replace(keys=pair)

    def _origin(self, frame: int, direction: int, shots: Shots) -> Pass:
        """The run that reaches `frame` in one direction, as if there were no other."""
        left, right = self.around(frame)
        if direction == FORWARD:
            key, cut = left, shots.last_cut(1 + (left or 0), frame)
            edge = -1 if cut is None else cut - 1
        else:
            key = right
            cut = shots.first_cut(frame + 1, shots.length - 1 if right is None else right)
            edge = shots.length if cut is None else cut
        if key is not None and cut is None:
            return Pass(start=key, direction=direction, keyed=True, keys=(key,))
        return Pass(start=edge, direction=direction, keyed=False, keys=())


def nearest(frame: int, stored: Iterable[int], run: Pass) -> int | None:
    """The one of `stored` on the way from the run's start to `frame` that is nearest to it."""
    on_the_way = (n for n in stored if 0 <= (frame - n) * run.direction < abs(frame - run.start))
    return min(on_the_way, key=lambda n: abs(frame - n), default=None)


def next_chunk(at: int, frame: int, *, size: int = CHUNK) -> range:
    """The first `size` frames to fetch in order to step from `at`'s state up to before `frame`.

    `frame` itself is not among them: whoever asks for it has it.
    """
    if frame < at:
        return range(at - 1, max(at - 1 - size, frame), -1)
    return range(at + 1, min(at + 1 + size, frame))


class Checkpoints:
    """Which frames' states to keep for later replays: every `interval`-th, at most `limit`.

    When they become too many, every second one goes and the interval doubles, so that they stay
    spread over the whole clip however long it is; a replay costs less than `interval` steps.
    """

    def __init__(self, limit: int, interval: int = FIRST_INTERVAL) -> None:
        if limit < 1:
            raise ValueError(f"limit must be at least 1, got {limit}")
        self.limit = limit
        self.interval = interval
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
