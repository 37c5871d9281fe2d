"""Which pixels of a painted image are strokes, and of what colour."""

from __future__ import annotations

import cv2
import numpy as np

from vidcolor.color import rgb_to_key
from vidcolor.key.image import Picture
from vidcolor.planes import Key, Plane

_LEAST_CHROMA = 4 / 255
"""Chroma of the palest stroke on a gray frame; four 8-bit codes."""
_CORE = 0.9
"""Share of the chroma around it that a stroke's pixel has, or it is the brush's soft rim."""
_RIM = 5
"""Side, in pixels, of the window that is around it."""


def strokes_of(picture: Picture, matrix: str) -> Key:
    """What is painted: the picture's luma and chroma, and how solid the paint is.

    Of a picture with alpha, that is its alpha. Of one without, it is the gray frame with colour
    painted over it: what is in colour is a stroke, whatever became of its luma. A brush's soft rim,
    where paint and gray mix, is none.
    """
    key = rgb_to_key(picture.rgb, matrix)
    if picture.alpha is not None:
        return Key(key.luma, key.chroma, picture.alpha)
    return Key(key.luma, key.chroma, _painted(key.chroma))


def _painted(chroma: Plane) -> Plane:
    """Where strokes are: [h, w] float32, 0 or 1."""
    strength = np.hypot(*chroma)
    around = np.asarray(cv2.dilate(strength, np.ones((_RIM, _RIM), np.uint8)))
    stroke = (strength > _LEAST_CHROMA) & (strength >= _CORE * around)
    return np.asarray(stroke, np.float32)
