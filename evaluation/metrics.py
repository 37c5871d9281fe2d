"""What a frame, and a clip, is measured by. One scorer for training, evaluation and the reports.

Frames of the evaluation are 8-bit RGB [h, w, 3] with the true luma kept, so that only chroma can
err. Lab is CIE Lab of sRGB under D65.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage.color import deltaE_ciede2000
from skimage.metrics import structural_similarity

from evaluation.baselines import warp
from evaluation.clips import Codes
from vidcolor.planes import Plane

Lab = NDArray[np.floating]
"""[3, h, w]: L in 0..100, a and b in about ±110."""

Flow = NDArray[np.float32]

PSNR_LIMIT = 60.0
"""dB given to frames that are (nearly) identical, instead of infinity. Real footage stays below."""

LIGHTNESS_TOLERANCE, CHROMATICITY_TOLERANCE = 2.0, 4.4
"""Largest error in L, and in a and b, of a pixel that counts as right: 2 % of each one's range."""

CDC_DISTANCES = (1, 2, 4)
"""Frames between the two whose colour distributions are compared."""


def psnr(prediction: Codes, target: Codes) -> float:
    """Return the peak signal-to-noise ratio of two frames [h, w, 3] in dB, at most `PSNR_LIMIT`."""
    error = np.square(prediction.astype(np.float32) - target).mean(dtype=np.float64)
    if error == 0:
        return PSNR_LIMIT
    return min(PSNR_LIMIT, float(10 * np.log10(255**2 / error)))


def ssim(prediction: Codes, target: Codes) -> float:
    """Return the structural similarity of two frames [h, w, 3], the mean over R, G and B.

    With the Gaussian window of Wang et al. 2004 (sigma 1.5).
    """
    similarity = structural_similarity(
        prediction,
        target,
        channel_axis=-1,
        data_range=255,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    return float(similarity)


def ciede2000(prediction: Lab, target: Lab) -> float:
    """Return the mean CIEDE2000 difference over pixels; 0 is identical, 1 just noticeable."""
    return float(deltaE_ciede2000(prediction, target, channel_axis=0).mean())


def lab_l1(prediction: Lab, target: Lab) -> float:
    """Return the mean absolute error over pixels and L, a, b."""
    return float(np.abs(prediction - target).mean())


def right_pixels(prediction: Any, target: Any) -> Any:
    """Tell which pixels the reports count as right.

    Lab is rounded to whole numbers first, as the authors did.

    Args:
        prediction: Lab [..., 3, h, w]: an array of NumPy or a tensor of PyTorch.
        target: The same of the true frame.

    Returns:
        Bool [..., h, w].
    """
    error = abs(prediction.round() - target.round())
    lightness, a, b = (error[..., channel, :, :] for channel in range(3))
    return (
        (lightness <= LIGHTNESS_TOLERANCE)
        & (a <= CHROMATICITY_TOLERANCE)
        & (b <= CHROMATICITY_TOLERANCE)
    )


def histogram(frame: Codes) -> NDArray[np.int64]:
    """Count how often each code occurs in R, G and B of a frame [h, w, 3]; returns [3, 256]."""
    channels = (np.bincount(frame[..., c].ravel(), minlength=256) for c in range(3))
    return np.stack(list(channels))


def color_distribution_consistency(histograms: Sequence[NDArray[np.int64]]) -> float:
    """Return the CDC of a clip, given each frame's `histogram` (two at least); low means steady.

    Jensen-Shannon divergence (in nats) between the distributions of R, G and B in frames t and
    t + d, the mean over channels and t, then over d in `CDC_DISTANCES`, as far as the clip is
    long enough. Liu et al. 2021, "Temporally Consistent Video Colorization with Deep Feature
    Propagation and Self-regularization Learning", https://arxiv.org/abs/2110.04562. The true
    frames have one too: a clip can be too steady, as a gray one is not.
    """
    from scipy.spatial.distance import jensenshannon  # noqa: PLC0415 - takes half a second

    counts = np.stack(histograms)
    means = [
        np.square(jensenshannon(counts[:-distance], counts[distance:], axis=-1)).mean()
        for distance in CDC_DISTANCES
        if distance < len(counts)
    ]
    return float(np.mean(means))


def warping_error(previous: Plane, here: Plane, motion: Flow) -> float:
    """Measure how much chroma changes along the motion between two frames (Lai et al. 2018).

    The mean of |here(p) - previous(p + motion(p))| over the pixels of Cb and Cr. Lai et al.,
    "Learning Blind Video Temporal Consistency", https://arxiv.org/abs/1808.00449, leave out
    occluded pixels; here `evaluation.scores` subtracts the true frames' own error instead.

    Args:
        previous: Chroma [2, h, w] in ±0.5 of the frame before.
        here: Chroma of this frame.
        motion: Flow [2, h, w] from this frame to the one before, in pixels.

    Returns:
        The error in 8-bit codes.
    """
    return float(np.abs(here - warp(previous, motion)).mean() * 255)


def chroma_strength(chroma: Plane) -> float:
    """Return the mean length of (Cb, Cr) over a frame, in 8-bit codes; 0 is gray.

    Args:
        chroma: [2, h, w] in ±0.5.
    """
    return float(np.hypot(*chroma).mean() * 255)


def rank_correlation(confidence: Sequence[float], quality: Sequence[float]) -> float | None:
    """Return Spearman's rank correlation of two lists, one entry for each frame.

    Args:
        confidence: The model's own, any unit.
        quality: Such as PSNR, higher is better.

    Returns:
        In [-1, 1]: 1 where the frame with more confidence is always the better one. None when
        either list does not vary, which leaves nothing to rank.
    """
    if len(set(confidence)) < 2 or len(set(quality)) < 2:
        return None
    from scipy.stats import spearmanr  # noqa: PLC0415 - takes a second

    return float(spearmanr(confidence, quality).statistic)
