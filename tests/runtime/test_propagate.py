from __future__ import annotations

import warnings
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.scenes import Scene, render
from vidcolor import propagate
from vidcolor.errors import ArgumentError, KeyFrameError
from vidcolor.inference.session import Session, Tensors
from vidcolor.motion.preparer import Preparer
from vidcolor.planes import Key, Plane
from vidcolor.propagate import Propagator, State, Step
from vidcolor.timeline import BACKWARD, FORWARD, Pass

FRAMES = 12


@pytest.fixture(scope="module")
def propagator(toy_bundle: Path) -> Propagator:
    return Propagator(Session.load(toy_bundle, provider="cpu", threads=1))


@pytest.fixture(scope="module")
def flow_propagator(flow_bundle: Path) -> Propagator:
    return Propagator(Session.load(flow_bundle, provider="cpu", threads=1))


@pytest.fixture(scope="module")
def scene() -> Scene:
    return render(FRAMES, 45, 61)


def walk(propagator: Propagator, scene: Scene, state: State | None = None) -> list[Step]:
    """Steps 1, 2, ... from the key, or from the state of a frame `len(scene.luma)` from the end."""
    state = propagator.init_state(scene.key()) if state is None else state
    steps = []
    for luma in scene.luma[1:]:
        steps.append(propagator.step(luma, state))
        state = steps[-1].state
    return steps


def test_the_toy_does_what_its_formula_says(propagator: Propagator, scene: Scene) -> None:
    chroma, confidence = scene.chroma[0], np.float32(1)
    for t, step in enumerate(walk(propagator, scene), start=1):
        change = scene.luma[t] - scene.luma[t - 1]
        chroma = (0.9 * chroma + 0.08 * scene.chroma[0] + 0.05 * change).clip(-0.5, 0.5)
        confidence *= np.float32(0.99)
        assert step.chroma.shape == (2, 45, 61)
        assert step.confidence.shape == (45, 61)
        assert step.chroma.dtype == step.confidence.dtype == np.float32
        # 1e-6: float32 in another order of operations.
        np.testing.assert_allclose(step.chroma, chroma, atol=1e-6)
        np.testing.assert_allclose(step.confidence, confidence, atol=1e-6)


def test_a_state_is_a_value(propagator: Propagator, scene: Scene) -> None:
    """From any kept state, in any order, the same frames follow to the last bit."""
    steps = walk(propagator, scene)
    for t in (7, 2, 9, 2):
        rest = Scene(scene.luma[t:], scene.chroma[t:])
        for again, first in zip(walk(propagator, rest, steps[t - 1].state), steps[t:], strict=True):
            np.testing.assert_array_equal(again.chroma, first.chroma)
            np.testing.assert_array_equal(again.confidence, first.confidence)


def test_what_a_step_returned_may_be_written_on(propagator: Propagator, scene: Scene) -> None:
    first = propagator.step(scene.luma[1], propagator.init_state(scene.key()))
    expected = propagator.step(scene.luma[2], first.state)
    assert first.chroma.flags.owndata
    assert first.confidence.flags.owndata
    first.chroma[:], first.confidence[:] = 0, 0
    again = propagator.step(scene.luma[2], first.state)
    np.testing.assert_array_equal(again.chroma, expected.chroma)


def test_every_frame_since_the_key_matters(propagator: Propagator, scene: Scene) -> None:
    steps = walk(propagator, scene)
    skipped = propagator.step(scene.luma[6], steps[3].state)  # frame 5 left out
    assert (skipped.chroma != steps[5].chroma).any()
    twice = propagator.step(scene.luma[5], steps[4].state)
    assert (twice.chroma != steps[4].chroma).any()


