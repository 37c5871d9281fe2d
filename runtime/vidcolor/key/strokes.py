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
"""A pixel of a stroke has at least this share of the strongest chroma around it. One with less is
the brush's soft rim."""
_RIM = 5
"""Side, in pixels, of the window around it."""


def strokes_of(picture: Picture, matrix: str) -> Key:
    """The strokes of paint on a picture.

    In a picture with alpha, alpha says where paint is. A picture without alpha is the gray frame
    with colour painted over it: what has colour is a stroke, whatever its luma. A brush's soft rim,
    where paint and gray mix, is no stroke.

    Args:
        picture: As `read_picture` gives it.
        matrix: Of the clip, one of `vidcolor.color.MATRICES`.

    Returns:
        The picture's luma and chroma, and in `Key.weight` how solid the paint is.
    """
    key = rgb_to_key(picture.rgb, matrix)
    if picture.alpha is not None:
        return Key(key.luma, key.chroma, picture.alpha)
    return Key(key.luma, key.chroma, _painted(key.chroma))


def _painted(chroma: Plane) -> Plane:
    """Where strokes are, of chroma [2, h, w]: [h, w] float32, 0 or 1."""
    strength = np.hypot(*chroma)
    around = np.asarray(cv2.dilate(strength, np.ones((_RIM, _RIM), np.uint8)))
    stroke = (strength > _LEAST_CHROMA) & (strength >= _CORE * around)
    return np.asarray(stroke, np.float32)
