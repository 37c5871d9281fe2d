from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import permutations

import cv2
import numpy as np
import pytest

from tests.support.scenes import render
from vidcolor.motion.optical_flow import STRIDE, flow, new_dis, to_uint8

LUMA = to_uint8(render(1, 128, 160).luma[0])


def test_quantise_rounds_and_clips() -> None:
    luma = np.array([[-0.1, 0.0, 0.4 / 255, 0.6 / 255, 1.0, 1.2]], np.float32)
    assert to_uint8(luma).tolist() == [[0, 0, 0, 1, 255, 255]]
    assert to_uint8(luma).dtype == np.uint8


@pytest.mark.parametrize(("right", "down"), [(3, 0), (0, 2), (-2, 4)])
def test_a_planted_motion_comes_back(right: int, down: int) -> None:
    """The content of `other` lies right and below of where it is in `here`: flow is positive."""
    other = np.roll(LUMA, (down, right), axis=(0, 1))
    motion = flow(LUMA, other)
    assert motion.shape == (2, 128, 160)
    assert motion.dtype == np.float32
    inside = motion[:, 16:-16, 16:-16]
    assert np.median(inside[0]) == pytest.approx(right, abs=0.1)
    assert np.median(inside[1]) == pytest.approx(down, abs=0.1)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 64), (64, 5), (15, 17)])
def test_planes_of_any_size_have_flow(height: int, width: int) -> None:
    motion = flow(LUMA[:height, :width].copy(), LUMA[:height, :width].copy())
    assert motion.shape == (2, height, width)
    np.testing.assert_allclose(motion, 0, atol=0.1)


def test_what_was_computed_before_does_not_matter() -> None:
    other = np.roll(LUMA, 3, axis=1)
    expected = flow(LUMA, other)
    flow(LUMA[:20, :20].copy(), other[:20, :20].copy())
    np.testing.assert_array_equal(flow(LUMA, other), expected)


@pytest.mark.parametrize(("height", "width"), [(16, 40), (45, 61), (64, 64), (64, 300), (200, 65)])
def test_a_used_object_is_as_good_as_a_new_one(height: int, width: int) -> None:
    lumas = to_uint8(render(4, height, width, seed=3).luma)
    for here, other in permutations(lumas, 2):
        for stride in (STRIDE, 6):
            new = new_dis(stride=stride).calc(here, other, None)
            found = flow(here, other, stride=stride)
            np.testing.assert_array_equal(found, np.moveaxis(new, 2, 0))


def test_patches_lie_as_far_apart_as_is_said() -> None:
    other = np.roll(LUMA, 3, axis=1)
    assert new_dis(stride=6).getPatchStride() == 6
    assert (flow(LUMA, other, stride=2) != flow(LUMA, other, stride=6)).any()


def test_it_is_written_where_it_is_wanted() -> None:
    other, place = np.roll(LUMA, 3, axis=1), np.full((2, 130, 170), 7, np.float32)
    flow(LUMA, other, out=place[:, :128, :160])
    np.testing.assert_array_equal(place[:, :128, :160], flow(LUMA, other))
    assert (place[:, 128:] == 7).all()


def test_threads_do_not_matter() -> None:
    """Neither OpenCV's own nor the caller's."""
    others = [np.roll(LUMA, shift, axis=1) for shift in range(8)]
    expected = [flow(LUMA, other) for other in others]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(3):
            results = list(pool.map(lambda other: flow(LUMA, other), others))
            np.testing.assert_array_equal(results, expected)
    threads = cv2.getNumThreads()
    try:
        for count in (1, 2, 5):
            cv2.setNumThreads(count)
            np.testing.assert_array_equal([flow(LUMA, other) for other in others], expected)
    finally:
        cv2.setNumThreads(threads)
