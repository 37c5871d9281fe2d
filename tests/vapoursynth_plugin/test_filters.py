"""Inputs of steps that depend on luma alone are computed ahead, once, and never change a colour."""

import threading
from collections import Counter

import cv2
import numpy as np
import pytest
import vapoursynth as vs

from tests.support.scenes import render
from tests.support.waiting import DEADLINE
from tests.vapoursynth_plugin.reference import Case
from tests.vapoursynth_plugin.test_order import ORDERS, together
from vidcolor.motion import frame_inputs as inputs_module
from vidcolor.motion.frame_inputs import FrameInputs
from vidcolor.motion.track import follow
from vidcolor.propagate import Propagator
from vidcolor.timeline import Shots
from vsvidcolor import propagate
from vsvidcolor.key_clip import Keys
from vsvidcolor.render import Renderer
from vsvidcolor.replay import Replay
from vsvidcolor.request import ClipFrame, InputRequest, InputResponse, KeyFrame

core = vs.core
LENGTH = 40


@pytest.fixture(scope="module")
def scene():
    return render(LENGTH, 64, 88)


def watch_flows(monkeypatch, note):
    """Call `note` with both lumas whenever flow is computed between them, from now on."""

    def watched(compute):
        def call(here, other, **options):
            note(here, other)
            return compute(here, other, **options)

        return call

    for name in ("previous_flow", "direct_flow"):
        monkeypatch.setattr(inputs_module, name, watched(getattr(inputs_module, name)))


@pytest.fixture
def flows(monkeypatch):
    """Pairs of lumas that flow was computed between, from now on: their bytes, and how often."""
    counted, lock = Counter(), threading.Lock()

    def count(here, other):
        with lock:
            counted[here.tobytes(), other.tobytes()] += 1

    watch_flows(monkeypatch, count)
    return counted


@pytest.fixture
def steps(monkeypatch):
    """For each step from now on: whether its inputs were computed ahead."""
    made, step = [], Propagator.step

    def watched(self, luma, state):
        made.append(isinstance(luma, FrameInputs))
        return step(self, luma, state)

    monkeypatch.setattr(Propagator, "step", watched)
    return made


def test_a_straight_run_computes_each_flow_once_and_ahead(scene, flow_bundle, flows, steps):
    colored = Case(scene, "YUV420P8", size=64).propagate(flow_bundle)
    colored.get_frame(1)
    together(colored, range(2, LENGTH), at_once=core.num_threads)
    # To the frame before and to the key, at half size.
    assert [*flows.values()] == [1] * (2 * LENGTH - 2)
    assert steps == [False] + [True] * (LENGTH - 2)


def test_frames_asked_for_with_the_first_are_soon_prepared_too(scene, flow_bundle, steps):
    colored = Case(scene, "YUV420P8", size=64).propagate(flow_bundle)
    together(colored, range(LENGTH), at_once=core.num_threads)
    assert len(steps) == LENGTH - 1
    # These were on their way before there was a state to prepare from.
    assert steps.count(False) <= 1 + core.num_threads


def test_frames_are_made_side_by_side_with_one_thread_of_opencvs_each(
    scene, flow_bundle, monkeypatch
):
    """VapourSynth has threads enough. Only the first frame's flow is computed in its step."""
    threads, before = [], cv2.getNumThreads()

    watch_flows(monkeypatch, lambda *_: threads.append(cv2.getNumThreads()))
    cv2.setNumThreads(3)
    try:
        colored = Case(scene, "YUV420P8", size=64).propagate(flow_bundle)
        colored.get_frame(1)
        threads.clear()
        together(colored, range(2, LENGTH), at_once=core.num_threads)
        assert threads == [1] * (2 * LENGTH - 4)
        assert cv2.getNumThreads() == 3
    finally:
        cv2.setNumThreads(before)


def test_both_directions_share_the_flow_to_their_keys(scene, flow_bundle, flows, steps):
    case = Case(scene, "YUV420P8", size=64, keys=(0, 6))
    colored = case.propagate(flow_bundle)
    for frame in (1, 2, 3, 4, 5):
        colored.get_frame(frame)
    # Frame 1 begins, not prepared: to its neighbour and both keys, in either direction. The others
    # have two neighbours and two keys.
    assert (steps.count(False), steps.count(True)) == (2, 8)
    assert flows.total() == 2 * 3 + 4 * 4


def test_a_replay_is_prepared_in_parallel_too(scene, flow_bundle, steps):
    case = Case(scene, "YUV420P8", size=64)
    colored = case.propagate(flow_bundle)
    colored.get_frame(1)
    colored.get_frame(30)
    assert steps == [False] + [True] * 29


@pytest.mark.parametrize("order", ORDERS)
def test_any_order_is_the_plain_loop(order, scene, flow_bundle, flow_session, monkeypatch):
    case = Case(scene, "YUV420P8", size=32, keys=(3, 30), cuts=(20,))
    plain = case.plain_loop(flow_session)
    monkeypatch.setattr(propagate, "Replay", lambda *parts, **_: Replay(*parts, budget=1))
    monkeypatch.setattr(core, "num_threads", 8)
    numbers = [n for n in ORDERS[order] if n < LENGTH]
    assert together(case.propagate(flow_bundle), numbers) == [plain[n] for n in numbers]


