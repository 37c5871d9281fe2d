"""Frame numbers only: which keys and shot a frame belongs to, and which steps lead to it.

Note on passes. A pass is a chain of steps, forward or backward, from a key to the next key or to
the end of the shot. Where a shot has no key on that side, the pass starts at the shot's edge
without a past. Passes of one direction never overlap, so a frame and a direction name one state.

Note on random access. The colour of a frame depends on every frame since its key, so the runtime
steps from frame to frame. A frame that is asked for out of order is reached by a replay from the
nearest stored state on its pass: one of the last few steps, or a checkpoint. A state is an
immutable value, so a replay gives the same bytes as the plain loop. What is stored decides only
how long it takes. Without anything stored, it takes every step since the key.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable
from typing import NamedTuple

DIRECTIONS = ("forward", "backward", "both")

FIRST_INTERVAL = 8
"""Frames between checkpoints as long as the budget holds them all."""

CHUNK = 32
"""Frames to fetch at a time. All frames of a long replay at once would fill the memory."""

FORWARD, BACKWARD = 1, -1
"""What to add to a frame's number for the next frame of a pass."""

_UNKNOWN, _NO_CUT, _CUT = 0, 1, 2


class Pass(NamedTuple):
    """A chain of steps over the frames of one shot on one side of a key; see the Note on passes."""

    start: int
    """The key's frame. In a shot without a key, the frame just outside the shot."""
    direction: int
    """`FORWARD` or `BACKWARD`."""
    has_key_in_shot: bool
    """Whether `start` is a key of the same shot. If not, the pass starts without a past."""
    keys: tuple[int, ...]
    """Frames of the remembered keys. If `has_key_in_shot`, `start` is the last of them."""


class Shots:
    """Where the shots of a clip start, as far as is known: one byte for each frame."""

    def __init__(self, length: int, shot_starts: Iterable[int] | None = None) -> None:
        """Make the shots of a clip.

        Args:
            length: Frames in the clip.
            shot_starts: First frames of all shots. None if `learn` will be told of them.
        """
        self.length = length
        self._is_given = shot_starts is not None
        self._marks = bytearray([_NO_CUT if self._is_given else _UNKNOWN]) * length
        for frame in shot_starts or ():
            self._marks[frame] = _CUT

    def learn(self, frame: int, *, starts: bool) -> None:
        """Note whether `frame` starts a shot. No effect if `shot_starts` was given."""
        if not self._is_given:
            self._marks[frame] = _CUT if starts else _NO_CUT

    def unknown(self, first: int, last: int) -> range:
        """Frames from `first` to `last` that `learn` has yet to be told of: the first `CHUNK`."""
        start = self._marks.find(_UNKNOWN, first, last + 1)
        return range(start, min(start + CHUNK, last + 1)) if start >= 0 else range(0)

    def last_cut(self, first: int, last: int) -> int | None:
        """The last frame from `first` to `last` that is known to start a shot, if any."""
        found = self._marks.rfind(_CUT, first, last + 1)
        return None if found < 0 else found

    def first_cut(self, first: int, last: int) -> int | None:
        """The first frame from `first` to `last` that is known to start a shot, if any."""
        found = self._marks.find(_CUT, first, last + 1)
        return None if found < 0 else found


