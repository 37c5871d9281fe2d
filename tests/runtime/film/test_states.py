"""A state that was kept on disk leads on to the very same colours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.scenes import render
from vidcolor.film.states import state_from_arrays, state_to_arrays
from vidcolor.film.store import Store
from vidcolor.inference.session import Session
from vidcolor.planes import Key
from vidcolor.propagate import Propagator

TOY = Path(__file__).parents[2] / "toy" / "bundle"
COUNT, HEIGHT, WIDTH = 5, 64, 100


@pytest.mark.parametrize("model", ["vidcolor-2", "unet-2019", str(TOY)])
@pytest.mark.parametrize("keys", [1, 2])
def test_of_a_pass(model: str, keys: int, tmp_path: Path) -> None:
    scene = render(COUNT, HEIGHT, WIDTH)
    propagator = Propagator(Session.load(model, provider="cpu"))
    first = propagator.init_state(*(Key(scene.luma[n], scene.chroma[n]) for n in range(keys)))
    flicker = np.array([1, 0.9, 1.06, 0.95, 1.1], np.float32)[:, None, None]  # with a gain to keep
    lumas = list((scene.luma * flicker).clip(0, 1)[keys:])
    state = list(propagator.run(lumas[:2], first))[-1].state
    expected = propagator.step(lumas[2], state)

    Store(tmp_path / "work").save_arrays("a", state_to_arrays(state, propagator.session))
    arrays = Store(tmp_path / "work").load_arrays("a")
    assert arrays is not None
    restored = state_from_arrays(arrays, like=first, session=propagator.session)
    assert restored.exposure == state.exposure
    assert (state.exposure.gain != 1) == (model == "vidcolor-2")
    assert (restored.tracks is None) == (state.tracks is None)
    assert len(restored.tracks or ()) == (keys if model == "vidcolor-2" else 0)
    for step in (propagator.step(lumas[2], restored), next(propagator.run(lumas[2:], restored))):
        np.testing.assert_array_equal(step.chroma, expected.chroma)
        np.testing.assert_array_equal(step.confidence, expected.confidence)
    assert step.state.nbytes == expected.state.nbytes
