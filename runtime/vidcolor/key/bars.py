"""Black bars around a key: of a still that was taken from a letterboxed or pillarboxed copy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vidcolor.planes import Key, Plane

BARS_CUT = "has black bars, which are cut off"
"""What is told of a key; its image's name goes before it."""

_BLACK, _COLORLESS = 0.09, 0.03
"""Luma, and chroma, up to which a bar is black: limited range's black is 0.063 in full range."""
_THINNEST = 0.02
"""Of a side: what is thinner is the edge of a scan."""
_UNEVEN = 0.02
"""Of a side, that two opposite bars may differ by."""


type Box = tuple[slice, slice]
"""Rows and columns of a part of a picture."""


def boxes_of(key: Key) -> list[Box]:
    """Parts of a key that lie between black bars: without all bars, without those of one kind.

    Of a film that has bars itself, a key may have further ones of the other kind.
    """
    dark = (key.luma <= _BLACK) & (np.abs(key.chroma).max(axis=0) <= _COLORLESS)
    rows, columns = _between(dark.all(axis=1)), _between(dark.all(axis=0))
    whole = slice(None)
    boxes = [(rows or whole, columns or whole)] if rows or columns else []
    return [*boxes, (rows, whole), (whole, columns)] if rows and columns else boxes


def cut_out(key: Key, box: Box) -> Key:
    """A part of a key."""
    weight = None if key.weight is None else key.weight[box]
    return Key(key.luma[box], key.chroma[:, *box], weight)


def without_bars(key: Key) -> Key | None:
    """The key's picture without the black bars on two opposite sides; None where it has none."""
    boxes = boxes_of(key)
    return cut_out(key, boxes[0]) if boxes else None


def has_bars(luma: Plane, *, as_those_of: Key) -> bool:
    """Whether a frame [h, w] is as black as a key, where that has bars."""
    dark = as_those_of.luma <= _BLACK
    height, width = luma.shape
    for axis in (1, 0):
        part = _between(dark.all(axis=axis))
        if part is not None:
            size = dark.shape[0] if axis else dark.shape[1]
            side = height if axis else width
            begin, end = (round(edge * side / size) for edge in (part.start, part.stop))
            lines = luma if axis else luma.T
            bars = np.concatenate((lines[: max(0, begin - 1)], lines[end + 1 :]))
            if bars.size and float(np.percentile(bars, 90)) > _BLACK:
                return False
    return True


def _between(dark: NDArray[np.bool_]) -> slice | None:
    """The lines between dark ones at both ends; None where these are not two bars."""
    bright = np.flatnonzero(~dark)
    if not bright.size:
        return None
    begin, end = int(bright[0]), int(bright[-1]) + 1
    one, other, size = begin, len(dark) - end, len(dark)
    if min(one, other) < _THINNEST * size or abs(one - other) > max(2, _UNEVEN * size):
        return None
    return slice(begin, end)
