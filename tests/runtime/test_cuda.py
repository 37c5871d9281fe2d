from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.scenes import render
from vidcolor.inference.session import Session
from vidcolor.propagate import Propagator

pytestmark = pytest.mark.cuda


@pytest.fixture(params=["bundle", "flow"])
def model(request: pytest.FixtureRequest, toy_bundle: Path) -> Path:
    return toy_bundle.parent / request.param


@pytest.mark.parametrize(
    ("precision", "tolerance"),
    # float32 in another order of operations; float16 rounds the state to 11 bits at each step.
    [("float32", 1e-5), ("float16", 2e-3)],
)
def test_cuda_agrees_with_the_cpu(model: Path, precision: str, tolerance: float) -> None:
    """Over 100 frames. The toys forget, or add up numbers that are the same on both."""
    scene = render(104, 45, 61)
    keys = scene.key(0), scene.key(3)
    cpu, cuda = (
        Propagator(Session.load(model, provider=provider, precision=precision))
        for provider in ("cpu", "cuda")
    )
    steps = (
        propagator.run(scene.luma[4:], propagator.init_state(*keys)) for propagator in (cpu, cuda)
    )
    for on_cpu, on_cuda in zip(*steps, strict=True):
        np.testing.assert_allclose(on_cuda.chroma, on_cpu.chroma, atol=tolerance)
        np.testing.assert_allclose(on_cuda.confidence, on_cpu.confidence, atol=tolerance)


@pytest.mark.parametrize(("precision", "codes"), [("float32", 0.05), ("float16", 0.25)])
def test_the_shipped_model_agrees_with_itself_on_the_cpu(precision: str, codes: float) -> None:
    """Over 100 frames, in the mean over a frame: less than so many codes of 8 bits.

    Not in each pixel: where two sources of colour are equally likely, the last bit decides.
    """
    scene = render(101, 96, 160)
    cpu, cuda = (
        Propagator(Session.load(provider="cpu", precision="float32")),
        Propagator(Session.load(provider="cuda", precision=precision)),
    )
    steps = (
        propagator.run(scene.luma[1:], propagator.init_state(scene.key()))
        for propagator in (cpu, cuda)
    )
    for on_cpu, on_cuda in zip(*steps, strict=True):
        assert np.abs(on_cuda.chroma - on_cpu.chroma).mean() < codes / 255


def test_auto_takes_cuda_in_float16(toy_bundle: Path) -> None:
    session = Session.load(toy_bundle)
    assert (session.provider, session.precision) == ("cuda", "float16")


def test_state_and_memory_stay_on_the_device(toy_bundle: Path) -> None:
    scene = render(3, 45, 61)
    propagator = Propagator(Session.load(toy_bundle, provider="cuda"))
    state = propagator.init_state(scene.key(0), scene.key(1))
    for luma in scene.luma[1:]:
        tensors = [*state.tensors.values(), *state.memory.values()]
        assert [tensor.device_name().lower() for tensor in tensors] == ["cuda"] * 4
        state = propagator.step(luma, state).state


def test_replays_on_cuda_are_equal_to_the_bit(model: Path) -> None:
    scene = render(6, 45, 61)
    propagator = Propagator(Session.load(model, provider="cuda"))
    first, second = [], []
    for run in (first, second):
        state = propagator.init_state(scene.key())
        for luma in scene.luma[1:]:
            step = propagator.step(luma, state)
            run.append(step.chroma)
            state = step.state
    np.testing.assert_array_equal(first, second)
