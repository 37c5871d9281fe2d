from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.scenes import render
from vidcolor.propagate import Propagator
from vidcolor.session import Session

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
    scene = render(8, 45, 61)
    on_cpu, on_cuda = (
        Propagator(Session.load(model, provider=provider, precision=precision))
        for provider in ("cpu", "cuda")
    )
    keys = scene.key(0), scene.key(3)
    cpu_state, cuda_state = on_cpu.begin(*keys), on_cuda.begin(*keys)
    for luma in scene.luma[4:]:
        cpu, cuda = on_cpu.step(luma, cpu_state), on_cuda.step(luma, cuda_state)
        np.testing.assert_allclose(cuda.chroma, cpu.chroma, atol=tolerance)
        np.testing.assert_allclose(cuda.confidence, cpu.confidence, atol=tolerance)
        cpu_state, cuda_state = cpu.state, cuda.state


def test_auto_takes_cuda_in_float16(toy_bundle: Path) -> None:
    session = Session.load(toy_bundle)
    assert (session.provider, session.precision) == ("cuda", "float16")


def test_state_and_memory_stay_on_the_device(toy_bundle: Path) -> None:
    scene = render(3, 45, 61)
    propagator = Propagator(Session.load(toy_bundle, provider="cuda"))
    state = propagator.begin(scene.key(0), scene.key(1))
    for luma in scene.luma[1:]:
        tensors = [*state.tensors.values(), *state.memory.values()]
        assert [tensor.device_name().lower() for tensor in tensors] == ["cuda"] * 4
        state = propagator.step(luma, state).state


def test_replays_on_cuda_are_equal_to_the_bit(model: Path) -> None:
    scene = render(6, 45, 61)
    propagator = Propagator(Session.load(model, provider="cuda"))
    first, second = [], []
    for run in (first, second):
        state = propagator.begin(scene.key())
        for luma in scene.luma[1:]:
            step = propagator.step(luma, state)
            run.append(step.chroma)
            state = step.state
    np.testing.assert_array_equal(first, second)
