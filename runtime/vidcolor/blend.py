"""Colour carried forward from one key and backward from the next, as one."""

from __future__ import annotations

import numpy as np

from vidcolor.planes import Plane

_LEAST_TRUST = 1e-3
"""Added to every confidence: where neither side trusts its colour, distance alone decides."""


def blend(
    forward: tuple[Plane, Plane], backward: tuple[Plane, Plane], *, since: int, until: int
) -> tuple[Plane, Plane]:
    """Chroma [2, h, w] and confidence [h, w] of a frame between two keys.

    forward, backward: chroma and confidence as carried from the key before and the key after.
    since, until: frames from the key before, and to the key after; at least 1.

    Each pixel is a mean of both, each weighted by its confidence and by how near its key is. From
    one key to the next the weight passes evenly from one side to the other, or faster where one
    side loses confidence.
    """
    (chroma, confidence), (other, other_confidence) = forward, backward
    weight = np.float32(until) * (confidence + np.float32(_LEAST_TRUST))
    other_weight = np.float32(since) * (other_confidence + np.float32(_LEAST_TRUST))
    share = other_weight / (weight + other_weight)
    return chroma + share * (other - chroma), confidence + share * (other_confidence - confidence)
