from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from evaluation import metrics


def flat(*rgb: int, size: int = 16) -> np.ndarray:
    return np.full((size, size, 3), rgb, np.uint8)


def lab(*values: float) -> np.ndarray:
    return np.full((3, 4, 4), np.reshape(values, (3, 1, 1)), np.float64)


def test_psnr_of_known_errors():
    assert metrics.psnr(flat(110, 90, 100), flat(100, 100, 100)) == pytest.approx(
        10 * math.log10(255**2 / (200 / 3))
    )
    half = flat(100, 100, 100)
    half[:8] = 120
    assert metrics.psnr(half, flat(100, 100, 100)) == pytest.approx(10 * math.log10(255**2 / 200))


def test_psnr_of_identical_and_nearly_identical_frames_is_the_limit():
    frame = flat(1, 2, 3, size=64)
    assert metrics.psnr(frame, frame) == metrics.PSNR_LIMIT
    nearly = frame.copy()
    nearly[0, 0, 0] += 1
    assert metrics.psnr(nearly, frame) == metrics.PSNR_LIMIT


def test_ssim_of_flat_frames_is_its_luminance_term():
    a, b, c1 = 100, 140, (0.01 * 255) ** 2
    expected = (2 * a * b + c1) / (a * a + b * b + c1)
    assert metrics.ssim(flat(a, a, a), flat(b, b, b)) == pytest.approx(expected, abs=1e-6)
    assert metrics.ssim(flat(a, a, a), flat(a, a, a)) == pytest.approx(1)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [  # Sharma, Wu and Dalal 2005, table 1: pairs 1, 7 and 17
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 0, 0), (50, -1, 2), 2.3669),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
    ],
)
def test_ciede2000_of_published_pairs(one, other, expected):
    assert metrics.ciede2000(lab(*one), lab(*other)) == pytest.approx(expected, abs=1e-4)


def test_lab_l1_is_the_mean_over_channels_and_pixels():
    other = lab(50, 0, 0)
    other[1, :2] = 6
    assert metrics.lab_l1(lab(50, 0, 0), other) == pytest.approx(1)


@pytest.mark.parametrize("array", [np.asarray, torch.as_tensor], ids=["numpy", "torch"])
@pytest.mark.parametrize(
    ("error", "right"),
    [
        ((0, 0, 0), True),
        ((2.4, 4.4, -4.4), True),  # 2, 4 and -4 after rounding
        ((2.6, 0, 0), False),
        ((0, 4.6, 0), False),
        ((0, 0, -4.6), False),
    ],
)
def test_right_pixels_after_rounding(array, error, right):
    truth = lab(50, 10, 10)
    painted = truth + np.reshape(error, (3, 1, 1))
    found = metrics.right_pixels(array(painted), array(truth))
    assert tuple(found.shape) == (4, 4)
    assert bool(found.all()) == bool(found.any()) == right


def test_histogram_counts_each_channel():
    counts = metrics.histogram(flat(1, 2, 255, size=2))
    assert counts.shape == (3, 256)
    assert [counts[0, 1], counts[1, 2], counts[2, 255]] == [4, 4, 4]
    assert counts.sum() == 12


def test_cdc_of_a_blinking_clip_counts_only_odd_distances():
    black, white = (metrics.histogram(flat(c, c, c)) for c in (0, 255))
    found = metrics.color_distribution_consistency([black, white] * 4)
    assert found == pytest.approx(math.log(2) / 3)  # ln 2 at distance 1, 0 at 2 and 4


def test_cdc_of_half_changed_channels():
    before, after = flat(0, 0, 0), flat(0, 0, 0)
    after[:8, :, 0] = 9
    # Red goes from (1, 0) to (1/2, 1/2), the mixture is (3/4, 1/4); green and blue stay.
    red = 0.5 * math.log(4 / 3) + 0.5 * (0.5 * math.log(2 / 3) + 0.5 * math.log(2))
    found = metrics.color_distribution_consistency(
        [metrics.histogram(before), metrics.histogram(after)]
    )
    assert found == pytest.approx(red / 3)


def test_cdc_of_a_still_clip_is_zero():
    assert metrics.color_distribution_consistency([metrics.histogram(flat(7, 8, 9))] * 6) == 0


def test_chroma_strength_is_the_mean_length_in_codes():
    chroma = np.zeros((2, 4, 4), np.float32)
    chroma[:, :2] = np.reshape((3 / 255, -4 / 255), (2, 1, 1))
    assert metrics.chroma_strength(chroma) == pytest.approx(2.5)


def test_rank_correlation_of_planted_confidence():
    quality = [30.0, 28.5, 41.0, 22.0]
    assert metrics.rank_correlation([0.5, 0.4, 0.9, 0.1], quality) == pytest.approx(1)
    assert metrics.rank_correlation([0.5, 0.6, 0.1, 0.9], quality) == pytest.approx(-1)
    assert metrics.rank_correlation([0.5] * 4, quality) is None
    assert metrics.rank_correlation([], quality) is None
