"""Luma at the places of chroma samples, a few rows of a frame at a time."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from vidcolor.grid import SITINGS, Grid
from vidcolor.planes import Plane

type LumaRows = Callable[[slice], Plane]
"""Gives some rows of a frame's luma, [rows, w] float32 in [0, 1]."""


def at_chroma(read: LumaRows, grid: Grid, first: int, stop: int) -> Plane:
    """Luma at rows of chroma samples: the mean of the luma samples that each one covers.

    Args:
        read: Gives the frame's luma.
        grid: Of the frame's chroma.
        first: The first row of chroma.
        stop: The row of chroma behind the last one.

    Returns:
        [stop - first, grid.shape[1]] float32 in [0, 1].
    """
    if grid.subsampling == (0, 0):
        return read(slice(first, stop))
    if _is_of_pairs(grid):
        step = 1 << grid.subsampling[1]
        return _means_of_pairs(read(slice(first * step, stop * step)), grid)
    (across, along), (down, right) = grid.subsampling, SITINGS[grid.siting]
    row_kernel, row_anchor = box_filter(1 << along, down)
    column_kernel, column_anchor = box_filter(1 << across, right)
    offset = (1 << along) - 1 if down == 1 else 0
    rows = ((np.arange(first, stop) << along) + offset).clip(max=grid.height - 1)
    top = max(0, rows[0] - row_anchor)
    bottom = rows[-1] - row_anchor + len(row_kernel)  # a slice ends with the frame
    means = cv2.sepFilter2D(
        read(slice(top, bottom)),
        cv2.CV_32F,
        column_kernel,
        row_kernel,
        anchor=(column_anchor, row_anchor),
        borderType=cv2.BORDER_REPLICATE,
    )
    return np.asarray(means[rows - top, :: 1 << across], np.float32)


def _is_of_pairs(grid: Grid) -> bool:
    """Whether means can be taken of columns two by two: 4:2:0 and 4:2:2 as they are usual."""
    across, along = grid.subsampling
    is_whole = grid.width % 2 == grid.height % (1 << along) == 0
    return is_whole and across == 1 and (along == 0 or (along, SITINGS[grid.siting][0]) == (1, 0.5))


def _means_of_pairs(luma: Plane, grid: Grid) -> Plane:
    """What the box filters give, of which no luma sample without a chroma sample is computed.

    The sums are taken in the order of `cv2.sepFilter2D`, so they are the same up to the last bit:
    halves and quarters round nothing.
    """
    rows, width = luma.shape
    odd = np.empty((rows, width // 2 + 1), np.float32)
    even = np.empty((rows, width // 2), np.float32)
    cv2.split(luma.reshape(rows, -1, 2), [even, odd[:, 1:]])
    if SITINGS[grid.siting][1] == 0:
        odd[:, 0] = even[:, 0]
        sums, share = cv2.scaleAdd(even, 2, cv2.add(odd[:, :-1], odd[:, 1:])), 0.25
    else:
        sums, share = cv2.add(even, odd[:, 1:]), 0.5
    if grid.subsampling[1]:
        upper, lower = np.split(sums.reshape(rows // 2, -1), 2, axis=1)
        sums, share = cv2.add(upper, lower), share / 2
    return np.multiply(sums, np.float32(share), out=sums)


def box_filter(step: int, place: float) -> tuple[Plane, int]:
    """The box filter over `step` luma samples around a chroma sample: weights and anchor index.

    place: where the chroma sample sits, from 0 to 1 as in `SITINGS`. A chroma sample between luma
    samples has the first as its anchor. One on a luma sample gives both ends half their weight.
    """
    if step == 1 or place == 0.5:
        return np.full(step, 1 / step, np.float32), 0
    weights = np.full(step + 1, 1 / step, np.float32)
    weights[[0, -1]] /= 2
    return weights, step // 2
