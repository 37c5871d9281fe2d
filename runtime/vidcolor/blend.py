"""Blending: the colours of a forward and a backward pass over the same frame become one.

Note on blending. Each pixel is a weighted mean of the two passes. A pass's weight is its confidence
times the distance to the *other* pass's key. So from one key to the next the weight moves evenly
from one pass to the other, or faster where one pass loses confidence.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vidcolor.planes import Plane
from vidcolor.timeline import Pass

_CONFIDENCE_FLOOR = 1e-3
"""Added to every confidence, of 1. Where both passes have none, distance alone decides."""


def blend_passes(
    frame: int, passes: Sequence[Pass], planes: Sequence[tuple[Plane, Plane]]
) -> tuple[Plane, Plane]:
    """The colours of a frame from those of each pass that reaches it.

    Args:
        frame: The frame's number.
        passes: What `Timeline.passes` gives for it: one pass, or a forward and a backward one.
        planes: Of each pass, the frame's chroma [2, h, w] float32 in [-0.5, 0.5] and confidence
            [h, w] float32 in [0, 1].

    Returns:
        Chroma [2, h, w] and confidence [h, w]: of the only pass unchanged, of two as `blend` says.
    """
    if len(passes) == 1:
        return planes[0]
    (before, after), (forward, backward) = passes, planes
    return blend(
        forward,
        backward,
        distance_before=frame - before.start,
        distance_after=after.start - frame,
    )


def blend(
    forward: tuple[Plane, Plane],
    backward: tuple[Plane, Plane],
    *,
    distance_before: int,
    distance_after: int,
) -> tuple[Plane, Plane]:
    """The colours of a frame between two keys; see the Note on blending.

    Args:
        forward: Chroma [2, h, w] float32 in [-0.5, 0.5] and confidence [h, w] float32 in [0, 1]
            as carried from the key before.
        backward: The same as carried from the key after.
        distance_before: Frames since the key before, at least 1.
        distance_after: Frames until the key after, at least 1.

    Returns:
        Chroma [2, h, w] and confidence [h, w].
    """
    (chroma, confidence), (other, other_confidence) = forward, backward
    weight = np.float32(distance_after) * (confidence + np.float32(_CONFIDENCE_FLOOR))
    other_weight = np.float32(distance_before) * (other_confidence + np.float32(_CONFIDENCE_FLOOR))
    share = other_weight / (weight + other_weight)
    return chroma + share * (other - chroma), confidence + share * (other_confidence - confidence)


def blend_chroma(chroma: Plane, other: Plane, weight: float) -> Plane:
    """A weighted mean of the chroma of two colourings of the same frame.

    Args:
        chroma: [2, h, w] float32 in [-0.5, 0.5].
        other: The same of the other.
        weight: The other's share, in [0, 1].
    """
    return chroma + np.float32(weight) * (other - chroma)
