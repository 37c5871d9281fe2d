"""How fast things move in a clip: fast clips teach most, so they are drawn more often."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from evaluation.clips import Clip
from vidcolor.motion.optical_flow import flow
from vidcolor.motion.pad import EVEN
from vidcolor.motion.track import half_size

PAIRS = 5
"""Frames of a clip that are compared with the one before."""
STILL = 0.1
"""Pixels a frame that even a clip counts for in which nothing moves."""


def sampling_weights(clips: Sequence[Clip], power: float) -> NDArray[np.float64]:
    """Return the probability with which each clip is drawn.

    Args:
        clips: The footage.
        power: Of a clip's motion, to which its probability is proportional; 0 draws all alike.

    Returns:
        [len(clips)], of sum 1.
    """
    weights = np.array([(STILL + motion(clip)) ** power for clip in clips])
    probabilities: NDArray[np.float64] = weights / weights.sum()
    return probabilities


def motion(clip: Clip) -> float:
    """Return the mean length in pixels of the flow to the frame before, over a few frames."""
    frames = np.linspace(1, len(clip) - 1, min(PAIRS, len(clip) - 1)).round().astype(int)
    lengths = [_length(clip, int(n)) for n in frames]
    return float(np.mean(lengths)) if lengths else 0.0


def _length(clip: Clip, n: int) -> float:
    here, before = (half_size(np.asarray(clip.luma[frame]), EVEN) for frame in (n, n - 1))
    return 2 * float(np.linalg.norm(flow(here, before), axis=0).mean())
