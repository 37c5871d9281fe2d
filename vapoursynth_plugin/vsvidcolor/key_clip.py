"""Which frames are keys, and their planes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from threading import Lock

from vidcolor.errors import ArgumentError, KeyFrameError
from vidcolor.planes import Key
from vidcolor.timeline import CHUNK, Timeline
from vsvidcolor.request import Luma, Need, Painted, Request

FRAME_PROP = "VidcolorFrame"
"""On a frame of the key clip: the number of the frame of the clip that it colours."""

LOADED = 4
"""Keys that are kept at working size: to spread one that is painted in parts takes a second."""


class Keys:
    """The frames of a key clip, and the frames of the clip that they colour.

    Where `frames` does not say so, the key clip's properties do. They can only be read once
    frames are asked for, so that is when it is done, and only as far as must be: a key clip of one
    frame colours frame 0 unless it carries `FRAME_PROP`; of a longer one all frames are read if
    its frame 0 carries it or if it is as long as the clip, else its frame 0 colours frame 0.
    """

    def __init__(
        self, frames: Sequence[int] | None, *, count: int, length: int, direction: str
    ) -> None:
        """count, length: frames of the key clip and of the clip."""
        self._count, self._length, self._direction = count, length, direction
        self._carried: dict[int, int | None] = {}
        self._places: dict[int, int] = {}
        self._timeline: Timeline | None = None
        self._loaded: dict[int, Key] = {}
        self._lock = Lock()
        if frames is not None:
            self._settle(dict(zip(frames, range(count), strict=True)))

    def timeline(self) -> Request[Timeline]:
        """Where the keys are.

        Raises KeyFrameError when properties contradict each other or the clip.
        """
        if self._timeline is None:
            yield from self._read(range(1))
            if self._count > 1 and (self._carried[0] is not None or self._count == self._length):
                yield from self._read(range(self._count))
            self._settle(self._places_by_property())
        assert self._timeline is not None  # noqa: S101  (for the type checker)
        return self._timeline

    @property
    def settled(self) -> Timeline | None:
        """Where the keys are, as soon as somebody asked `timeline` for it."""
        return self._timeline

    def place(self, frame: int) -> int:
        """Which frame of the key clip colours `frame`, one of the timeline's keys."""
        return self._places[frame]

    def load(self, frames: Iterable[int]) -> Request[list[Key]]:
        """The keys at these frames of the clip, at working size."""
        places = {frame: self._places[frame] for frame in frames}
        with self._lock:
            keys = {frame: self._loaded[frame] for frame in places if frame in self._loaded}
        if missing := {frame: place for frame, place in places.items() if frame not in keys}:
            given = yield Need(lumas=tuple(missing), keys=tuple(missing.values()))
            for frame, place in missing.items():
                keys[frame] = self._fit(frame, given.lumas[frame], given.keys[place])
        return [keys[frame] for frame in places]

    def _fit(self, frame: int, luma: Luma, painted: Painted) -> Key:
        """The key at `frame`; what another request has made of it meanwhile is taken."""
        with self._lock:
            if frame not in self._loaded:
                try:
                    key = painted.fit(luma._replace(plane=luma.plane.copy()))
                except ArgumentError as error:
                    raise KeyFrameError(f"frame {frame}: {error}") from None
                self._loaded[frame] = key
                while len(self._loaded) > LOADED:
                    del self._loaded[next(iter(self._loaded))]
            return self._loaded[frame]

    def _settle(self, places: dict[int, int]) -> None:
        self._places = places
        self._timeline = Timeline(places, self._direction)

    def _read(self, numbers: range) -> Request[None]:
        while missing := [n for n in numbers if n not in self._carried][:CHUNK]:
            given = yield Need(keys=missing)
            self._carried |= {number: painted.frame for number, painted in given.keys.items()}

    def _places_by_property(self) -> dict[int, int]:
        places: dict[int, int] = {}
        for number, frame in sorted(self._carried.items()):
            if frame is None:
                continue
            if not 0 <= frame < self._length:
                raise KeyFrameError(
                    f"key: {FRAME_PROP} of its frame {number} is {frame}, "
                    f"accepted are frames of clip, 0 to {self._length - 1}"
                )
            if frame in places:
                raise KeyFrameError(
                    f"key: {FRAME_PROP} is {frame} on its frames {places[frame]} and {number}, "
                    "one key for a frame is accepted"
                )
            places[frame] = number
        return places or {0: 0}