@pytest.mark.parametrize("which", ["propagator", "flow_propagator"])
def test_threads_share_a_propagator(
    which: str, scene: Scene, request: pytest.FixtureRequest
) -> None:
    propagator = request.getfixturevalue(which)
    scenes = [scene, *(render(FRAMES, 45, 61, seed=seed) for seed in range(1, 8))]
    expected = [walk(propagator, one) for one in scenes]
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda one: walk(propagator, one), scenes))
    for steps, alone in zip(results, expected, strict=True):
        for step, reference in zip(steps, alone, strict=True):
            np.testing.assert_array_equal(step.chroma, reference.chroma)
            np.testing.assert_array_equal(step.confidence, reference.confidence)


def test_any_size_works_and_padding_leaves_no_trace(propagator: Propagator) -> None:
    """The toy looks at single pixels, so cropped planes give cropped colours."""
    whole = render(3, 24, 24)
    expected = walk(propagator, whole)
    for height, width in product((1, 7, 8, 9, 16, 23), (1, 8, 15, 24)):
        cropped = Scene(whole.luma[:, :height, :width], whole.chroma[:, :, :height, :width])
        for step, reference in zip(walk(propagator, cropped), expected, strict=True):
            np.testing.assert_array_equal(step.chroma, reference.chroma[:, :height, :width])
            np.testing.assert_array_equal(step.confidence, reference.confidence[:height, :width])


