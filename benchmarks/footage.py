"""The clips that are measured on: rendered textures that move, so that flow has work to do."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vidcolor.planes import Key, Plane

Codes = NDArray[np.uint8]

CLIPS = {"480p": (480, 854), "1080p": (1080, 1920)}
"""Height and width by name."""

_PERIOD = 12
"""Frames until the pan turns round; a clip of any length repeats them."""


def pan(height: int, width: int) -> list[Codes]:
    """Luma codes, full range, of a ground that pans by 2 pixels a frame while discs cross it.

    Frame n of a clip is ``pan(...)[place(n)]``.
    """
    rng = np.random.default_rng(0)
    ground = _texture(rng, height + 2 * _PERIOD, width + 2 * _PERIOD)
    discs = [(rng.uniform(0.2, 0.8, 2), rng.uniform(-3, 3, 2), rng.uniform(60, 220)) for _ in "abc"]
    frames = []
    for n in range(_PERIOD):
        frame = ground[n : n + height, 2 * n : 2 * n + width].copy()
        for (x, y), (right, down), level in discs:
            centre = round(x * width + n * right), round(y * height + n * down)
            cv2.circle(frame, centre, height // 8, level, -1, cv2.LINE_AA)
        frames.append(frame)
    return frames


def place(n: int) -> int:
    """Which frame of `pan` is frame n of the clip: there and back, without a jump."""
    step = n % (2 * _PERIOD - 2)
    return min(step, 2 * _PERIOD - 2 - step)


def key_of(small: Plane) -> Key:
    """A key at working size: any colours will do, for nothing is faster for them."""
    rng = np.random.default_rng(1)
    height, width = small.shape
    noise = rng.standard_normal((height, width, 2)).astype(np.float32)
    smooth = np.moveaxis(cv2.GaussianBlur(noise, (0, 0), height / 16), 2, 0)
    return Key(luma=small, chroma=np.clip(smooth * height / 64, -0.4, 0.4))


def _texture(rng: np.random.Generator, height: int, width: int) -> Codes:
    noise = rng.standard_normal((height, width)).astype(np.float32)
    layers = (cv2.GaussianBlur(noise, (0, 0), sigma) * sigma for sigma in (1.5, 6, 24))
    return np.clip(128 + 60 * sum(layers), 0, 255).astype(np.uint8)
