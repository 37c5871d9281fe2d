"""Any frame, in any order: `Replay` steps to it from the nearest step that is kept.

See the Note on random access in `vidcolor.timeline`.
"""

from __future__ import annotations

import ctypes
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import partial
from threading import Lock

from vidcolor.errors import VidcolorError
from vidcolor.inference.running import asking
from vidcolor.motion.frame_inputs import FrameInputs
from vidcolor.planes import Key, Plane
from vidcolor.propagate import Propagator, State, Step
from vidcolor.timeline import FIRST_INTERVAL, Pass, Shots, next_chunk
from vsvidcolor.cache import InputCache, StepCache
from vsvidcolor.cancel import CancelToken
from vsvidcolor.followed import Found, TrackFollower
from vsvidcolor.key_clip import Keys
from vsvidcolor.request import ClipFrame, InputRequest, Task

BUDGET = 512 * 2**20
"""Bytes of steps that one filter keeps for later requests."""

INITIAL_STATES = 4
"""States at the start of passes that are kept, besides the budget."""

TRIM_INTERVAL = 64
"""Frames from one call of malloc_trim to the next."""


class Replay:
    """The steps of a clip's passes, whatever order frames are asked for in.

    One thread at a time may run the tasks of `replay`, or one for each direction. Any number of
    other threads may be in `previous_frames` and `prepare`.

    Args:
        propagator: Makes the steps.
        keys: The clip's keys.
        shots: Where the clip is cut, as far as is known; others may add to it.
        requests: How many requests are under way at a time.
        budget: Bytes of steps to keep; shared between the directions.
        interval: Frames between checkpoints, as in `StepCache`.
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
    ) -> None:
        self._propagator = propagator
        self._keys = keys
        self._shots = shots
        self._requests = requests
        self._budget = budget
        self._interval = interval
        self._steps: dict[int, StepCache] = {}
        self._inputs = InputCache()
        self._tracks = TrackFollower(self._inputs)
        self._initial: OrderedDict[Pass, State] = OrderedDict()
        self._lock = Lock()

    def passes(self, frame: int) -> tuple[Pass, ...]:
        """The passes that lead to `frame`, going by the cuts known so far.

        Empty when `frame` is a key, or while it is not known which frames are keys.
        """
        timeline = self._keys.settled
        if timeline is None or frame in timeline.keys:
            return ()
        return timeline.passes(frame, self._shots)

    def previous_frames(self, frame: int, clip_frame: ClipFrame) -> list[int]:
        """Name the frames whose luma `prepare` needs besides that of `frame`.

        Args:
            frame: A frame of the clip.
            clip_frame: What is known of it.

        Returns:
            The frame just before it in each pass that leads to it and has begun.
        """
        self._shots.learn(frame, starts=bool(clip_frame.starts_shot))
        begun = [pass_ for pass_ in self.passes(frame) if pass_ in self._initial]
        before = [(frame - pass_.direction, pass_.start) for pass_ in begun]
        return [number for number, start in before if number != start]

    def prepare(self, frame: int, luma: Plane, previous: Mapping[int, ClipFrame]) -> None:
        """Compute the inputs of the steps of `frame` before their turn comes.

        This changes how long the steps take, never a colour: which passes lead to `frame` is known
        for certain only when the steps are made. It does nothing for a pass that has not begun.

        Args:
            frame: A frame of the clip.
            luma: [h, w], its luma at working size.
            previous: The frames that `previous_frames` named.
        """
        inputs: FrameInputs | None = None
        for pass_ in self.passes(frame):
            state = self._initial.get(pass_)
            before = frame - pass_.direction
            if state is None or not (before == pass_.start or before in previous):
                continue
            kept = self._inputs.get(frame, pass_)
            if kept is not None:
                inputs = kept
            elif self._cache(pass_).recent(frame) is None:
                inputs = self._propagator.prepare(
                    luma,
                    state,
                    previous=None if before == pass_.start else previous[before].luma,
                    reuse=inputs,
                )
                self._inputs.put(frame, pass_, inputs)
                self._tracks.follow(frame, pass_, self._known_tracks)

    def replay(
        self, frame: int, pass_: Pass, clip_frame: ClipFrame, cancel: CancelToken
    ) -> Task[Step | None]:
        """Step to `frame` along `pass_`.

        Each task keeps its own position, so that interleaved seeks both make progress. It goes on
        from a step that another task left behind when that step is nearer.

        Args:
            frame: The frame to reach.
            pass_: One of the passes that lead to it.
            clip_frame: What is known of the frame.
            cancel: Asked at each step.

        Returns:
            The step of `frame`; None when a cut turns up that makes the pass invalid.

        Raises:
            VidcolorError: A step failed; the sentence names the frame.
            InterruptedSeekError: The seek is cancelled.
        """
        cache = self._cache(pass_)
        at = pass_.start
        state: State | None = None
        lumas = {frame: clip_frame}
        while True:
            found = cache.nearest(frame, pass_)
            if found is not None and found[0] == frame:
                return found[1]
            if found is not None and (state is None or abs(frame - found[0]) < abs(frame - at)):
                at, state = found[0], found[1].state
            if state is None:
                state = yield from self._initial_state(pass_, cancel)
            while at + pass_.direction in lumas:
                at += pass_.direction
                step = self._step(at, lumas[at].luma, state, pass_, cancel)
                if at == frame:
                    return step
                state = step.state
            response = yield InputRequest(lumas=next_chunk(at, frame))
            if pass_ not in self.passes(frame):
                return None
            lumas = {**response.lumas, frame: clip_frame}

    def _initial_state(self, pass_: Pass, cancel: CancelToken) -> Task[State]:
        """The state that `pass_` begins with."""
        if pass_ not in self._initial:
            keys = yield from self._keys.load(pass_.keys)
            references: tuple[Key, ...] = ()
            if not pass_.has_key_in_shot:
                first = pass_.start + pass_.direction
                references = yield from self._keys.load_references(first)
            if pass_ not in self._initial:  # another task may have made it meanwhile
                with cancel.asked(pass_.start):
                    state = self._propagator.init_pass(pass_, keys, references)
                with self._lock:
                    self._initial[pass_] = state
        with self._lock:
            state = self._initial[pass_]
            self._initial.move_to_end(pass_)
            while len(self._initial) > INITIAL_STATES:
                self._initial.popitem(last=False)
        return state

    def _step(
        self, frame: int, luma: Plane, state: State, pass_: Pass, cancel: CancelToken
    ) -> Step:
        cancel.check(frame)
        inputs = self._inputs.get(frame, pass_)
        # A source may give another frame today than it gave when the inputs were computed.
        if inputs is not None and not inputs.follows(state.luma, state.key_lumas):
            inputs = None
        try:
            with asking(partial(cancel.check, frame)):
                step = self._propagator.step(luma if inputs is None else inputs, state)
        except Exception as error:
            cancel.check(frame)  # it may have failed because it was ended
            cause = "" if isinstance(error, VidcolorError) else f"{type(error).__name__}: "
            raise VidcolorError(f"frame {frame}: {cause}{error}") from error
        self._cache(pass_).add(frame, step, pass_)
        # Only now: a thread that fetches the frame during its step need not prepare it again.
        self._inputs.drop(frame, pass_)
        if _malloc_trim is not None and frame % TRIM_INTERVAL == 0:
            _malloc_trim(0)
        return step

    def _known_tracks(self, frame: int, pass_: Pass) -> Found:
        """The tracks of a frame that is stepped already, or that the pass starts at."""
        if frame == pass_.start:
            state = self._initial.get(pass_)
            return None if state is None else (state.tracks,)
        step = self._cache(pass_).recent(frame)
        return None if step is None else (step.state.tracks,)

    def _cache(self, pass_: Pass) -> StepCache:
        """The steps of the pass's direction."""
        with self._lock:
            if pass_.direction not in self._steps:
                timeline = self._keys.settled
                directions = 2 if timeline is None else timeline.n_directions
                self._steps[pass_.direction] = StepCache(
                    self._budget // directions, least=self._requests + 1, interval=self._interval
                )
            return self._steps[pass_.direction]


def _find_malloc_trim() -> Callable[[int], int] | None:
    """Find malloc_trim, by which glibc hands free memory back to the system.

    VapourSynth's frames are aligned and stay in its caches for a while; numpy's and OpenCV's planes
    come and go between them. In glibc's heap the holes that one leaves seldom fit the other: a clip
    of 854x480 grew to 1.2 GiB over 2,400 frames, almost all of it free. Trimming every
    `TRIM_INTERVAL` frames keeps it at 0.2 GiB and costs less than 3 % of the time.
    """
    try:
        trim: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return None  # another C library
    return trim


_malloc_trim = _find_malloc_trim()
