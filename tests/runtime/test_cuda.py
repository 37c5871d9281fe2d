"""What CUDA has of its own; tests/runtime/test_provider_parity.py compares it with the CPU."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.full_size import CODINGS, QUARTER, SUBSAMPLINGS, frame, on_cpu
from tests.support.scenes import render
from vidcolor.color import Coding
from vidcolor.film.states import state_from_arrays, state_to_arrays
from vidcolor.grid import SITINGS
from vidcolor.inference.enlarge import LUMA_TYPES, Enlarger, graph_path
from vidcolor.inference.known_providers import provider_list
from vidcolor.inference.providers import onnxruntime, session_options
from vidcolor.inference.session import Session
from vidcolor.propagate import Propagator
from vidcolor.working_size import WorkingSize

pytestmark = pytest.mark.cuda


def test_auto_takes_cuda_in_float16(toy_bundle: Path) -> None:
    session = Session.load(toy_bundle)
    assert (session.provider, session.precision) == ("cuda", "float16")


@pytest.mark.parametrize("keys", [1, 2])
def test_the_shipped_model_is_recorded_and_replays_are_what_plain_runs_are(keys: int) -> None:
    """All its nodes are on the device; over more frames than are compared at first."""
    scene = render(12, 96, 160)
    session = Session.load(provider="cuda")
    given = [scene.key(n) for n in range(keys)]
    plain = replace(session, _sized=None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of runs that are not recorded
        steps = [
            [step.chroma for step in p.run(scene.luma[keys:], p.init_state(*given))]
            for p in map(Propagator, (session, plain))
        ]
    # The plain graph has open sizes: its operators may be fused in another way.
    for recorded, plainly in zip(*steps, strict=True):
        assert np.abs(recorded - plainly).mean() < 0.25 / 255


def test_a_kept_state_survives_replays() -> None:
    scene = render(8, 96, 160)
    propagator = Propagator(Session.load(provider="cuda"))
    state = propagator.init_state(scene.key())
    kept = propagator.step(scene.luma[1], state).state
    before = {name: tensor.numpy() for name, tensor in kept.tensors.items()}
    first = propagator.step(scene.luma[2], kept).chroma
    state = kept
    for luma in scene.luma[2:]:
        state = propagator.step(luma, state).state
    for name, tensor in kept.tensors.items():
        np.testing.assert_array_equal(tensor.numpy(), before[name])
    np.testing.assert_array_equal(propagator.step(scene.luma[2], kept).chroma, first)


def test_a_state_that_was_kept_on_disk_leads_on_to_the_same_colours() -> None:
    scene = render(6, 96, 160)
    propagator = Propagator(Session.load(provider="cuda"))
    first = propagator.init_state(scene.key())
    state = list(propagator.run(scene.luma[1:4], first))[-1].state
    arrays = state_to_arrays(state, propagator.session)
    restored = state_from_arrays(arrays, like=first, session=propagator.session)
    for luma in scene.luma[4:]:
        one, other = propagator.step(luma, state), propagator.step(luma, restored)
        np.testing.assert_array_equal(one.chroma, other.chroma)
        state, restored = one.state, other.state


@pytest.mark.parametrize("coding", CODINGS)
def test_full_size_chroma_is_what_the_cpu_makes(coding: Coding, toy_bundle: Path) -> None:
    """Everywhere within a quarter of a code of 8 bits, on the device and without a warning."""
    fit = WorkingSize.of(361, 641, 96)
    enlarger = Enlarger(fit, Session.load(toy_bundle, provider="cuda").device_runner)
    chroma, guide = frame(fit, coding)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of chroma that is made on the CPU
        for subsampling in SUBSAMPLINGS:
            for siting in SITINGS:
                grid = fit.grid(subsampling, siting)
                wanted = on_cpu(fit, chroma, guide, grid)
                assert np.abs(enlarger.planes(chroma, guide, grid) - wanted).max() < QUARTER
                codes = np.stack(enlarger.codes(chroma, guide, grid)).astype(np.float64)
                zero, span = coding.chroma_scale
                rounding = 1e-3 if coding.is_float else 0.5 / span
                assert np.abs((codes - zero) / span - wanted).max() < QUARTER + rounding


@pytest.mark.parametrize("luma", LUMA_TYPES)
def test_all_of_enlarging_is_on_the_device(luma: str) -> None:
    """Onnxruntime refuses to open a graph of which it would run a part on the CPU."""
    options = session_options(onnxruntime(), None)
    options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    (cuda, *_) = provider_list("cuda", 0)
    onnxruntime().InferenceSession(graph_path(luma).read_bytes(), options, providers=[cuda])


def test_state_and_memory_stay_on_the_device(toy_bundle: Path) -> None:
    scene = render(3, 45, 61)
    propagator = Propagator(Session.load(toy_bundle, provider="cuda"))
    state = propagator.init_state(scene.key(0), scene.key(1))
    for luma in scene.luma[1:]:
        tensors = [*state.tensors.values(), *state.memory.values()]
        assert [tensor.device_name().lower() for tensor in tensors] == ["cuda"] * 4
        state = propagator.step(luma, state).state
