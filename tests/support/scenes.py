"""Rendered scenes: textured, coloured shapes that move over a textured ground, under a camera pan.

Chroma is tied to the things in the picture and luma to their texture, as in real footage, so that
colour can be followed by following luma. Everything is drawn from a seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from vidcolor.color import key_to_rgb
from vidcolor.planes import Key

Array = NDArray[np.float32]

_OBJECTS = 3
_MARGIN = 48
"""Pixels of ground around the picture that the camera can pan into."""


class Scene(NamedTuple):
    """luma [t, h, w] in [0, 1], chroma [t, 2, h, w] in ±0.5, both float32."""

    luma: Array
    chroma: Array

    def key(self, frame: int = 0) -> Key:
        """A frame as a key."""
        return Key(luma=self.luma[frame], chroma=self.chroma[frame])

    def rgb(self, matrix: str = "bt709") -> NDArray[np.uint8]:
        """[t, h, w, 3] uint8."""
        frames = [key_to_rgb(self.key(t), matrix) for t in range(len(self.luma))]
        return np.rint(np.stack(frames) * 255).astype(np.uint8)


@dataclass(frozen=True)
class _Thing:
    """A textured, coloured ellipse."""

    texture: Array
    chroma: Array
    centre: Array
    motion: Array
    radii: Array


def render(
    frames: int = 8, height: int = 96, width: int = 128, *, seed: int = 0, pan: float = 0.7
) -> Scene:
    """A scene in which things move by up to 2 pixels and the camera by `pan` pixels a frame."""
    luma, chroma = _rendered(frames, height, width, seed, pan)
    return Scene(luma=luma.copy(), chroma=chroma.copy())


@lru_cache(maxsize=16)
def _rendered(frames: int, height: int, width: int, seed: int, pan: float) -> Scene:
    """Drawn once where a file's tests ask for the same again and again."""
    rng = np.random.default_rng(seed)
    ground = _texture(rng, height + 2 * _MARGIN, width + 2 * _MARGIN)
    ground_chroma = _chroma(rng)
    things = [_thing(rng, height, width) for _ in range(_OBJECTS)]
    luma = np.empty((frames, height, width), np.float32)
    chroma = np.empty((frames, 2, height, width), np.float32)
    for t in range(frames):
        shift = np.array([[1, 0, _MARGIN + pan * t], [0, 1, _MARGIN + 0.5 * pan * t]])
        luma[t] = _warp(ground, shift, height, width)
        chroma[t] = ground_chroma[:, None, None]
        for thing in things:
            mask, texture = _draw(thing, t, height, width)
            luma[t] += mask * (texture - luma[t])
            chroma[t] += mask * (thing.chroma[:, None, None] - chroma[t])
    return Scene(luma=luma.clip(0, 1), chroma=chroma.clip(-0.5, 0.5))


def _thing(rng: np.random.Generator, height: int, width: int) -> _Thing:
    side = 2 * max(height, width)
    return _Thing(
        texture=_texture(rng, side, side),
        chroma=_chroma(rng),
        centre=(rng.uniform(0.25, 0.75, 2) * (width, height)).astype(np.float32),
        motion=rng.uniform(-2, 2, 2).astype(np.float32),
        radii=(rng.uniform(0.12, 0.28, 2) * min(height, width)).astype(np.float32),
    )


def _draw(thing: _Thing, t: int, height: int, width: int) -> tuple[Array, Array]:
    """The thing's coverage and texture in frame t, each [h, w]; the texture moves along."""
    x, y = thing.centre + t * thing.motion
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    distance = np.hypot((columns - x) / thing.radii[0], (rows - y) / thing.radii[1])
    mask = ((1 - distance) * thing.radii.min() + 0.5).clip(0, 1)
    middle = thing.texture.shape[0] / 2
    shift = np.array([[1, 0, middle - x], [0, 1, middle - y]])
    return mask, _warp(thing.texture, shift, height, width)


def _texture(rng: np.random.Generator, height: int, width: int) -> Array:
    """Luma of fine and coarse blobs around a level of its own."""
    fine, coarse = (
        cv2.GaussianBlur(rng.standard_normal((height, width)).astype(np.float32), (0, 0), sigma)
        for sigma in (1.5, 6)
    )
    blobs = fine / fine.std() + coarse / coarse.std()
    return (rng.uniform(0.3, 0.7) + 0.07 * blobs).astype(np.float32)


def _chroma(rng: np.random.Generator) -> Array:
    """A saturated colour of any hue."""
    hue = rng.uniform(0, 2 * np.pi)
    return (0.25 * np.array([np.cos(hue), np.sin(hue)])).astype(np.float32)


def _warp(plane: Array, shift: NDArray[np.float64], height: int, width: int) -> Array:
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(plane, shift, (width, height), flags=flags, borderMode=cv2.BORDER_REFLECT)
