from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from tests.support.scenes import Scene, render
from vidcolor.inference.contract import FLOW_PREVIOUS, FLOWS
from vidcolor.inference.session import Session
from vidcolor.motion.exposure import STEADY, Exposure, as_bright, brightening, exposed
from vidcolor.motion.frame_inputs import prepare_inputs
from vidcolor.motion.optical_flow import Flow, Luma8, to_uint8
from vidcolor.motion.track import direct_flow, follow, half_size
from vidcolor.planes import Plane
from vidcolor.propagate import Propagator, State

HEIGHT, WIDTH = 144, 256
EXPOSURES = np.array([1, 0.93, 1.05, 0.9, 1, 1.08, 0.95, 0.88, 1.04, 0.97, 1.06, 0.91], np.float32)


@pytest.fixture(scope="module")
def scene() -> Scene:
    """In the middle of luma's range, so that no exposure of ours clips it."""
    scene = render(len(EXPOSURES), HEIGHT, WIDTH)
    return Scene(0.2 + 0.6 * scene.luma, scene.chroma)


@pytest.fixture(scope="module")
def flickering(scene: Scene) -> Scene:
    return Scene(scene.luma * EXPOSURES[:, None, None], scene.chroma)


@pytest.fixture(scope="module")
def propagator() -> Propagator:
    return Propagator(Session.load("vidcolor-2", provider="cpu", threads=1))


def after(changes: Iterable[float]) -> Exposure:
    exposure = STEADY
    for change in changes:
        exposure = exposure.after(change)
    return exposure


@pytest.mark.parametrize("factor", [0.8, 0.95, 1.0, 1.04, 1.2])
def test_brightening_is_the_exposure_whatever_moves(scene: Scene, factor: float) -> None:
    before, here = to_uint8(scene.luma[2]), to_uint8(scene.luma[3] * np.float32(factor))
    assert brightening(before, here) == pytest.approx(np.log(factor), abs=0.004)


def test_nothing_is_known_without_two_frames_that_tell_of_exposure() -> None:
    gray = np.full((HEIGHT, WIDTH), 100, np.uint8)
    assert brightening(None, gray) == brightening(gray, None) == 0
    assert brightening(gray, gray[:-2]) == 0
    assert brightening(np.full_like(gray, 5), np.full_like(gray, 9)) == 0  # black
    assert brightening(np.full_like(gray, 255), np.full_like(gray, 250)) == 0  # white
    assert brightening(gray[:2, :3], gray[:2, :3] + 20) == 0  # one place


def test_flicker_is_evened_out_to_the_first_frame_s_exposure() -> None:
    for count in range(1, len(EXPOSURES)):
        exposure = after(np.diff(np.log(EXPOSURES[: count + 1])))
        assert exposure.gain == pytest.approx(1 / EXPOSURES[count], abs=0.015)


def test_light_that_changes_for_good_is_given_in_to_where_film_flickers() -> None:
    """It becomes twice as dark within 60 frames, and flickers all the while."""
    levels = np.linspace(0, -np.log(2), 60).tolist() + [-np.log(2)] * 200
    logs = np.array(levels) + 0.05 * (-1) ** np.arange(260)
    gains = np.log([after(np.diff(logs[:count])).gain for count in (61, 62, 259, 260)])
    assert 0.2 < gains[:2].mean() < 0.5
    assert abs(gains[2:].mean()) < 0.03
    assert np.abs(np.diff(gains)[[0, 2]]) == pytest.approx(0.1, abs=0.01)  # flicker is evened out


@pytest.mark.parametrize(
    "changes",
    [
        [0.02] * 30,  # a lens is opened
        [0.0] * 30,
        [0.01, -0.012, 0.015, -0.01] * 8,  # what compression and estimates leave
    ],
)
def test_steady_film_and_light_that_changes_for_good_are_left_alone(changes: list[float]) -> None:
    assert all(after(changes[:count]).gain == 1 for count in range(len(changes) + 1))


def test_when_flicker_ends_the_film_is_left_alone_again() -> None:
    flicker = [0.08, -0.1, 0.09]
    gains = [after([*flicker, *[0.0] * count]).gain for count in range(60)]
    assert gains[0] == pytest.approx(np.exp(-sum(flicker)), abs=0.005)
    assert gains == sorted(gains)
    assert gains[-1] == 1


def test_a_gain_is_at_most_a_factor_of_two() -> None:
    assert after([1.0, -0.3, 1.5]).gain == pytest.approx(np.exp(-0.7))
    assert after([-1.0, 0.3, -1.5]).gain == pytest.approx(np.exp(0.7))


