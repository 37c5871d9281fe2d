"""Replay: whatever the order of requests, the steps of the plain loop, in few steps."""

from itertools import cycle
from pathlib import Path

import numpy as np
import pytest

from vidcolor.errors import VidcolorError
from vidcolor.inference.session import Session
from vidcolor.planes import Key
from vidcolor.propagate import Propagator
from vidcolor.timeline import FIRST_INTERVAL, FORWARD, Pass, Shots
from vsvidcolor.kept import RECENT, Kept
from vsvidcolor.key_clip import Keys
from vsvidcolor.render import Renderer
from vsvidcolor.request import Given, Luma, Need, Painted

TOY = Path(__file__).parents[1] / "toy" / "bundle"
LENGTH, HEIGHT, WIDTH = 300, 24, 40
STEP_BYTES = 10 * 4 * HEIGHT * WIDTH  # chroma and confidence twice, and with luma as toy's state


class Counting(Propagator):
    """Counts steps; fails at the frame of luma `bad`."""

    bad = None

    def __init__(self, session):
        super().__init__(session)
        self.steps = 0

    def step(self, luma, state):
        self.steps += 1
        if luma is self.bad:
            raise RuntimeError("model exploded")
        return super().step(luma, state)


@pytest.fixture(scope="module")
def session():
    return Session.load(TOY, provider="cpu", threads=1)


@pytest.fixture
def propagator(session):
    return Counting(session)


@pytest.fixture(scope="module")
def lumas():
    return np.random.default_rng(0).random((LENGTH, HEIGHT, WIDTH), np.float32)


@pytest.fixture(scope="module")
def key(lumas):
    chroma = np.random.default_rng(1).random((2, HEIGHT, WIDTH), np.float32) - 0.5
    return Key(luma=lumas[0], chroma=chroma)


@pytest.fixture(scope="module")
def plain(session, lumas, key):
    """Bytes of chroma and confidence from the loop in vidcolor.propagate's docstring."""
    propagator = Propagator(session)
    state, out = (
        propagator.init_state(key),
        [(key.chroma.tobytes(), np.ones_like(lumas[0]).tobytes())],
    )
    for luma in lumas[1:]:
        chroma, confidence, state = propagator.step(luma, state)
        out.append((chroma.tobytes(), confidence.tobytes()))
    return out


def renderer(propagator, **options):
    """With one key, at frame 0."""
    keys = Keys([0], count=1, length=LENGTH, direction="both")
    return Renderer(propagator, keys, Shots(LENGTH), **options)


def request(replay, frame, token, key, lumas):
    """One request, a turn at a time; its value is the bytes of chroma and confidence."""
    given = None
    while isinstance(
        answer := replay.advance(frame, token, luma=Luma(lumas[frame]), given=given), Need
    ):
        assert 0 < len(answer.lumas) <= 32
        assert frame not in answer.lumas or frame == 0
        given = Given(
            lumas={n: Luma(lumas[n]) for n in answer.lumas},
            keys={n: Painted(lambda luma: key) for n in answer.keys},
        )
        yield
    return answer.chroma.tobytes(), answer.confidence.tobytes()


def run_together(requests):
    """Give each request a turn after the other; their values in the order they arrive."""
    waiting, out = dict(enumerate(requests)), {}
    for i in cycle(range(len(waiting))):
        if not waiting:
            return out
        if i in waiting:
            try:
                next(waiting[i])
            except StopIteration as stop:
                out[i] = stop.value
                del waiting[i]
    return out


@pytest.mark.parametrize("budget", [1, 20 * STEP_BYTES, 2**29])
@pytest.mark.parametrize("together", [1, 4])
def test_any_order_gives_the_plain_loop(propagator, lumas, key, plain, budget, together):
    replay = renderer(propagator, budget=budget)
    order = np.random.default_rng(2).integers(LENGTH, size=40).reshape(-1, together)
    for frames in order:
        got = run_together(
            request(replay, int(n), token, key, lumas) for token, n in enumerate(frames)
        )
        assert [got[i] for i in range(together)] == [plain[n] for n in frames]


def test_a_straight_run_steps_once_per_frame(propagator, lumas, key, plain):
    replay = renderer(propagator)
    for n in range(LENGTH):
        assert run_together([request(replay, n, 0, key, lumas)])[0] == plain[n]
    assert propagator.steps == LENGTH - 1