def test_planes_are_padded_with_their_edges(
    flow_propagator: Propagator, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[np.ndarray] = []
    propagate = Session.propagate

    def spy(
        session: Session,
        luma: np.ndarray,
        state: Tensors,
        memory: Tensors,
        flows: dict,
        features: Tensors,
    ) -> tuple:
        seen.extend((luma, *flows.values()))
        return propagate(session, luma, state, memory, flows, features)

    monkeypatch.setattr(Session, "propagate", spy)
    flow_propagator.step(scene.luma[1], flow_propagator.init_state(scene.key()))
    assert [planes.shape[1:] for planes in seen] == [(1, 48, 64), *[(2, 48, 64)] * 3]
    for planes in seen[:2]:  # flow to keys is that of padded planes
        inside = planes[0, :, :45, :61]
        padded = np.pad(inside, ((0, 0), (0, 3), (0, 3)), mode="edge")
        np.testing.assert_array_equal(planes[0], padded)
    np.testing.assert_array_equal(seen[0][0, 0, :45, :61], scene.luma[1])


def test_a_gray_key_gives_neutral_chroma(propagator: Propagator, scene: Scene) -> None:
    still = Scene(scene.luma[:1].repeat(4, axis=0), np.zeros_like(scene.chroma[:4]))
    for step in walk(propagator, still):
        np.testing.assert_array_equal(step.chroma, 0)


def test_all_keys_are_remembered_and_the_last_begins(propagator: Propagator, scene: Scene) -> None:
    keys = [scene.key(0), scene.key(5), scene.key(9)]
    step = propagator.step(scene.luma[9], propagator.init_state(*keys))
    mean = np.mean([key.chroma for key in keys], axis=0)
    np.testing.assert_allclose(step.chroma, 0.9 * keys[-1].chroma + 0.08 * mean, atol=1e-6)


def test_without_a_past_only_the_keys_are_left(propagator: Propagator, scene: Scene) -> None:
    keys = [scene.key(0), scene.key(5)]
    began = propagator.init_state(*keys)
    expected = began.tensors["chroma"].numpy()
    step = propagator.step(scene.luma[9], propagator.reset_state(began))
    mean = np.mean([key.chroma for key in keys], axis=0)
    np.testing.assert_allclose(step.chroma, 0.08 * mean + 0.05 * scene.luma[9], atol=1e-6)
    assert not step.confidence.any()
    np.testing.assert_array_equal(began.tensors["chroma"].numpy(), expected)
    after = propagator.step(scene.luma[10], step.state)
    change = scene.luma[10] - scene.luma[9]
    np.testing.assert_allclose(
        after.chroma, 0.9 * step.chroma + 0.08 * mean + 0.05 * change, atol=1e-6
    )


def test_a_pass_starts_at_its_key_or_without_a_past(propagator: Propagator, scene: Scene) -> None:
    keys = {frame: scene.key(frame) for frame in (0, 5, 9)}
    from_key = Pass(start=5, direction=BACKWARD, has_key_in_shot=True, keys=(9, 5))
    expected = propagator.step(scene.luma[4], propagator.init_state(keys[9], keys[5]))
    step = propagator.step(scene.luma[4], propagator.init_pass(from_key, keys))
    np.testing.assert_array_equal(step.chroma, expected.chroma)
    from_edge = Pass(start=6, direction=FORWARD, has_key_in_shot=False, keys=(5, 9))
    step = propagator.step(scene.luma[7], propagator.init_pass(from_edge, keys))
    mean = np.mean([keys[frame].chroma for frame in (5, 9)], axis=0)
    np.testing.assert_allclose(step.chroma, 0.08 * mean + 0.05 * scene.luma[7], atol=1e-6)
    assert not step.confidence.any()


def test_without_a_past_there_is_no_flow_to_it(flow_propagator: Propagator, scene: Scene) -> None:
    reset = flow_propagator.reset_state(flow_propagator.init_state(scene.key(0)))
    first = flow_propagator.step(scene.luma[4], reset)
    np.testing.assert_array_equal(first.chroma, 0)
    second = flow_propagator.step(scene.luma[5], first.state)
    assert np.abs(second.chroma).max() > 0.001  # from here on there is a frame to flow to


def test_float16_stays_near_float32(toy_bundle: Path, propagator: Propagator, scene: Scene) -> None:
    half = Propagator(Session.load(toy_bundle, provider="cpu", precision="float16"))
    steps = walk(half, scene)
    for step, reference in zip(steps, walk(propagator, scene), strict=True):
        # The state is rounded to 11 bits at each step: 0.5 / 2^11, some of it piling up.
        np.testing.assert_allclose(step.chroma, reference.chroma, atol=2e-3)
    assert steps[0].state.nbytes == propagator.init_state(scene.key()).nbytes / 2


def test_flows_arrive_with_sign_and_scale(flow_propagator: Propagator) -> None:
    """The toy shows the flow it was given: its chroma adds up flow.previous / 100."""
    ground = render(1, 160, 200, seed=5).luma[0]
    right, down = 2, 1
    lumas = [ground[20 - down * t :, 30 - right * t :][:101, :123].copy() for t in range(4)]
    chroma = np.zeros((2, 101, 123), np.float32)
    state = flow_propagator.init_state(Key(lumas[0], chroma))
    for t in (1, 2, 3):
        # Things move right and down, so where they were lies left and above: flow is negative.
        step = flow_propagator.step(lumas[t], state)
        x, y = (np.median(plane[16:-16, 16:-16]) * 100 for plane in step.chroma)
        assert x == pytest.approx(-right * t, abs=0.15 * t)
        assert y == pytest.approx(-down * t, abs=0.15 * t)
        to_key = (np.median(step.confidence[16:-16, 16:-16]) - 0.5) * 100
        assert to_key == pytest.approx(-right * t, abs=0.2)
        state = step.state


def test_flow_goes_to_every_key(flow_propagator: Propagator) -> None:
    ground = render(1, 120, 160, seed=5).luma[0]
    here, left, right = (ground[10:90, 20 + x : 140 + x].copy() for x in (0, 4, -2))
    chroma = np.zeros((2, 80, 120), np.float32)
    state = flow_propagator.init_state(*(Key(luma, chroma) for luma in (left, right)))
    step = flow_propagator.step(here, state)
    mean = (np.median(step.confidence[16:-16, 16:-16]) - 0.5) * 100
    assert mean == pytest.approx((-4 + 2) / 2, abs=0.2)


def test_a_luma_of_another_size_or_type_is_refused(propagator: Propagator, scene: Scene) -> None:
    state = propagator.init_state(scene.key())
    with pytest.raises(ArgumentError, match=r"luma is 60x45 pixels, .* frames of 61x45"):
        propagator.step(scene.luma[1][:, :60], state)
    with pytest.raises(ArgumentError, match=r"luma must be \[h, w\] float32, got .* float64"):
        propagator.step(scene.luma[1].astype(np.float64), state)
    with pytest.raises(ArgumentError, match=r"luma must be \[h, w\] float32, got list"):
        propagator.step(scene.luma[1].tolist(), state)
    with pytest.raises(ArgumentError, match=r"luma must be in 0 to 1, got \S+ to \d{3}"):
        propagator.step(scene.luma[1] * 255, state)


def test_luma_that_is_no_number_is_refused_without_a_warning(
    flow_propagator: Propagator, scene: Scene
) -> None:
    state = flow_propagator.init_state(scene.key())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ArgumentError, match=r"luma must be in 0 to 1, got nan"):
            next(flow_propagator.run([scene.luma[1] * np.nan], state))