def test_inputs_of_another_frame_are_not_used(scene, flow_session, steps):
    """As when a source gives another frame 1 today than it did then."""
    frames = [ClipFrame(luma) for luma in scene.luma]
    replay, renderer = prepared(scene, flow_session)
    assert replay.previous_frames(2, frames[2]) == []  # nothing has begun
    colors = [color(renderer, 1, frames)]
    assert replay.previous_frames(2, frames[2]) == [1]
    replay.prepare(2, frames[2].luma, {1: frames[7]})
    colors.append(color(renderer, 2, frames))
    replay.prepare(3, frames[3].luma, {2: frames[2]})
    colors.append(color(renderer, 3, frames))
    assert steps == [False, False, True]
    plain = Propagator(flow_session)
    running = plain.run(scene.luma[1:4], plain.init_state(scene.key()))
    for made, expected in zip(colors, running, strict=True):
        np.testing.assert_array_equal(made.chroma, expected.chroma)


@pytest.mark.parametrize("order", [(2, 3, 4, 5), (5, 4, 3, 2), (3, 5, 2, 4)])
def test_keys_are_followed_before_the_steps_in_whatever_order_frames_are_prepared(
    order, scene, flow_session, monkeypatch
):
    """A step of a prepared frame follows none; the next one goes on from its tracks."""
    frames = [ClipFrame(luma) for luma in scene.luma]
    replay, renderer = prepared(scene, flow_session)
    followed = []
    monkeypatch.setattr(
        inputs_module,
        "follow",
        lambda here, key, **given: (followed.append(here), follow(here, key, **given))[1],
    )
    colors = [color(renderer, 1, frames)]
    assert len(followed) == 1
    for n in order:
        replay.prepare(n, scene.luma[n], {n - 1: frames[n - 1]})
    assert len(followed) == 1 + 4
    colors += [color(renderer, n, frames) for n in (2, 3, 4)]
    assert len(followed) == 1 + 4
    replay.prepare(6, scene.luma[6], {5: frames[5]})
    colors += [color(renderer, n, frames) for n in (5, 6)]
    assert len(followed) == 1 + 4 + 1
    plain = Propagator(flow_session)
    running = plain.run(scene.luma[1:7], plain.init_state(scene.key()))
    for made, expected in zip(colors, running, strict=True):
        np.testing.assert_array_equal(made.chroma, expected.chroma)


def test_a_thread_that_finds_another_at_work_leaves_its_frame_to_it(
    scene, flow_session, monkeypatch
):
    frames = [ClipFrame(luma) for luma in scene.luma]
    replay, renderer = prepared(scene, flow_session)
    color(renderer, 1, frames)
    threads, begun, go_on = [], threading.Event(), threading.Event()

    def slowly(here, key, **given):
        threads.append(threading.current_thread())
        begun.set()
        assert go_on.wait(DEADLINE)
        return follow(here, key, **given)

    monkeypatch.setattr(inputs_module, "follow", slowly)
    other = threading.Thread(target=replay.prepare, args=(2, scene.luma[2], {1: frames[1]}))
    other.start()
    assert begun.wait(DEADLINE)
    replay.prepare(3, scene.luma[3], {2: frames[2]})  # returns, though frame 2 has no tracks yet
    go_on.set()
    other.join(DEADLINE)
    assert threads == [other, other]


def test_an_error_while_keys_are_followed_leaves_nobody_waiting(scene, flow_session, monkeypatch):
    frames = [ClipFrame(luma) for luma in scene.luma]
    replay, renderer = prepared(scene, flow_session)
    color(renderer, 1, frames)
    with monkeypatch.context() as broken:
        broken.setattr(inputs_module, "follow", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            replay.prepare(2, scene.luma[2], {1: frames[1]})
    replay.prepare(3, scene.luma[3], {2: frames[2]})
    [pass_] = replay.passes(3)
    replay._tracks.follow(2, pass_, replay._known_tracks)
    assert replay._inputs.get(3, pass_).tracks is not None


def prepared(scene, session):
    """A replay of the scene, coloured from its first frame, and its renderer."""
    keys = Keys(
        [0], count=1, length=LENGTH, direction="forward", fit=lambda image, frame: scene.key()
    )
    shots = Shots(LENGTH, [0])
    replay = Replay(Propagator(session), keys, shots)
    return replay, Renderer(replay, keys, shots)


def color(renderer, frame, frames):
    """The colours of a frame; all that it needs is given."""
    result = renderer.advance(frame, 0, clip_frame=frames[frame])
    while isinstance(result, InputRequest):
        response = InputResponse(
            {n: frames[n] for n in result.lumas}, {n: KeyFrame(None) for n in result.keys}
        )
        result = renderer.advance(frame, 0, clip_frame=frames[frame], response=response)
    return result
