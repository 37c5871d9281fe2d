"""Replay: whatever the order of requests, the steps of the plain loop, in few steps."""

from itertools import cycle
from pathlib import Path

import numpy as np
import pytest

from vidcolor.errors import VidcolorError
from vidcolor.inference.session import Session
from vidcolor.planes import Key
from vidcolor.propagate import Propagator
from vidcolor.timeline import FIRST_INTERVAL, Shots
from vsvidcolor.key_clip import Keys
from vsvidcolor.render import Renderer
from vsvidcolor.replay import Replay
from vsvidcolor.request import ClipFrame, InputRequest, InputResponse, KeyFrame

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


@pytest.fixture
def renderer(propagator, key):
    """Makes a renderer of a clip with one key, at frame 0."""

    def make(**options):
        keys = Keys([0], count=1, length=LENGTH, direction="both", fit=lambda image, frame: key)
        shots = Shots(LENGTH)
        return Renderer(Replay(propagator, keys, shots, **options), keys, shots)

    return make


def request(renderer, frame, token, lumas):
    """One request, a turn at a time; its value is the bytes of chroma and confidence."""
    response, clip_frame = None, ClipFrame(lumas[frame])
    while isinstance(
        answer := renderer.advance(frame, token, clip_frame=clip_frame, response=response),
        InputRequest,
    ):
        assert 0 < len(answer.lumas) <= 32
        assert frame not in answer.lumas or frame == 0
        response = InputResponse(
            lumas={n: ClipFrame(lumas[n]) for n in answer.lumas},
            keys={n: KeyFrame(None) for n in answer.keys},
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
def test_any_order_gives_the_plain_loop(renderer, lumas, plain, budget, together):
    filter_ = renderer(budget=budget)
    order = np.random.default_rng(2).integers(LENGTH, size=40).reshape(-1, together)
    for frames in order:
        got = run_together(request(filter_, int(n), token, lumas) for token, n in enumerate(frames))
        assert [got[i] for i in range(together)] == [plain[n] for n in frames]


def test_a_straight_run_steps_once_per_frame(renderer, propagator, lumas, plain):
    filter_ = renderer()
    for n in range(LENGTH):
        assert run_together([request(filter_, n, 0, lumas)])[0] == plain[n]
    assert propagator.steps == LENGTH - 1


def test_backwards_costs_at_most_an_interval_a_frame(renderer, propagator, lumas, plain):
    filter_ = renderer(budget=2**29)
    run_together([request(filter_, LENGTH - 1, 0, lumas)])
    before = propagator.steps
    for n in reversed(range(LENGTH)):
        assert run_together([request(filter_, n, 0, lumas)])[0] == plain[n]
    assert propagator.steps - before <= LENGTH  # a replayed interval serves all its frames


def test_far_seeks_that_take_turns_both_arrive(renderer, propagator, lumas, plain):
    """With room for hardly any step, each keeps its own position; none undoes the other."""
    filter_ = renderer(budget=1)
    got = run_together(request(filter_, n, n, lumas) for n in (250, 140, 299))
    assert got == {0: plain[250], 1: plain[140], 2: plain[299]}
    assert propagator.steps <= 250 + 140 + 299


@pytest.mark.parametrize("budget", [1, 2**29])
def test_requests_that_overtake_each_other_step_once_per_frame(
    renderer, propagator, lumas, plain, budget
):
    """In whatever order eight neighbours are served, and however little may be kept."""
    filter_ = renderer(requests=8, budget=budget)
    order = np.random.default_rng(5).permuted(np.arange(296).reshape(-1, 8), axis=1).ravel()
    for n in order.tolist():
        assert run_together([request(filter_, n, n, lumas)])[0] == plain[n]
    assert propagator.steps == 295


def test_a_request_starts_from_the_nearer_of_checkpoint_and_recent(renderer, propagator, lumas):
    filter_ = renderer()
    run_together([request(filter_, 200, 0, lumas)])
    run_together([request(filter_, 20, 0, lumas)])  # now among the recent steps, but far
    before = propagator.steps
    run_together([request(filter_, 161, 0, lumas)])
    assert propagator.steps - before <= 161 % FIRST_INTERVAL


def test_a_failing_step_names_its_frame_and_can_be_asked_again(renderer, propagator, lumas, plain):
    filter_ = renderer()
    planes = list(lumas)
    propagator.bad = planes[20]
    assert run_together([request(filter_, 19, 0, planes)])[0] == plain[19]
    for frame in (20, 25):
        with pytest.raises(VidcolorError, match=r"^frame 20: RuntimeError: model exploded$"):
            run_together([request(filter_, frame, 0, planes)])
    propagator.bad = None
    assert run_together([request(filter_, 25, 0, planes)])[0] == plain[25]
