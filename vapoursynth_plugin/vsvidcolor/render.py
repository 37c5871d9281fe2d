"""The colours of a frame at working size: its passes are found, replayed and put together."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from vidcolor.blend import blend_passes
from vidcolor.planes import Plane
from vidcolor.timeline import Shots
from vsvidcolor.cancel import CancelToken
from vsvidcolor.key_clip import Keys
from vsvidcolor.replay import Replay
from vsvidcolor.request import ClipFrame, InputRequest, InputResponse, Task, run_concurrently


class ColoredFrame(NamedTuple):
    """A coloured frame at working size."""

    chroma: Plane
    """[2, h, w] float32 in [-0.5, 0.5]."""
    confidence: Plane
    """[h, w] float32 in [0, 1]."""
    has_key: bool
    """Whether the colour was carried here from a key in the same shot."""
    key: int | None = None
    """The frame of the key clip that shows this frame in colour, if it is a key."""


class Renderer:
    """Colours the frames of one clip, in any order and with any number of requests under way.

    VapourSynth's filter mode (parallel requests) lets only one thread in at a time. With `streams`
    above 1, the passes of one request run on that many threads.

    Args:
        replay: The steps of the clip.
        keys: Its keys.
        shots: Where it is cut, as far as is known; the renderer adds what it learns.
        streams: How many of the two passes that lead to a frame are stepped along at a time.
    """

    def __init__(self, replay: Replay, keys: Keys, shots: Shots, *, streams: int = 1) -> None:
        self._replay = replay
        self._keys = keys
        self._shots = shots
        self._streams = streams
        self._tasks: dict[int, Task[ColoredFrame]] = {}

    def advance(
        self,
        frame: int,
        token: int,
        *,
        clip_frame: ClipFrame,
        response: InputResponse | None = None,
    ) -> ColoredFrame | InputRequest:
        """Work on a request for a frame until it is done or needs more input.

        Args:
            frame: The frame that is asked for.
            token: Identifies the request.
            clip_frame: The clip's frame of that number.
            response: The input that this method asked for last time; None on the first call.

        Returns:
            The coloured frame, or the input that is needed next.

        Raises:
            VidcolorError: The request failed; it is then forgotten.
            InterruptedSeekError: It was cancelled; likewise.
        """
        known = {frame: clip_frame, **(response.lumas if response else {})}
        for number, given in known.items():
            self._shots.learn(number, starts=bool(given.starts_shot))
        task = self._tasks.pop(token, None)
        try:
            if task is None or response is None:
                task = self._color(frame, clip_frame)
                request = next(task)
            else:
                request = task.send(response)
        except StopIteration as done:
            colored: ColoredFrame = done.value
            return colored
        self._tasks[token] = task
        return request

    def drop(self, token: int) -> None:
        """Forget a request whose input failed."""
        self._tasks.pop(token, None)

    def _color(self, frame: int, clip_frame: ClipFrame) -> Task[ColoredFrame]:
        cancel = CancelToken()
        timeline = yield from self._keys.timeline()
        if frame in timeline.keys:
            keys = yield from self._keys.load([frame])
            chroma, sure = keys[frame].chroma, np.ones_like(keys[frame].luma)
            return ColoredFrame(chroma, sure, has_key=True, key=self._keys.place(frame))
        # One pass finds its cuts on the way. But two passes must know of each other, and in a clip
        # that is tagged it is faster to look for the shot's start than to step through all shots
        # since the key.
        if len(timeline.directions(frame)) > 1 or clip_frame.starts_shot is not None:
            while unknown := timeline.unknown(frame, self._shots):
                cancel.check(frame)
                yield InputRequest(lumas=unknown)
        while True:
            passes = self._replay.passes(frame)
            tasks = [self._replay.replay(frame, pass_, clip_frame, cancel) for pass_ in passes]
            steps = yield from run_concurrently(tasks, streams=self._streams)
            sides = [(step.chroma, step.confidence) for step in steps if step is not None]
            if len(sides) == len(passes):  # else a cut was found on the way
                break
        return ColoredFrame(*blend_passes(frame, passes, sides), has_key=passes[0].has_key_in_shot)
