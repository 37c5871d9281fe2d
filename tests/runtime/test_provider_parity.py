"""Each execution provider that onnxruntime has here computes what the CPU computes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support import need
from tests.support.scenes import render
from vidcolor.errors import ProviderError
from vidcolor.inference.known_providers import KNOWN
from vidcolor.inference.providers import offered
from vidcolor.inference.session import Session
from vidcolor.propagate import Propagator

PROVIDERS = [
    pytest.param(name, marks=pytest.mark.cuda if name == "cuda" else ())
    for name in KNOWN
    if name in ("cuda", *offered()) or need.is_required(name.upper())
]


@pytest.fixture(params=PROVIDERS)
def provider(request: pytest.FixtureRequest) -> str:
    """The CPU is one of them: what it gives once it gives again."""
    name: str = request.param
    if name not in ("cpu", "cuda"):
        need.provider(name)
    return name


@pytest.fixture(params=["bundle", "flow"])
def model(request: pytest.FixtureRequest, toy_bundle: Path, provider: str) -> Path:
    if provider == "openvino" and request.param == "flow":
        pytest.skip("this graph has inputs that no node reads, see test_openvino_is_found_out")
    return toy_bundle.parent / request.param


@pytest.mark.parametrize(
    ("precision", "tolerance"),
    # float32 in another order of operations; float16 rounds the state to 11 bits at each step.
    [("float32", 1e-5), ("float16", 2e-3)],
)
def test_a_toy_agrees_with_the_cpu(
    model: Path, provider: str, precision: str, tolerance: float
) -> None:
    """Over 100 frames. The toys forget, or add up numbers that are the same on both."""
    scene = render(104, 45, 61)
    keys = scene.key(0), scene.key(3)
    cpu, other = (
        Propagator(Session.load(model, provider=name, precision=precision))
        for name in ("cpu", provider)
    )
    steps = (
        propagator.run(scene.luma[4:], propagator.init_state(*keys)) for propagator in (cpu, other)
    )
    for on_cpu, on_other in zip(*steps, strict=True):
        np.testing.assert_allclose(on_other.chroma, on_cpu.chroma, atol=tolerance)
        np.testing.assert_allclose(on_other.confidence, on_cpu.confidence, atol=tolerance)


@pytest.mark.parametrize("shipped", ["vidcolor-2", "unet-2019"])
@pytest.mark.parametrize(("precision", "codes"), [("float32", 0.05), ("float16", 0.25)])
def test_a_shipped_model_agrees_with_itself_on_the_cpu(
    provider: str, shipped: str, precision: str, codes: float
) -> None:
    """Over 30 frames, in the mean over a frame: less than so many codes of 8 bits.

    Not in each pixel: where two sources of colour are equally likely, the last bit decides.
    """
    scene = render(31, 96, 160)
    cpu = Propagator(Session.load(shipped, provider="cpu", precision="float32"))
    other = Propagator(Session.load(shipped, provider=provider, precision=precision))
    steps = (
        propagator.run(scene.luma[1:], propagator.init_state(scene.key()))
        for propagator in (cpu, other)
    )
    for on_cpu, on_other in zip(*steps, strict=True):
        assert np.abs(on_other.chroma - on_cpu.chroma).mean() < codes / 255


def test_replays_are_equal_to_the_bit(model: Path, provider: str) -> None:
    scene = render(6, 45, 61)
    propagator = Propagator(Session.load(model, provider=provider))
    first, second = [], []
    for run in (first, second):
        state = propagator.init_state(scene.key())
        for luma in scene.luma[1:]:
            step = propagator.step(luma, state)
            run.append(step.chroma)
            state = step.state
    np.testing.assert_array_equal(first, second)


def test_a_kept_state_is_a_value(model: Path, provider: str) -> None:
    """Stepped from again after others, it gives the same colours."""
    scene = render(6, 45, 61)
    propagator = Propagator(Session.load(model, provider=provider))
    state = propagator.init_state(scene.key())
    kept, then = state, propagator.step(scene.luma[1], state)
    for luma in scene.luma[1:]:
        state = propagator.step(luma, state).state
    again = propagator.step(scene.luma[1], kept)
    np.testing.assert_array_equal(again.chroma, then.chroma)
    for name, tensor in then.state.tensors.items():
        np.testing.assert_array_equal(again.state.tensors[name].numpy(), tensor.numpy())


def test_openvino_is_found_out(flow_bundle: Path) -> None:
    """It mixes up the inputs of a graph where no node reads some of them."""
    need.provider("openvino")
    with pytest.raises(ProviderError, match="'openvino' does not compute what the model says"):
        Session.load(flow_bundle, provider="openvino", precision="float32")
