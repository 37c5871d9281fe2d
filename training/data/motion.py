"""How fast things move in a clip: what draws the clips that have most to teach."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from evaluation.clips import Clip
from vidcolor.motion.frame_inputs import EVEN, half_size
from vidcolor.motion.optical_flow import flow

PAIRS = 5
"""Frames of a clip that are compared with the one before."""
STILL = 0.1
"""Pixels a frame that even a clip counts for in which nothing moves."""


def chances(clips: Sequence[Clip], power: float) -> NDArray[np.float64]:
    """How likely each clip is drawn, in proportion to this power of its motion; their sum is 1."""
    weights = np.array([(STILL + motion(clip)) ** power for clip in clips])
    return weights / weights.sum()


def motion(clip: Clip) -> float:
    """Mean length in pixels of the flow to the frame before, over a few frames."""
    frames = np.linspace(1, len(clip) - 1, min(PAIRS, len(clip) - 1)).round().astype(int)
    lengths = [_length(clip, int(n)) for n in frames]
    return float(np.mean(lengths)) if lengths else 0.0


def _length(clip: Clip, n: int) -> float:
    here, before = (half_size(np.asarray(clip.luma[frame]), EVEN) for frame in (n, n - 1))
    return 2 * float(np.linalg.norm(flow(here, before), axis=0).mean())