@pytest.mark.parametrize(
    ("previous", "message"),
    [
        (np.zeros((45, 60), np.float32), "previous is 60x45 pixels, .* frames of 61x45"),
        (np.full((45, 61), np.nan, np.float32), "previous: luma must be in 0 to 1, got nan"),
        ([0.5], r"previous: luma must be \[h, w\] float32, got list"),
    ],
)
def test_a_frame_before_of_another_size_or_type_is_refused(
    propagator: Propagator, scene: Scene, previous: np.ndarray, message: str
) -> None:
    state = propagator.init_state(scene.key())
    with pytest.raises(ArgumentError, match=message):
        propagator.prepare(scene.luma[1], state, previous=previous)


def test_what_is_no_key_is_refused(propagator: Propagator, scene: Scene) -> None:
    key = scene.key()
    with pytest.raises(KeyFrameError, match=r"is a list, a vidcolor\.Key is needed"):
        propagator.init_state([key])  # type: ignore[arg-type]
    with pytest.raises(KeyFrameError, match=r"is a ndarray, a vidcolor\.Key is needed"):
        propagator.init_state(references=[key.luma])  # type: ignore[list-item]
    with pytest.raises(KeyFrameError, match="references is one Key, a list of them is needed"):
        propagator.init_state(references=key)  # type: ignore[arg-type]


def test_keys_must_be_there_and_of_one_size(propagator: Propagator, scene: Scene) -> None:
    with pytest.raises(KeyFrameError, match="at least one key frame"):
        propagator.init_state()
    small = Key(scene.luma[0][:40], scene.chroma[0][:, :40])
    with pytest.raises(KeyFrameError, match="key frames are 61x45, 61x40 pixels"):
        propagator.init_state(scene.key(), small)
    key = scene.key()
    with pytest.raises(
        KeyFrameError, match=r"a key frame is painted in parts, a whole one is need"
    ):
        propagator.init_state(Key(key.luma, key.chroma, np.zeros_like(key.luma)))


def test_a_state_knows_its_weight(
    propagator: Propagator, flow_propagator: Propagator, scene: Scene
) -> None:
    padded = 48 * 64
    assert propagator.init_state(scene.key()).nbytes == 4 * padded * 4
    track = 2 * padded // 4 * 4
    assert flow_propagator.init_state(scene.key()).nbytes == 4 * padded * 4 + 45 * 61 + track
    assert repr(propagator.init_state(scene.key())) == (
        "State(size=(45, 61), tensors=['chroma', 'confidence', 'luma'])"
    )