class Timeline:
    """The key frames of a clip, and the direction that colour is carried in."""

    def __init__(self, keys: Collection[int], direction: str) -> None:
        """Make a timeline.

        Args:
            keys: Frames of the keys; without any, every shot's pass starts at its first frame, or
                in direction 'backward' at its last.
            direction: One of `DIRECTIONS`.
        """
        self.keys = frozenset(keys)
        self._sorted_keys = sorted(keys)
        self._direction = direction

    @property
    def n_directions(self) -> int:
        """In how many directions steps are made anywhere in the clip: 1 or 2."""
        return 2 if self._direction == "both" and self.keys - {0} else 1

    def around(self, frame: int) -> tuple[int | None, int | None]:
        """The last key at or before `frame`, and the first key at or after it."""
        before = bisect_right(self._sorted_keys, frame) - 1
        after = bisect_left(self._sorted_keys, frame)
        return (
            self._sorted_keys[before] if before >= 0 else None,
            self._sorted_keys[after] if after < len(self._sorted_keys) else None,
        )

    def directions(self, frame: int) -> tuple[int, ...]:
        """The directions that `frame` may be reached in; both only if it lies between two keys."""
        if self._direction == "both" and self.keys:
            before, after = self.around(frame)
            sides = ((FORWARD, before), (BACKWARD, after))
            return tuple(direction for direction, key in sides if key is not None)
        return (BACKWARD,) if self._direction == "backward" else (FORWARD,)

    def unknown(self, frame: int, shots: Shots) -> range:
        """Frames that `shots` must learn of before `passes` can answer for `frame`.

        Call it again when they are learned. It is empty when nothing is missing.
        """
        before, after = self.around(frame)
        for direction in self.directions(frame):
            # Frames beyond a known cut do not matter.
            if direction == FORWARD:
                first, last = 1 + (before or 0), frame
                first = shots.last_cut(first, last) or first
            else:
                first, last = frame + 1, shots.length - 1 if after is None else after
                cut = shots.first_cut(first, last)
                last = last if cut is None else cut - 1
            if missing := shots.unknown(first, last):
                return missing
        return range(0)

    def passes(self, frame: int, shots: Shots) -> tuple[Pass, ...]:
        """The passes that reach a frame.

        Between two keys of its shot (direction 'both') there are two. With a key on one side
        only, there is one from that side. A shot without a key gets one pass that starts with an
        empty state and remembers the nearest keys of other shots. It starts at the shot's first
        frame, or at its last frame in direction 'backward' and before the clip's first key.

        Args:
            frame: A frame that is no key.
            shots: Where shots start.

        Returns:
            One pass, or the forward one and then the backward one.
        """
        before, after = self.around(frame)
        reached = [self._reach(frame, direction, shots) for direction in self.directions(frame)]
        from_keys = [pass_ for pass_ in reached if pass_.has_key_in_shot]
        if not from_keys:
            nearest_keys = tuple(key for key in (before, after) if key is not None)
            return (reached[0]._replace(keys=nearest_keys),)
        if len(from_keys) == 1:
            return (from_keys[0],)
        forward, backward = from_keys
        both_keys = (forward.start, backward.start)
        return forward._replace(keys=both_keys[::-1]), backward._replace(keys=both_keys)

    def _reach(self, frame: int, direction: int, shots: Shots) -> Pass:
        """The pass that reaches `frame` in one direction, as if there were no other direction."""
        before, after = self.around(frame)
        if direction == FORWARD:
            key, cut = before, shots.last_cut(1 + (before or 0), frame)
            edge = -1 if cut is None else cut - 1
        else:
            key = after
            cut = shots.first_cut(frame + 1, shots.length - 1 if after is None else after)
            edge = shots.length if cut is None else cut
        if key is not None and cut is None:
            return Pass(start=key, direction=direction, has_key_in_shot=True, keys=(key,))
        return Pass(start=edge, direction=direction, has_key_in_shot=False, keys=())


def nearest(frame: int, stored: Iterable[int], pass_: Pass) -> int | None:
    """The stored frame from which the fewest steps along a pass lead to `frame`.

    Args:
        frame: A frame of the pass.
        stored: Frames whose states are stored.
        pass_: The pass that reaches `frame`.

    Returns:
        One of `stored` that lies after the pass's start and not beyond `frame`, or None.
    """
    way = abs(frame - pass_.start)
    on_the_way = (n for n in stored if 0 <= (frame - n) * pass_.direction < way)
    return min(on_the_way, key=lambda n: abs(frame - n), default=None)


def next_chunk(at: int, frame: int) -> range:
    """The frames to fetch next for a replay from the state of frame `at` to `frame`.

    Returns:
        The first `CHUNK` frames after `at`, in the order of the replay, without `frame` itself:
        the request for a frame brings that frame along.
    """
    if frame < at:
        return range(at - 1, max(at - 1 - CHUNK, frame), -1)
    return range(at + 1, min(at + 1 + CHUNK, frame))


class Checkpoints:
    """Which frames' states to keep for later replays: every `interval`-th, at most `limit`.

    When there are too many, every second one is dropped and the interval doubles. So they stay
    spread over the whole clip, however long it is, and a replay takes fewer steps than `interval`.
    """

    def __init__(self, limit: int, interval: int = FIRST_INTERVAL) -> None:
        """Keep nothing yet.

        Args:
            limit: Most frames to keep, at least 1.
            interval: Frames between two kept ones, at first.

        Raises:
            ValueError: `limit` is less than 1.
        """
        if limit < 1:
            raise ValueError(f"limit must be at least 1, got {limit}")
        self.limit = limit
        self.interval = interval
        self._frames: set[int] = set()

    @property
    def frames(self) -> frozenset[int]:
        """The frames that are kept now."""
        return frozenset(self._frames)

    def offer(self, frame: int) -> frozenset[int]:
        """Keep `frame` if it is due.

        Returns:
            The frames whose states are no longer kept; `frame` is among them if it is not due.
        """
        if frame % self.interval:
            return frozenset({frame}) - self._frames
        self._frames.add(frame)
        before = self.frames
        while len(self._frames) > self.limit:
            self.interval *= 2
            self._frames = {n for n in self._frames if n % self.interval == 0}
        return before - self._frames
