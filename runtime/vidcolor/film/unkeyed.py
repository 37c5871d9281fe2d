"""Keys for the shots that have none, painted by an image colorizer."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import numpy as np

from vidcolor.film.fingerprint import fingerprint_key
from vidcolor.film.key_ranges import covered
from vidcolor.film.keys import FittedKey, Source
from vidcolor.film.scan import FilmIndex
from vidcolor.inference.colorizer import Colorizer
from vidcolor.key.auto import AUTO
from vidcolor.planes import Key, Plane


def paint_unkeyed(
    index: FilmIndex,
    part: range,
    keys: Collection[int],
    *,
    key_ranges: Mapping[int, range],
    scan: Callable[..., FilmIndex],
    colorizer: Colorizer,
    matrix: str,
) -> dict[int, FittedKey]:
    """Paint the best frame of each shot that has no key.

    Args:
        index: The film's.
        part: The frames that are asked for; shots without any of them are left alone.
        keys: Frames that have a key.
        key_ranges: Frames of those that hold for a range alone -> that range.
        scan: Reads the film for the luma of `key_frames`: `scan_film`.
        colorizer: What paints them.
        matrix: The film's, one of `vidcolor.color.MATRICES`.

    Returns:
        Frame -> key.
    """
    hidden, lasting = covered(key_ranges), set(keys) - set(key_ranges)
    shots = index.shots_without(lasting, part, hidden)
    frames = [index.best_frame(shot, hidden) for shot in shots]
    lumas = scan(key_frames=(*keys, *frames)).lumas if frames else {}
    return {frame: paint_frame(lumas[frame], colorizer, matrix) for frame in frames}


def paint_frame(luma: Plane, colorizer: Colorizer, matrix: str) -> FittedKey:
    """A key of a frame's luma [h, w] at working size, in the colorizer's colours."""
    chroma = colorizer.color(luma, matrix=matrix)
    # At full size nothing is painted: there the colours are brought up along the frame's luma.
    nowhere = Key(luma, chroma, np.zeros(luma.shape, np.float32))
    key = Key(luma, chroma)
    return FittedKey(key, fingerprint_key(nowhere), Source(AUTO, lambda: nowhere))
