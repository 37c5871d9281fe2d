"""What CUDA has of its own; tests/runtime/test_provider_parity.py compares it with the CPU."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.scenes import render
from vidcolor.inference.session import Session
from vidcolor.propagate import Propagator

pytestmark = pytest.mark.cuda


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
