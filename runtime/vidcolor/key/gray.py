"""How gray a key is, and which of its pixels are strokes on a gray frame."""

from __future__ import annotations

import cv2
import numpy as np

from vidcolor.planes import Key, Plane

LEAST_CHROMA = 2 / 255
"""A picture whose chroma never goes beyond this is gray: two 8-bit codes, for JPEG's rounding."""
MOSTLY = 0.5
"""Share of a picture from which on it is mostly gray."""

_STROKE = 4 / 255
"""Chroma of the palest stroke on a gray frame; four 8-bit codes."""
_CORE = 0.9
"""A pixel of a stroke has at least this share of the strongest chroma around it. One with less is
the brush's soft rim."""
_RIM = 5
"""Side, in pixels, of the window around it."""
_EXACT = 0.6 / 255
"""Chroma up to which a pixel is exactly gray. In 199 frames of footage in colour at most 46 % of a
picture is; of a gray frame with strokes on it that is saved without loss, all but the strokes."""
_BLACK, _WHITE = 0.06, 0.98
"""Luma of what has no colour in any picture."""


def is_gray(key: Key) -> bool:
    """Whether a key has no colour where it is painted."""
    painted = key.chroma if key.weight is None else key.chroma[:, key.weight > 0]
    return not painted.size or bool(np.abs(painted).max() <= LEAST_CHROMA)


def gray_share(key: Key) -> float:
    """How much of a key is gray, in [0, 1]; black and white do not count."""
    return _share(key, LEAST_CHROMA)


def has_strokes(key: Key) -> bool:
    """Whether most of a key is exactly gray, as of a gray frame with strokes of colour on it."""
    return _share(key, _EXACT) >= MOSTLY


def solid_strokes(chroma: Plane) -> Plane:
    """Where strokes are, without their soft rims.

    Args:
        chroma: [2, h, w], of a gray frame with colour painted over it.

    Returns:
        [h, w] float32, 0 or 1.
    """
    strength = np.hypot(*chroma)
    around = np.asarray(cv2.dilate(strength, np.ones((_RIM, _RIM), np.uint8)))
    stroke = (strength > _STROKE) & (strength >= _CORE * around)
    return np.asarray(stroke, np.float32)


def _share(key: Key, least: float) -> float:
    seen: Plane = key.chroma[:, (key.luma > _BLACK) & (key.luma < _WHITE)]
    if not seen.size:
        return 0.0
    return float((np.hypot(*seen) <= least).mean())
