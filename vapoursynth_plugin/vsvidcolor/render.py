"""The colours of a frame at working size: its runs found, walked, and put together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from vidcolor.blend import blend
from vidcolor.motion.frame_inputs import FrameInputs
from vidcolor.planes import Plane
from vidcolor.propagate import Propagator
from vidcolor.timeline import FIRST_INTERVAL, Pass, Shots, Timeline
from vsvidcolor.cancel import Watch
from vsvidcolor.concurrency import together
from vsvidcolor.key_clip import Keys
from vsvidcolor.replay import Replay
from vsvidcolor.request import Given, Luma, Need, Request

BUDGET = 512 * 2**20
"""Bytes of steps kept by one filter for later requests."""


class Colours(NamedTuple):
    """A coloured frame."""

    chroma: Plane
    """[2, h, w]"""
    confidence: Plane
    """[h, w] in [0, 1]"""
    keyed: bool
    """Whether the colour was carried here from a key in the same shot."""
    key: int | None = None
    """Which frame of the key clip this frame is itself in colour, if it is a key."""


class Renderer:
    """Colours the frames of one clip, in any order and with any number of requests under way.

    VapourSynth's filter mode (parallel requests) sees to it that only one thread is inside, but
    for `beside` and `prepare`, where any number of others may be; with `streams` there are that
    many inside, in passes of different directions.
    """

    def __init__(
        self,
        propagator: Propagator,
        keys: Keys,
        shots: Shots,
        *,
        requests: int = 1,
        budget: int = BUDGET,
        interval: int = FIRST_INTERVAL,
        streams: int = 1,
    ) -> None:
        """requests: how many are under way at a time. interval: frames between checkpoints.

        streams: how many runs of the two that lead to a frame are stepped along at a time.
        """
        self._streams = streams
        self._propagator, self._keys, self._shots = propagator, keys, shots
        self._least, self._budget, self._interval = requests + 1, budget, interval
        self._requests: dict[int, Request[Colours]] = {}
        self._replay: Replay | None = None

    def advance(
        self, frame: int, token: int, *, luma: Luma, given: Given | None = None
    ) -> Colours | Need:
        """Bring the request `token` for `frame` on its way.

        luma: that of `frame`. given: what the request needed when it was last here.
        Returns the frame's colours, or what is needed next. Raises VidcolorError when the request
        failed; it is then forgotten.
        """
        for number, seen in {frame: luma, **(given.lumas if given else {})}.items():
            self._shots.learn(number, starts=bool(seen.starts_shot))
        request = self._requests.pop(token, None)
        try:
            if request is None or given is None:
                request = self._colour(frame, luma)
                need = next(request)
            else:
                need = request.send(given)
        except StopIteration as done:
            colours: Colours = done.value
            return colours
        self._requests[token] = request
        return need

    def drop(self, token: int) -> None:
        """Forget a request."""
        self._requests.pop(token, None)

    def beside(self, frame: int, luma: Luma) -> list[int]:
        """The frames whose luma `prepare` needs beside that of `frame`, which is given."""
        self._shots.learn(frame, starts=bool(luma.starts_shot))
        if self._replay is None:
            return []
        frames = (self._replay.beside(frame, run) for run in self._runs(frame))
        return [number for number in frames if number is not None]

    def prepare(self, frame: int, luma: Luma, beside: Mapping[int, Luma]) -> None:
        """See what the steps of `frame` will take from luma alone, before their turn comes.

        It changes how long they take, never a colour: which runs they belong to is known for
        certain only when they are made. Of no effect before the first frame is coloured.
        """
        if self._replay is None:
            return
        seen: FrameInputs | None = None
        for run in self._runs(frame):
            number = self._replay.beside(frame, run)
            if number is None:
                seen = self._replay.prepare(frame, run, luma.plane, None, reuse=seen)
            elif number in beside:
                seen = self._replay.prepare(
                    frame, run, luma.plane, beside[number].plane, reuse=seen
                )

    def _runs(self, frame: int) -> tuple[Pass, ...]:
        """The runs of `frame`, going by what is known so far."""
        timeline = self._keys.settled
        if timeline is None or frame in timeline.keys:
            return ()
        return timeline.runs(frame, self._shots)

    def _colour(self, frame: int, luma: Luma) -> Request[Colours]:
        watch = Watch()
        timeline = yield from self._keys.timeline()
        if frame in timeline.keys:
            (key,) = yield from self._keys.load([frame])
            place = self._keys.place(frame)
            return Colours(key.chroma, np.ones_like(key.luma), keyed=True, key=place)
        # A run to one side shows its cuts as it goes. But two runs must know of each other, and in
        # a clip that is tagged it is better to look for the shot's start than to step through all
        # shots since the key.
        if len(timeline.strides(frame)) > 1 or luma.starts_shot is not None:
            while unknown := timeline.unknown(frame, self._shots):
                watch.check(frame)
                yield Need(lumas=unknown)
        while True:
            runs = timeline.runs(frame, self._shots)
            sides = yield from self._walk(frame, runs, luma, timeline, watch)
            if sides is not None:
                break
        if len(sides) == 1:
            return Colours(*sides[0], keyed=runs[0].keyed)
        since, until = (abs(frame - run.start) for run in runs)
        return Colours(*blend(*sides, since=since, until=until), keyed=True)

    def _walk(
        self, frame: int, runs: tuple[Pass, ...], luma: Luma, timeline: Timeline, watch: Watch
    ) -> Request[list[tuple[Plane, Plane]] | None]:
        """Chroma and confidence of `frame` in each of `runs`; None if a cut shows up."""

        def holds() -> bool:
            return timeline.runs(frame, self._shots) == runs

        replay = self._walker(timeline)
        walks = [replay.walk(frame, run, luma, holds=holds, watch=watch) for run in runs]
        steps = yield from together(walks, streams=self._streams)
        sides = [(step.chroma, step.confidence) for step in steps if step is not None]
        return sides if len(sides) == len(runs) else None

    def _walker(self, timeline: Timeline) -> Replay:
        if self._replay is None:
            self._replay = Replay(
                self._propagator,
                self._keys,
                budget=self._budget // timeline.n_directions,
                least=self._least,
                interval=self._interval,
            )
        return self._replay
