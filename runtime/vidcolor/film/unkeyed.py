"""Keys for the shots that have none, painted by an image colorizer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from vidcolor.film.fingerprint import fingerprint_key
from vidcolor.film.keys import FittedKey, Source
from vidcolor.inference.colorizer import Colorizer
from vidcolor.key.auto import AUTO
from vidcolor.planes import Key, Plane


def paint_unkeyed(
    frames: Iterable[int], lumas: Mapping[int, Plane], *, colorizer: Colorizer, matrix: str
) -> dict[int, FittedKey]:
    """Paint frames.

    Args:
        frames: Which.
        lumas: Frame -> luma [h, w] at working size.
        colorizer: What paints them.
        matrix: The film's, one of `vidcolor.color.MATRICES`.

    Returns:
        Frame -> key.
    """
    return {frame: _painted(lumas[frame], colorizer, matrix) for frame in frames}


def _painted(luma: Plane, colorizer: Colorizer, matrix: str) -> FittedKey:
    chroma = colorizer.color(luma, matrix=matrix)
    # At full size nothing is painted: there the colours are brought up along the frame's luma.
    nowhere = Key(luma, chroma, np.zeros(luma.shape, np.float32))
    key = Key(luma, chroma)
    return FittedKey(key, fingerprint_key(nowhere), Source(AUTO, lambda: nowhere))