@pytest.mark.parametrize("exposure", [0.7, 0.9, 1.1, 1.2])
def test_flow_is_found_whatever_the_exposure(scene: Scene, exposure: float) -> None:
    before = to_uint8(scene.luma[0])

    def found(luma: Plane) -> Plane:
        inputs = prepare_inputs(
            luma, None, required_flows=FLOWS, multiple=16, previous=before, keys=()
        )
        return inputs.flows[FLOW_PREVIOUS]

    apart = found(scene.luma[1] * np.float32(exposure)) - found(scene.luma[1])
    assert np.quantile(np.abs(apart), 0.9) < 0.1


@pytest.mark.parametrize("exposure", [0.7, 0.9, 1.1, 1.2])
def test_a_key_is_followed_whatever_the_exposure(scene: Scene, exposure: float) -> None:
    """A track that has drifted is put right, and is not taken for worse than wrong direct flow."""
    key, here = (half_size(to_uint8(luma), 16) for luma in (scene.luma[0], scene.luma[3]))
    worn = half_size(to_uint8(scene.luma[3] * np.float32(exposure)), 16)
    true = direct_flow(here, key)

    def found(codes: Luma8) -> Flow:
        return follow(
            codes,
            key,
            direct=true + np.float32(8),
            to_previous=np.zeros_like(true),
            previous_track=true + np.float32(1.2),
        )

    apart = np.abs(found(worn) - found(here))
    assert np.quantile(apart, 0.9) < 0.1


def test_frames_that_are_about_as_bright_are_compared_as_they_are(scene: Scene) -> None:
    here = to_uint8(scene.luma[0])
    assert as_bright(here, to_uint8(scene.luma[0] * np.float32(1.01))) is here
    apart = as_bright(here, to_uint8(scene.luma[0] * np.float32(1.1))) / 1.1 - here
    assert np.abs(apart).max() < 1


def test_exposed_stays_luma() -> None:
    luma = np.array([[0, 0.25, 0.9]], np.float32)
    assert exposed(luma, 1.0) is luma
    brighter = exposed(luma, 2.0)
    assert brighter.dtype == np.float32
    np.testing.assert_array_equal(brighter, np.array([[0, 0.5, 1]], np.float32))


def painted(propagator: Propagator, scene: Scene) -> Plane:
    steps = propagator.run(scene.luma[1:], propagator.init_state(scene.key()))
    return np.stack([step.chroma for step in steps])


def test_colours_of_flickering_film_are_nearer_those_of_steady_film(
    propagator: Propagator, scene: Scene, flickering: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    steady, even = painted(propagator, scene), painted(propagator, flickering)
    monkeypatch.setattr(Exposure, "gain", property(lambda _: 1.0))
    uneven = painted(propagator, flickering)
    assert np.square(even - steady).mean() < np.square(uneven - steady).mean() / 2


def test_flickering_film_has_the_same_colours_in_any_order(
    propagator: Propagator, flickering: Scene
) -> None:
    """Stepped one by one, run ahead by two threads, prepared by itself, and from a kept state."""
    lumas = flickering.luma
    first = propagator.init_state(flickering.key())
    state, expected, states = first, [], []
    for luma in lumas[1:]:
        step = propagator.step(luma, state)
        state = step.state
        expected.append(step.chroma)
        states.append(state)
    assert states[4].exposure.gain != 1
    for start in (0, 5):
        begun: State = ([first, *states])[start]
        ran = propagator.run(lumas[1 + start :], begun, workers=2)
        np.testing.assert_array_equal([step.chroma for step in ran], expected[start:])
        for n in range(start, len(expected)):
            alone = propagator.prepare(lumas[1 + n], first, previous=lumas[n])
            again = propagator.step(alone, ([first, *states])[n])
            np.testing.assert_array_equal(again.chroma, expected[n])


def test_what_another_pass_prepared_is_used_where_exposures_agree(
    propagator: Propagator, flickering: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    lumas = flickering.luma
    first = propagator.init_state(flickering.key())
    one = propagator.step(lumas[1], first).state
    known = propagator.prepare(lumas[2], one)
    assert known.gain != 1
    assert propagator.prepare(lumas[2], one, reuse=known).features is known.features
    other = propagator.prepare(lumas[2], first, previous=lumas[1], reuse=known)
    assert other.gain == 1
    assert other.features is not known.features
    np.testing.assert_array_equal(
        propagator.step(other, one).chroma, propagator.step(known, one).chroma
    )


def test_after_a_cut_exposure_begins_anew(propagator: Propagator, flickering: Scene) -> None:
    state = propagator.init_state(flickering.key())
    for luma in flickering.luma[1:5]:
        state = propagator.step(luma, state).state
    assert state.exposure != STEADY
    assert propagator.reset_state(state).exposure == STEADY
