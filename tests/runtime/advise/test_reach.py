"""Confidence tried out: what keys give it, and at what cost."""

from pathlib import Path

import numpy as np
import pytest

from tests.support.scenes import render
from vidcolor.advise.reach import VIVID, Reach, made_up
from vidcolor.blend import blend
from vidcolor.inference.session import Session
from vidcolor.planes import Key
from vidcolor.propagate import Propagator

NUMBERS = (10, 14, 18, 22, 26, 30, 31)
FADE = 0.99
"""Of the toy's confidence, with every step."""


@pytest.fixture(scope="module")
def scene():
    return render(len(NUMBERS), 48, 64, seed=3)


@pytest.fixture
def propagator(toy_bundle: Path) -> Propagator:
    return Propagator(Session.load(toy_bundle, provider="cpu"))


def test_without_a_key_there_is_none(scene, propagator: Propagator) -> None:
    np.testing.assert_array_equal(Reach(propagator, NUMBERS, scene.luma).confidence([]), 0)


def test_from_one_key_it_fades_to_both_sides(scene, propagator: Propagator) -> None:
    reach = Reach(propagator, NUMBERS, scene.luma)
    steps = np.abs(np.arange(7) - 2)
    np.testing.assert_allclose(reach.confidence([2]), FADE**steps, rtol=1e-5)


def test_between_two_keys_it_is_that_of_the_blend(scene, propagator: Propagator) -> None:
    """As a film is coloured: with both keys in memory, and by the frames' true distances."""
    means = Reach(propagator, NUMBERS, scene.luma).confidence([1, 6])
    gray = np.zeros_like(scene.chroma[0])
    left, right = (Key(scene.luma[n], gray) for n in (1, 6))
    forward, backward = propagator.init_state(right, left), propagator.init_state(left, right)
    sides: dict[int, list] = {n: [] for n in range(2, 6)}
    for n in range(2, 6):
        *planes, forward = propagator.step(scene.luma[n], forward)
        sides[n].append(planes)
    for n in range(5, 1, -1):
        *planes, backward = propagator.step(scene.luma[n], backward)
        sides[n].append(planes)
    for n, (one, other) in sides.items():
        since, until = NUMBERS[n] - NUMBERS[1], NUMBERS[6] - NUMBERS[n]
        expected = blend(one, other, distance_before=since, distance_after=until)[1].mean()
        assert means[n] == pytest.approx(expected, abs=1e-6)
    assert means[1] == means[6] == 1
    assert means[0] == pytest.approx(FADE, rel=1e-5)


def test_a_further_key_costs_steps_beside_it_only(
    scene, propagator: Propagator, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = []

    def counted(self, luma, state, step=Propagator.step):
        steps.append(luma)
        return step(self, luma, state)

    monkeypatch.setattr(Propagator, "step", counted)
    reach = Reach(propagator, NUMBERS, scene.luma)
    reach.confidence([2])
    assert len(steps) == 6
    reach.confidence([2, 5])
    assert len(steps) == 6 + 2 * 2 + 1
    reach.confidence([5, 2])
    assert len(steps) == 6 + 2 * 2 + 1


def test_made_up_colours_tell_what_true_ones_will() -> None:
    """What advice rests on, held of the shipped model: which colours a place has hardly matters."""
    scene = render(len(NUMBERS), 128, 192, seed=3)
    propagator = Propagator(Session.load(provider="cpu"))
    foretold = Reach(propagator, NUMBERS, scene.luma).confidence([0])
    state, colour = propagator.init_state(scene.key(0)), [1.0]
    for luma in scene.luma[1:]:
        _, confidence, state = propagator.step(luma, state)
        colour.append(float(confidence.mean()))
    assert np.ptp(colour) > 0.1
    np.testing.assert_allclose(foretold, colour, atol=0.15)
    assert np.corrcoef(foretold, colour)[0, 1] > 0.95


def test_made_up_colours_tell_places_apart() -> None:
    chroma = made_up(6, 9)
    assert chroma.dtype == np.float32
    assert chroma.shape == (2, 6, 9)
    assert len(np.unique(chroma.reshape(2, -1), axis=1).T) == 6 * 9
    assert np.abs(chroma).max() == pytest.approx(VIVID)
    assert chroma.mean((1, 2)) == pytest.approx([0, 0], abs=1e-6)
