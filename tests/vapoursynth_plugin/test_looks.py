"""What steps take from luma alone is made ahead of them, once, and never changes a colour."""

import threading
from collections import Counter

import numpy as np
import pytest
import vapoursynth as vs

from tests.support.scenes import render
from tests.vapoursynth_plugin.reference import Case
from tests.vapoursynth_plugin.test_order import ORDERS, together
from vidcolor.motion import frame_inputs as seen_module
from vidcolor.motion import optical_flow as flow_module
from vidcolor.motion.frame_inputs import FrameInputs, prepare_inputs
from vidcolor.propagate import Propagator
from vidcolor.timeline import FORWARD, Pass, Shots
from vsvidcolor import propagate
from vsvidcolor.key_clip import Keys
from vsvidcolor.looks import Looks
from vsvidcolor.render import Renderer
from vsvidcolor.request import Given, Luma, Need, Painted

core = vs.core
LENGTH = 40


@pytest.fixture(scope="module")
def scene():
    return render(LENGTH, 64, 88)


@pytest.fixture
def flows(monkeypatch):
    """Pairs of lumas that flow was computed between, from now on: their bytes, and how often."""
    counted, lock = Counter(), threading.Lock()

    def count(here, other, out=None):
        with lock:
            counted[here.tobytes(), other.tobytes()] += 1
        return flow_module.flow(here, other, out)

    monkeypatch.setattr(seen_module, "flow", count)
    return counted


@pytest.fixture
def steps(monkeypatch):
    """What steps were made of, from now on: frames that were seen ahead, or bare lumas."""
    made, step = [], Propagator.step

    def watched(self, luma, state):
        made.append(isinstance(luma, FrameInputs))
        return step(self, luma, state)

    monkeypatch.setattr(Propagator, "step", watched)
    return made


def test_a_straight_run_computes_each_flow_once_and_ahead(scene, flow_bundle, flows, steps):
    coloured = Case(scene, "YUV420P8", size=64).propagate(flow_bundle)
    coloured.get_frame(1)
    together(coloured, range(2, LENGTH), at_once=core.num_threads)
    # To the frame before and to the key, at half size.
    assert [*flows.values()] == [1] * (2 * LENGTH - 2)
    assert steps == [False] + [True] * (LENGTH - 2)


def test_frames_asked_for_with_the_first_are_soon_looked_at_too(scene, flow_bundle, steps):
    coloured = Case(scene, "YUV420P8", size=64).propagate(flow_bundle)
    together(coloured, range(LENGTH), at_once=core.num_threads)
    assert len(steps) == LENGTH - 1
    # These were on their way before there was a state to look from.
    assert steps.count(False) <= 1 + core.num_threads


def test_both_directions_share_the_flow_to_their_keys(scene, flow_bundle, flows, steps):
    case = Case(scene, "YUV420P8", size=64, keys=(0, 6))
    coloured = case.propagate(flow_bundle)
    for frame in (1, 2, 3, 4, 5):
        coloured.get_frame(frame)
    # Frame 1 begins, unseen: to its neighbour and both keys, in either direction. The others have
    # two neighbours and two keys.
    assert (steps.count(False), steps.count(True)) == (2, 8)
    assert flows.total() == 2 * 3 + 4 * 4


def test_a_replay_is_looked_at_in_parallel_too(scene, flow_bundle, steps):
    case = Case(scene, "YUV420P8", size=64)
    coloured = case.propagate(flow_bundle)
    coloured.get_frame(1)
    coloured.get_frame(30)
    assert steps == [False] + [True] * 29


@pytest.mark.parametrize("order", ORDERS)
def test_any_order_is_the_plain_loop(order, scene, flow_bundle, flow_session, monkeypatch):
    case = Case(scene, "YUV420P8", size=32, keys=(3, 30), cuts=(20,))
    plain = case.plain_loop(flow_session)
    monkeypatch.setattr(propagate, "Renderer", lambda *parts, **_: Renderer(*parts, budget=1))
    monkeypatch.setattr(core, "num_threads", 8)
    numbers = [n for n in ORDERS[order] if n < LENGTH]
    assert together(case.propagate(flow_bundle), numbers) == [plain[n] for n in numbers]


def test_a_look_beside_another_frame_is_not_used(scene, flow_session, steps):
    """As when a source gives another frame 1 today than it did then."""
    lumas = scene.luma
    keys = Keys([0], count=1, length=LENGTH, direction="forward")
    renderer = Renderer(Propagator(flow_session), keys, Shots(LENGTH, [0]))
    colours = [colour(renderer, 1, scene)]
    assert renderer.beside(2, Luma(lumas[2])) == [1]
    renderer.prepare(2, Luma(lumas[2]), {1: Luma(lumas[7])})
    colours.append(colour(renderer, 2, scene))
    renderer.prepare(3, Luma(lumas[3]), {2: Luma(lumas[2])})
    colours.append(colour(renderer, 3, scene))
    assert steps == [False, False, True]
    plain = Propagator(flow_session)
    running = plain.run(lumas[1:4], plain.init_state(scene.key()))
    for made, expected in zip(colours, running, strict=True):
        np.testing.assert_array_equal(made.chroma, expected.chroma)


def colour(renderer, frame, scene):
    """The colours of a frame, all of whose needs are met."""
    result = renderer.advance(frame, 0, luma=Luma(scene.luma[frame]))
    while isinstance(result, Need):
        given = Given(
            {n: Luma(scene.luma[n]) for n in result.lumas},
            {n: Painted(lambda luma: scene.key()) for n in result.keys},
        )
        result = renderer.advance(frame, 0, luma=Luma(scene.luma[frame]), given=given)
    return result


def test_looks_are_dropped_after_their_step_and_bounded():
    run, other = Pass(0, FORWARD, keyed=True, keys=(0,)), Pass(9, FORWARD, keyed=True, keys=(9,))
    lumas = np.random.default_rng(0).random((4, 16, 16), np.float32)
    seen = [
        prepare_inputs(luma, None, required_flows=frozenset(), multiple=8, previous=None, keys=())
        for luma in lumas
    ]
    looks = Looks(budget=2 * seen[0].nbytes)
    looks.put(1, run, seen[1])
    assert looks.get(1, other) is None
    assert looks.get(2, run) is None
    assert looks.get(1, run) is looks.get(1, run) is seen[1]
    looks.drop(1, run)
    assert looks.get(1, run) is None
    for n in (1, 2, 1, 3):
        looks.put(n, run, seen[n])
    assert [looks.get(n, run) is seen[n] for n in (1, 2, 3)] == [True, False, True]
    for n in (1, 2, 3, 1):
        looks.drop(n, run)
    for n in (1, 2):
        looks.put(n, run, seen[n])
    assert [looks.get(n, run) is seen[n] for n in (1, 2)] == [True, True]
