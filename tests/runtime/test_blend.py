from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidcolor.blend import blend, blend_chroma, blend_passes
from vidcolor.timeline import BACKWARD, FORWARD, Pass

SHAPE = (3, 4)


def side(chroma: float, confidence: float) -> tuple[np.ndarray, np.ndarray]:
    return np.full((2, *SHAPE), chroma, np.float32), np.full(SHAPE, confidence, np.float32)


def test_equal_trust_is_a_straight_line() -> None:
    for since in range(1, 10):
        chroma, confidence = blend(
            side(-0.2, 0.8), side(0.3, 0.8), distance_before=since, distance_after=10 - since
        )
        np.testing.assert_allclose(chroma, -0.2 + 0.05 * since, atol=1e-6)
        np.testing.assert_allclose(confidence, 0.8, atol=1e-6)
        assert chroma.dtype == confidence.dtype == np.float32
        assert chroma.shape == (2, *SHAPE)


def test_half_way_the_more_trusted_side_has_more_of_the_pixel() -> None:
    left, right = side(-0.2, 0.9), side(0.2, 0.9)
    right[1][0, 0] = 0.1
    chroma, confidence = blend(left, right, distance_before=5, distance_after=5)
    np.testing.assert_allclose(chroma[:, 1:], 0, atol=1e-6)
    np.testing.assert_allclose(chroma[:, 0, 0], -0.2 + 0.4 * 0.101 / (0.901 + 0.101), atol=1e-6)
    assert confidence[0, 0] == pytest.approx(0.9 - 0.8 * 0.101 / 1.002, abs=1e-6)


@given(
    since=st.integers(1, 1000),
    until=st.integers(1, 1000),
    left=st.floats(0, 1, width=32),
    right=st.floats(0, 1, width=32),
)
def test_between_both_sides_and_never_past_them(
    since: int, until: int, left: float, right: float
) -> None:
    chroma, confidence = blend(
        side(-0.5, left), side(0.5, right), distance_before=since, distance_after=until
    )
    assert np.isfinite(chroma).all()
    assert (np.abs(chroma) <= 0.5 + 1e-6).all()
    assert (confidence >= min(left, right) - 1e-6).all()
    assert (confidence <= max(left, right) + 1e-6).all()


def test_passes_are_blended_by_their_distances_in_frames() -> None:
    """A frame 2 after the key at 10 and 6 before the key at 18, with equal confidence."""
    forward = Pass(start=10, direction=FORWARD, has_key_in_shot=True, keys=(18, 10))
    backward = Pass(start=18, direction=BACKWARD, has_key_in_shot=True, keys=(10, 18))
    planes = side(-0.2, 0.5), side(0.2, 0.5)
    chroma, confidence = blend_passes(12, (forward, backward), planes)
    np.testing.assert_allclose(chroma, -0.2 + 0.4 * 2 / 8, atol=1e-6)
    np.testing.assert_allclose(confidence, 0.5, atol=1e-6)


def test_the_colours_of_one_pass_stay_as_they_are() -> None:
    planes = side(0.25, 0.75)
    alone = blend_passes(
        3, (Pass(start=-1, direction=FORWARD, has_key_in_shot=False, keys=(9,)),), [planes]
    )
    assert alone is planes


def test_two_colourings_by_weight() -> None:
    rng = np.random.default_rng(2)
    one, other = rng.uniform(-0.5, 0.5, (2, 2, 4, 5)).astype(np.float32)
    np.testing.assert_array_equal(blend_chroma(one, other, 0), one)
    np.testing.assert_allclose(blend_chroma(one, other, 1), other, atol=1e-6)
    np.testing.assert_allclose(blend_chroma(one, other, 0.3), 0.7 * one + 0.3 * other, atol=1e-6)
