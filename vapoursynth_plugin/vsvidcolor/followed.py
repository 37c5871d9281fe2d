"""Tracks of keys continued ahead of the steps, as far as the frames between are prepared.

A frame's tracks go on from those of the frame before. Frames are prepared in any order and by many
threads, so whoever has prepared one continues what it can: its own tracks, and those of frames that
were waiting for them. A step whose inputs have no tracks yet follows the keys itself; the colours
are the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Lock

from vidcolor.motion.track import Tracks
from vidcolor.timeline import Pass
from vsvidcolor.cache import InputCache

Found = tuple[Tracks | None] | None
"""A frame's tracks, which may be none; None if they are not known."""


class TrackFollower:
    """Continues tracks. Any number of threads may call `follow`.

    Args:
        inputs: The frames that are prepared.
    """

    def __init__(self, inputs: InputCache) -> None:
        self._inputs = inputs
        self._waiting: dict[Pass, deque[int]] = {}
        """Frames to begin at, of the passes that a thread is at work on."""
        self._lock = Lock()

    def follow(self, frame: int, pass_: Pass, known: Callable[[int, Pass], Found]) -> None:
        """Continue tracks from a frame on, whose inputs have just been put into the cache.

        Where another thread is at work on the pass, it will, and this returns at once.

        Args:
            frame: The frame.
            pass_: The pass that the inputs are for.
            known: The tracks of a frame of a pass that is stepped already, or that the pass starts
                at. It is not kept: whoever owns both would then never be freed in time.
        """
        with self._lock:
            if pass_ in self._waiting:
                self._waiting[pass_].append(frame)
                return
            self._waiting[pass_] = deque([frame])
        try:
            while (at := self._next(pass_)) is not None:
                self._continue(at, pass_, known)
        except BaseException:
            with self._lock:
                del self._waiting[pass_]
            raise

    def _next(self, pass_: Pass) -> int | None:
        """The next frame to begin at; without one, the pass is given up in the same moment."""
        with self._lock:
            if self._waiting[pass_]:
                return self._waiting[pass_].popleft()
            del self._waiting[pass_]
            return None

    def _continue(self, frame: int, pass_: Pass, known: Callable[[int, Pass], Found]) -> None:
        before = self._find(frame - pass_.direction, pass_, known)
        while before is not None and (inputs := self._inputs.get(frame, pass_)) is not None:
            followed = inputs.with_tracks(*before)
            self._inputs.replace(frame, pass_, inputs, followed)
            before = (followed.tracks,)
            frame += pass_.direction

    def _find(self, frame: int, pass_: Pass, known: Callable[[int, Pass], Found]) -> Found:
        inputs = self._inputs.get(frame, pass_)
        if inputs is not None and inputs.tracks is not None:
            return (inputs.tracks,)
        return known(frame, pass_)