def test_backwards_costs_at_most_an_interval_a_frame(propagator, lumas, key, plain):
    replay = renderer(propagator, budget=2**29)
    run_together([request(replay, LENGTH - 1, 0, key, lumas)])
    before = propagator.steps
    for n in reversed(range(LENGTH)):
        assert run_together([request(replay, n, 0, key, lumas)])[0] == plain[n]
    assert propagator.steps - before <= LENGTH  # a replayed interval serves all its frames


def test_far_seeks_that_take_turns_both_arrive(propagator, lumas, key, plain):
    """With room for hardly any step, each lives on its own cursor; none undoes the other."""
    replay = renderer(propagator, budget=1)
    got = run_together(request(replay, n, n, key, lumas) for n in (250, 140, 299))
    assert got == {0: plain[250], 1: plain[140], 2: plain[299]}
    assert propagator.steps <= 250 + 140 + 299


@pytest.mark.parametrize("budget", [1, 2**29])
def test_requests_that_overtake_each_other_step_once_per_frame(
    propagator, lumas, key, plain, budget
):
    """In whatever order eight neighbours are served, and however little may be kept."""
    replay = renderer(propagator, requests=8, budget=budget)
    order = np.random.default_rng(5).permuted(np.arange(296).reshape(-1, 8), axis=1).ravel()
    for n in order.tolist():
        assert run_together([request(replay, n, n, key, lumas)])[0] == plain[n]
    assert propagator.steps == 295


def test_a_request_starts_from_the_nearer_of_checkpoint_and_recent(propagator, lumas, key):
    replay = renderer(propagator)
    run_together([request(replay, 200, 0, key, lumas)])
    run_together([request(replay, 20, 0, key, lumas)])  # now among the recent steps, but far
    before = propagator.steps
    run_together([request(replay, 161, 0, key, lumas)])
    assert propagator.steps - before <= 161 % FIRST_INTERVAL


def test_a_failing_step_names_its_frame_and_can_be_asked_again(propagator, lumas, key, plain):
    replay = renderer(propagator)
    planes = list(lumas)
    propagator.bad = planes[20]
    assert run_together([request(replay, 19, 0, key, planes)])[0] == plain[19]
    for frame in (20, 25):
        with pytest.raises(VidcolorError, match=r"^frame 20: RuntimeError: model exploded$"):
            run_together([request(replay, frame, 0, key, planes)])
    propagator.bad = None
    assert run_together([request(replay, 25, 0, key, planes)])[0] == plain[25]


def test_kept_steps_stay_within_the_budget(propagator, lumas, key):
    state = propagator.init_state(key)
    kept = Kept(100 * STEP_BYTES, least=2, interval=FIRST_INTERVAL)
    run = Pass(start=0, direction=FORWARD, keyed=True, keys=(0,))
    held = set()
    for n in range(1, LENGTH):
        step = propagator.step(lumas[n], state)
        kept.add(n, step, run)
        state = step.state
        held = {at for at in range(n + 1) if (found := kept.nearest(at, run)) and found[0] == at}
        assert len(held) <= 100
    assert set(range(LENGTH - RECENT, LENGTH)) <= held
    assert len(held) > RECENT


def test_checkpoints_of_other_runs_make_way(propagator, lumas, key):
    """However many runs there are, the one that is walked has a checkpoint every few frames."""
    kept = Kept(40 * STEP_BYTES, least=2, interval=4)
    state = propagator.init_state(key)
    runs = [Pass(start=n, direction=FORWARD, keyed=True, keys=(n,)) for n in range(0, LENGTH, 50)]
    for run in runs:
        for n in range(run.start + 1, run.start + 50):
            kept.add(n, propagator.step(lumas[n], state), run)
    found = [kept.nearest(n, runs[-1])[0] for n in range(runs[-1].start + 4, LENGTH)]
    assert all(n - at < 4 for n, at in enumerate(found, runs[-1].start + 4))
    assert kept.nearest(49, runs[0]) is None
    assert sum(map(len, kept._checkpoints.values())) + len(kept._recent) <= 40


def test_a_dropped_request_leaves_nothing(propagator, lumas, key):
    replay = renderer(propagator, budget=1)
    waiting = request(replay, 250, 7, key, lumas)
    next(waiting)
    replay.drop(7)
    assert not replay._requests
