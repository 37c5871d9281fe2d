"""Pictures that show no frame of the clip: fitted, remembered, and worth what they show."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.scenes import Scene, render
from vidcolor.errors import ArgumentError, KeyFrameError
from vidcolor.inference import contract
from vidcolor.inference.session import Session
from vidcolor.motion.frame_inputs import ELSEWHERE
from vidcolor.planes import Key
from vidcolor.propagate import Propagator
from vidcolor.references import MOST_REFERENCES, check_count, fit_reference
from vidcolor.timeline import FORWARD, Pass
from vidcolor.working_size import WorkingSize

SHOT = Pass(start=-1, direction=FORWARD, has_key_in_shot=False, keys=())


@pytest.fixture(scope="module")
def scene() -> Scene:
    return render(5, 45, 61)


def propagator_of(bundle: Path | str) -> Propagator:
    return Propagator(Session.load(bundle, provider="cpu", threads=1))


def plain(height: int, width: int) -> Key:
    """A picture whose luma rises to the right, in one colour."""
    luma = np.tile(np.linspace(0, 1, width, dtype=np.float32), (height, 1))
    return Key(luma, np.full((2, height, width), [[[0.1]], [[-0.2]]], np.float32))


@pytest.mark.parametrize(
    ("shape", "inner"),
    [((64, 96), (64, 96)), ((320, 480), (64, 96)), ((200, 100), (64, 32)), ((30, 90), (32, 96))],
)
def test_a_reference_of_any_size_fits(shape: tuple[int, int], inner: tuple[int, int]) -> None:
    fitted = fit_reference(plain(*shape), WorkingSize.of(640, 960, 64))
    assert fitted.luma.shape == (64, 96)
    np.testing.assert_allclose(fitted.chroma[0], 0.1, atol=1e-6)
    top, left = ((64 - inner[0]) // 2, (96 - inner[1]) // 2)
    row = fitted.luma[32]
    assert np.all(np.diff(row[left : left + inner[1]]) > 0)  # the whole picture, not stretched
    np.testing.assert_array_equal(row[:left], row[left : 2 * left][::-1])  # and its mirror image
    np.testing.assert_array_equal(fitted.luma[:top], fitted.luma[top : 2 * top][::-1])


def test_no_more_than_fit_in_memory() -> None:
    check_count(MOST_REFERENCES)
    with pytest.raises(ArgumentError, match="references are 17, accepted are at most 16"):
        check_count(MOST_REFERENCES + 1)


def test_a_shot_without_a_key_remembers_them(toy_bundle: Path, scene: Scene) -> None:
    """The toy's first step gives 0.08 of the mean of all that is remembered."""
    propagator = propagator_of(toy_bundle)
    references = [scene.key(3), scene.key(4)]
    state = propagator.init_pass(SHOT._replace(keys=(0,)), {0: scene.key(0)}, references)
    chroma = propagator.step(scene.luma[1], state).chroma
    mean = np.mean([scene.chroma[n] for n in (0, 3, 4)], axis=0)
    luma = 0.05 * scene.luma[1]  # against a state of zeros
    np.testing.assert_allclose(chroma, (0.08 * mean + luma).clip(-0.5, 0.5), atol=1e-6)


def test_a_shot_with_a_key_does_not(toy_bundle: Path, scene: Scene) -> None:
    propagator = propagator_of(toy_bundle)
    pass_ = Pass(start=0, direction=FORWARD, has_key_in_shot=True, keys=(0,))
    keys = {0: scene.key(0)}
    alone = propagator.step(scene.luma[1], propagator.init_pass(pass_, keys))
    beside = propagator.step(scene.luma[1], propagator.init_pass(pass_, keys, [scene.key(3)]))
    np.testing.assert_array_equal(beside.chroma, alone.chroma)


def test_no_flow_leads_to_them(flow_bundle: Path, scene: Scene) -> None:
    """Flow to keys is found; to references it is said to be worth nothing."""
    propagator = propagator_of(flow_bundle)
    state = propagator.reset_state(propagator.init_state(scene.key(0), references=[scene.key(4)]))
    inputs = propagator.prepare(scene.luma[1], state)
    flows = inputs.flows_with(state.references)
    for name in contract.FLOWS_TO_KEYS & inputs.required_flows:
        assert flows[name].shape[:2] == (2, 2)
        np.testing.assert_array_equal(flows[name][:1], inputs.flows[name])
        worth = 0 if name == contract.FLOW_TRACK else ELSEWHERE
        assert np.all(np.abs(flows[name][1]) == worth)
    assert inputs.flows_with(0) is inputs.flows


@pytest.mark.parametrize("model", ["toy", "flow"])
def test_without_any_key(model: str, toy_bundle: Path, flow_bundle: Path, scene: Scene) -> None:
    """From references alone, a run gives what steps give, and a state can be stepped from again."""
    propagator = propagator_of(toy_bundle if model == "toy" else flow_bundle)
    state = propagator.init_pass(SHOT, {}, [scene.key(4), scene.key(2)])
    ran = [step.chroma for step in propagator.run(scene.luma, state)]
    for _ in range(2):
        at = state
        for luma, chroma in zip(scene.luma, ran, strict=True):
            step = propagator.step(luma, at)
            np.testing.assert_array_equal(step.chroma, chroma)
            at = step.state


def test_nothing_to_begin_with(toy_bundle: Path) -> None:
    with pytest.raises(KeyFrameError, match="at least one key frame or reference"):
        propagator_of(toy_bundle).init_pass(SHOT, {})


def test_the_model_that_ships_finds_things_in_another_picture() -> None:
    """The shot turned round and mirrored: nothing of it lies where the reference has it."""
    shot = render(6, 96, 128, seed=3)
    mirrored = Key(shot.luma[5, :, ::-1].copy(), shot.chroma[5, :, :, ::-1].copy())
    other = render(2, 96, 128, seed=53).key()
    propagator = propagator_of("vidcolor-2")

    def error(*references: Key) -> float:
        state = propagator.init_pass(SHOT, {}, references)
        steps = list(propagator.run(shot.luma[:4], state))
        errors = [np.abs(step.chroma - shot.chroma[t]).mean() for t, step in enumerate(steps)]
        return float(np.mean(errors))

    gray, held = np.abs(shot.chroma[:4]).mean(), np.abs(shot.chroma[:4] - mirrored.chroma).mean()
    assert error(mirrored) < min(0.25 * gray, 0.65 * held)
    # Of two, that counts which looks like the shot.
    assert error(other, mirrored) < 0.6 * gray < error(other)


def test_a_model_that_remembers_nothing() -> None:
    assert Session.load("vidcolor-2", provider="cpu").remembers
    assert not Session.load("unet-2019", provider="cpu").remembers
