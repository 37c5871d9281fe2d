"""Which frames are keys, and their planes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from threading import Lock

import vapoursynth as vs

from vidcolor.errors import KeyFrameError
from vidcolor.key.gray import has_strokes
from vidcolor.planes import Key, check_luma
from vidcolor.timeline import CHUNK, Timeline
from vsvidcolor.request import ClipFrame, InputRequest, KeyFrame, Task

FRAME_PROP = "VidcolorFrame"
"""On a frame of the key clip: the number of the clip's frame that it colours."""

LOADED = 4
"""Keys that are kept at working size: to spread one that is painted in parts takes a second."""

_STROKES = (
    "Propagate: the key of frame {frame} is mostly gray, and is taken whole; if there are strokes "
    "on it, say by alpha where they are, or spread them with the command vidcolor key"
)


class Keys:
    """The frames of a key clip, and the clip's frames that they colour.

    Where `frames` does not say so, the key clip's properties do. They can only be read once
    frames are asked for, so that is when it is done, and only as far as must be: a key clip of one
    frame colours frame 0 unless it carries `FRAME_PROP`; of a longer one all frames are read if
    its frame 0 carries it or if it is as long as the clip, else its frame 0 colours frame 0.

    Args:
        frames: The clip's frame that each frame of the key clip colours; None to read properties.
        count: Frames of the key clip.
        length: Frames of the clip.
        direction: From which keys colour is carried, one of `vidcolor.timeline.DIRECTIONS`.
        fit: Brings a frame of the key clip to working size, given the clip's frame it colours.
        references: How many more frames the key clip has behind those: pictures that show no frame
            of the clip, see `vidcolor.references`.
        fit_reference: Brings one of those to working size, given any frame of the clip.
    """

    def __init__(
        self,
        frames: Sequence[int] | None,
        *,
        count: int,
        length: int,
        direction: str,
        fit: Callable[[KeyFrame, ClipFrame], Key],
        references: int = 0,
        fit_reference: Callable[[KeyFrame, ClipFrame], Key] | None = None,
    ) -> None:
        self._count = count
        self._length = length
        self._direction = direction
        self._fit = fit
        self._n_read = 0  # frames of the key clip, the first ones, whose properties are known
        self._numbered: dict[int, int] = {}  # the clip's frames by their keys' numbers, as read
        self._places: dict[int, int] = {}
        self._timeline: Timeline | None = None
        self._loaded: dict[int, Key] = {}
        self._reference_places = range(count, count + references)
        self._fit_reference = fit_reference
        self._references: tuple[Key, ...] = ()
        self._lock = Lock()
        if frames is not None:
            self._settle(dict(zip(frames, range(count), strict=True)))

    def timeline(self) -> Task[Timeline]:
        """Find out where the keys are.

        Raises:
            KeyFrameError: Properties contradict each other or the clip.
        """
        if self._timeline is None:
            yield from self._read_numbers(1)
            if self._count == self._length or 0 in self._numbered.values():
                yield from self._read_numbers(self._count)
            self._settle(self._numbered or {0: 0})
        assert self._timeline is not None  # noqa: S101  (for the type checker)
        return self._timeline

    @property
    def settled(self) -> Timeline | None:
        """Where the keys are; None until a task of `timeline` has found out."""
        return self._timeline

    def place(self, frame: int) -> int:
        """The number in the key clip of the key that colours `frame`, one of the keys."""
        return self._places[frame]

    def load(self, frames: Iterable[int]) -> Task[dict[int, Key]]:
        """Load keys at working size.

        Args:
            frames: Frames of the clip that are keys.

        Returns:
            The keys by these frames.

        Raises:
            KeyFrameError: A key cannot be read; the sentence names the frame it colours.
        """
        places = {frame: self._places[frame] for frame in frames}
        with self._lock:
            keys = {frame: self._loaded[frame] for frame in places if frame in self._loaded}
        if missing := {frame: place for frame, place in places.items() if frame not in keys}:
            response = yield InputRequest(lumas=tuple(missing), keys=tuple(missing.values()))
            for frame, place in missing.items():
                keys[frame] = self._load(frame, response.lumas[frame], response.keys[place])
        return keys

    def load_references(self, frame: int) -> Task[tuple[Key, ...]]:
        """Load all references at working size, once.

        Args:
            frame: Any frame of the clip.

        Raises:
            KeyFrameError: One cannot be read, or is gray; the sentence counts them from 0.
        """
        places, fit = self._reference_places, self._fit_reference
        if fit is not None and len(self._references) < len(places):
            response = yield InputRequest(lumas=(frame,), keys=tuple(places))
            references = []
            for number, place in enumerate(places):
                try:
                    references.append(fit(response.keys[place], response.lumas[frame]))
                except ValueError as error:  # an ArgumentError, or that of its planes
                    raise KeyFrameError(f"references: frame {number}: {error}") from None
            self._references = tuple(references)
        return self._references

    def _load(self, frame: int, clip_frame: ClipFrame, key_frame: KeyFrame) -> Key:
        """The key at `frame`; where another task has made it meanwhile, that one."""
        with self._lock:
            if frame not in self._loaded:
                # A copy: the key outlives VapourSynth's frame.
                clip_frame = clip_frame._replace(luma=clip_frame.luma.copy())
                whose = ""
                try:
                    check_luma(clip_frame.luma)
                    whose = "key: "
                    key = self._fit(key_frame, clip_frame)
                except ValueError as error:  # an ArgumentError, or that of its planes
                    raise KeyFrameError(f"frame {frame}: {whose}{error}") from None
                if has_strokes(key):
                    vs.core.log_message(vs.MESSAGE_TYPE_WARNING, _STROKES.format(frame=frame))
                self._loaded[frame] = key
                while len(self._loaded) > LOADED:
                    del self._loaded[next(iter(self._loaded))]
            return self._loaded[frame]

    def _settle(self, places: dict[int, int]) -> None:
        self._places = places
        self._timeline = Timeline(places, self._direction)

    def _read_numbers(self, count: int) -> Task[None]:
        """Read the properties of the first `count` frames of the key clip.

        Other tasks may read them at the same time.
        """
        while (first := self._n_read) < count:
            places = range(first, min(first + CHUNK, count))
            response = yield InputRequest(keys=places)
            for place in places:
                if (number := response.keys[place].number) is not None:
                    self._numbered[self._check_number(number, place)] = place
            self._n_read = max(self._n_read, places.stop)

    def _check_number(self, frame: object, place: int) -> int:
        """The number of the clip's frame that frame `place` of the key clip says it colours."""
        if not isinstance(frame, int):  # such as the text of a file's name
            raise KeyFrameError(
                f"key: {FRAME_PROP} of its frame {place} is {frame!r}, a whole number is needed"
            )
        if not 0 <= frame < self._length:
            raise KeyFrameError(
                f"key: {FRAME_PROP} of its frame {place} is {frame}, "
                f"accepted are frames of clip, 0 to {self._length - 1}"
            )
        if self._numbered.get(frame, place) != place:
            raise KeyFrameError(
                f"key: {FRAME_PROP} is {frame} on its frames {self._numbered[frame]} and {place}, "
                "one key for a frame is accepted"
            )
        return frame
