"""Any frame, in any order: `Replay` steps to it from the nearest step that is kept.

See the Note on random access in `vidcolor.timeline`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from vidcolor.errors import VidcolorError
from vidcolor.motion.frame_inputs import FrameInputs
from vidcolor.planes import Plane
from vidcolor.propagate import Propagator, State, Step
from vidcolor.timeline import BACKWARD, FORWARD, Pass, next_chunk
from vsvidcolor.cancel import Watch
from vsvidcolor.kept import Kept
from vsvidcolor.key_clip import Keys
from vsvidcolor.looks import Looks
from vsvidcolor.malloc_trim import trim_after
from vsvidcolor.request import Luma, Need, Request

BEGINNINGS = 4
"""States at the start of runs that are kept, besides the budget."""


class Replay:
    """The steps of a clip's runs, whatever order frames are asked for in.

    Only one thread at a time may be inside, or one for each direction; any number of others may be
    in `beside` and `prepare`.
    """

    def __init__(
        self, propagator: Propagator, keys: Keys, *, budget: int, least: int, interval: int
    ) -> None:
        """budget: bytes of steps to keep for each direction. least, interval: as in `Kept`."""
        self._propagator, self._keys = propagator, keys
        self._kept = {
            direction: Kept(budget, least=least, interval=interval)
            for direction in (FORWARD, BACKWARD)
        }
        self._begun: OrderedDict[Pass, State] = OrderedDict()
        self._looks = Looks()
        self._lock = Lock()

    def beside(self, frame: int, run: Pass) -> int | None:
        """The frame before `frame` in `run`, if `prepare` must be given its luma."""
        before = frame - run.direction
        return None if before == run.start else before

    def prepare(
        self,
        frame: int,
        run: Pass,
        luma: Plane,
        previous: Plane | None,
        *,
        reuse: FrameInputs | None,
    ) -> FrameInputs | None:
        """See what there is to see of `frame` before its turn in `run` comes.

        previous: luma of the frame that `beside` names. like: the same frame, seen in another run.
        Nothing is seen of a frame that is kept, or of a run that has not begun.
        """
        if (seen := self._looks.get(frame, run)) is not None:
            return seen
        state = self._begun.get(run)
        if state is None or self._kept[run.direction].holds(frame):
            return None
        seen = self._propagator.prepare(luma, state, previous=previous, reuse=reuse)
        self._looks.put(frame, run, seen)
        return seen

    def walk(
        self, frame: int, run: Pass, luma: Luma, *, holds: Callable[[], bool], watch: Watch
    ) -> Request[Step | None]:
        """The step of `frame`, whose luma is given, in `run`; None as soon as it does not hold.

        holds: whether `run` is the way to `frame`, going by all that was fetched so far.
        watch: of the whole request, asked at each step.

        The request has its own place, so that two far seeks that take turns both arrive; but it
        goes on from what another left behind when that is nearer.
        Raises VidcolorError with the frame a step failed at.
        """
        at, lumas = run.start, {frame: luma}
        step: Step | None = None
        state: State | None = None
        while True:
            found = self._kept[run.direction].nearest(frame, run)
            if found is not None and (step is None or abs(frame - found[0]) < abs(frame - at)):
                at, step = found
                state = step.state
            if state is None:
                state = yield from self._begin(run)
            while at != frame and at + run.direction in lumas:
                at += run.direction
                watch.check(at)
                step = self._step(at, lumas[at].plane, state, run)
                state = step.state
            if at == frame and step is not None:
                return step
            given = yield Need(lumas=next_chunk(at, frame))
            if not holds():
                return None
            lumas = {**given.lumas, frame: luma}

    def _begin(self, run: Pass) -> Request[State]:
        """The state that `run` begins with."""
        if run not in self._begun:
            keys = yield from self._keys.load(run.keys)
            if run not in self._begun:  # by another request, meanwhile
                state = self._propagator.init_state(*keys)
                state = state if run.keyed else self._propagator.reset_state(state)
                with self._lock:
                    self._begun[run] = state
        with self._lock:
            state = self._begun[run]
            self._begun.move_to_end(run)
            while len(self._begun) > BEGINNINGS:
                self._begun.popitem(last=False)
        return state

    def _step(self, frame: int, luma: Plane, state: State, run: Pass) -> Step:
        seen = self._looks.get(frame, run)
        # A source that is not true to itself may give another frame today than it did then.
        if seen is not None and not seen.follows(state.luma, state.key_lumas):
            seen = None
        try:
            step = self._propagator.step(luma if seen is None else seen, state)
        except Exception as error:
            cause = "" if isinstance(error, VidcolorError) else f"{type(error).__name__}: "
            raise VidcolorError(f"frame {frame}: {cause}{error}") from error
        self._kept[run.direction].add(frame, step, run)
        # Not before: whoever fetches the frame during its step need not look at it again.
        self._looks.drop(frame, run)
        trim_after(frame)
        return step
