from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from evaluation.baselines import (
    BASELINES,
    fine_chain,
    flow_chain,
    flow_direct,
    gray,
    hold,
    tracked,
    warp,
)
from vidcolor.motion.optical_flow import flow

FRAMES, HEIGHT, WIDTH = 5, 96, 128
STEP = (3, 2)
"""The planted translation, x and y in pixels a frame."""
REACH = 24
"""Pixels at the border that a frame may lack in the key, and that flow may get wrong."""


@pytest.fixture(scope="module")
def translation() -> tuple[np.ndarray, np.ndarray]:
    """A textured picture that moves as one: luma [T, h, w] codes, chroma [T, 2, h, w]."""
    rng = np.random.default_rng(3)
    margin = FRAMES * max(STEP)

    def texture(sigma: float) -> np.ndarray:
        noise = rng.standard_normal((HEIGHT + margin, WIDTH + margin)).astype(np.float32)
        return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), sigma), None, 0, 1, cv2.NORM_MINMAX)

    planes = [np.rint(255 * texture(2.0)), 0.8 * texture(8.0) - 0.4, 0.8 * texture(8.0) - 0.4]
    frames = [
        np.stack([p[t * STEP[1] :, t * STEP[0] :][:HEIGHT, :WIDTH] for p in planes])
        for t in range(FRAMES)
    ]
    clip = np.stack(frames)
    return clip[:, 0].astype(np.uint8), np.ascontiguousarray(clip[:, 1:])


def worst(painting: Iterator[np.ndarray], chroma: np.ndarray) -> float:
    """Largest error inside the border over frames 1, 2, ..., in codes of 8 bits."""
    frames = list(painting)
    assert len(frames) == len(chroma) - 1
    error = np.abs(np.stack(frames) - chroma[1:])
    return 255 * float(error[..., REACH:-REACH, REACH:-REACH].max())


@pytest.mark.parametrize("baseline", [flow_chain, fine_chain, flow_direct, tracked])
def test_flow_carries_a_translation(translation, baseline):
    luma, chroma = translation
    assert worst(baseline(luma, chroma[0]), chroma) < 1.5


def test_hold_does_not(translation):
    luma, chroma = translation
    assert worst(hold(luma, chroma[0]), chroma) > 20
    assert all(np.array_equal(frame, chroma[0]) for frame in hold(luma, chroma[0]))


def test_gray_has_no_colour(translation):
    luma, chroma = translation
    frames = list(gray(luma, chroma[0]))
    assert len(frames) == FRAMES - 1
    assert not np.any(frames)


def test_warp_along_the_planted_motion_is_exact(translation):
    _, chroma = translation
    motion = np.empty((2, HEIGHT, WIDTH), np.float32)
    motion[0], motion[1] = STEP  # frame 1 shows at p what frame 0 showed at p + STEP
    inside = np.s_[:, : -STEP[1], : -STEP[0]]
    np.testing.assert_allclose(warp(chroma[0], motion)[inside], chroma[1][inside], atol=1e-6)


def test_chain_goes_on_from_its_own_frames(translation):
    luma, chroma = translation
    first = next(flow_chain(luma, chroma[0]))
    second = list(flow_chain(luma, chroma[0]))[1]
    np.testing.assert_array_equal(next(flow_chain(luma[1:], first)), second)


def test_direct_does_not(translation):
    luma, chroma = translation
    shuffled = luma[[0, 3, 1, 4]]
    np.testing.assert_array_equal(
        list(flow_direct(shuffled, chroma[0]))[1], next(flow_direct(luma, chroma[0]))
    )


def test_the_fine_chain_follows_the_flow_of_models(translation):
    luma, chroma = translation
    along = warp(chroma[0], flow(luma[1], luma[0]))
    np.testing.assert_array_equal(next(fine_chain(luma, chroma[0])), along)
    assert not np.array_equal(next(flow_chain(luma, chroma[0])), along)


def test_what_is_tracked_comes_back_after_a_lost_frame(translation):
    luma, chroma = translation
    lost = luma.copy()
    lost[2] = np.random.default_rng(0).integers(0, 255, luma[2].shape)
    carried = {name: list(BASELINES[name](lost, chroma[0])) for name in ("fine chain", "tracked")}
    inside = np.s_[:, REACH:-REACH, REACH:-REACH]
    chain, track = (np.abs(c[-1] - chroma[-1])[inside].mean() for c in carried.values())
    assert 255 * track < 0.5
    assert chain > 5 * track


def test_all_are_there():
    assert list(BASELINES) == ["gray", "hold", "flow chain", "fine chain", "flow direct", "tracked"]