@pytest.mark.parametrize("workers", [None, 1, 3])
@pytest.mark.parametrize("model", ["toy_bundle", "flow_bundle"])
def test_a_run_is_the_plain_loop(
    model: str, workers: int | None, scene: Scene, request: pytest.FixtureRequest
) -> None:
    session = Session.load(request.getfixturevalue(model), provider="cpu", threads=1)
    propagator = Propagator(session)
    for begun in (
        propagator.init_state(scene.key(0), scene.key(3)),
        propagator.reset_state(propagator.init_state(scene.key(0))),
    ):
        running = propagator.run(iter(scene.luma[1:]), begun, workers=workers)
        for step, expected in zip(running, walk(propagator, scene, begun), strict=True):
            np.testing.assert_array_equal(step.chroma, expected.chroma)
            np.testing.assert_array_equal(step.confidence, expected.confidence)


@pytest.mark.parametrize(
    ("cores", "provider", "wanted", "workers"),
    [
        (1, "cpu", None, 1),
        (2, "cpu", None, 1),
        (16, "cpu", None, 8),  # the graph has the others
        (1, "cuda", None, 1),
        (2, "cuda", None, 1),
        (16, "cuda", None, 15),
        (16, "directml", None, 15),
        (16, "cuda", 4, 4),
        (16, "cpu", 40, 16),
    ],
)
def test_a_run_prepares_as_many_frames_as_there_are_idle_cores(
    cores: int,
    provider: str,
    wanted: int | None,
    workers: int,
    flow_propagator: Propagator,
    scene: Scene,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert asked(flow_propagator, scene, monkeypatch, cores, provider, wanted) == workers


def test_a_run_prepares_no_more_frames_than_memory_is_meant_for(
    flow_propagator: Propagator, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three, with luma, the flow to the frame before, and what there is of one key."""
    begun = flow_propagator.init_state(scene.key())
    held = flow_propagator.prepare(scene.luma[1], begun).nbytes
    monkeypatch.setattr(propagate, "AHEAD_BYTES", int(3.5 * held))
    assert asked(flow_propagator, scene, monkeypatch, 16, "cuda", None) == 3
    monkeypatch.setattr(propagate, "AHEAD_BYTES", 0)
    assert asked(flow_propagator, scene, monkeypatch, 16, "cuda", None) == 1


def asked(
    propagator: Propagator,
    scene: Scene,
    monkeypatch: pytest.MonkeyPatch,
    cores: int,
    provider: str,
    wanted: int | None,
) -> int:
    """How many threads a run asks for."""
    numbers = []
    ahead = Preparer.ahead

    def counted(self: Preparer, lumas: Iterable[Plane], **given: Any) -> Any:
        numbers.append(given["workers"])
        return ahead(self, lumas, **given)

    monkeypatch.setattr(Preparer, "ahead", counted)
    monkeypatch.setattr(propagate, "count_cores", lambda: cores)
    session = replace(propagator.session, provider=provider)
    list(
        Propagator(session).run(scene.luma[1:3], propagator.init_state(scene.key()), workers=wanted)
    )
    return numbers[-1]


def test_a_run_says_what_is_wrong_at_its_place(propagator: Propagator, scene: Scene) -> None:
    lumas = [*scene.luma[1:3], scene.luma[3][:40]]
    running = propagator.run(lumas, propagator.init_state(scene.key()), workers=4)
    assert len([next(running), next(running)]) == 2
    with pytest.raises(ArgumentError, match="luma is 61x40 pixels"):
        next(running)


def test_inputs_prepared_for_other_frames_are_refused(
    flow_propagator: Propagator, scene: Scene
) -> None:
    state = flow_propagator.init_state(scene.key())
    seen = flow_propagator.prepare(scene.luma[2], state, previous=scene.luma[1])
    after = flow_propagator.step(scene.luma[1], state).state
    expected = flow_propagator.step(scene.luma[2], after)
    np.testing.assert_array_equal(flow_propagator.step(seen, after).chroma, expected.chroma)
    for other in (
        state,
        flow_propagator.reset_state(after),
        flow_propagator.step(scene.luma[1], flow_propagator.init_state(scene.key(5))).state,
    ):
        with pytest.raises(
            ArgumentError, match="prepared for other frames than those of its state"
        ):
            flow_propagator.step(seen, other)
