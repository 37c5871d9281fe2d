"""`WorkingSize.upsample` as matrices: what the graph `enlarge` is given of sizes and siting.

Each function of `vidcolor.guided` and `vidcolor.chroma_sites` that the graph stands for is linear
along each side, so it is a matrix for the rows and one for the columns.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidcolor.chroma_sites import box_filter
from vidcolor.grid import SITINGS, Axis, Grid, find_taps
from vidcolor.guided import WINDOW, coarser
from vidcolor.planes import Plane


def enlarge_geometry(working: Grid, target: Grid) -> dict[str, NDArray[Any]] | None:
    """The inputs of the graph `enlarge` that are the same for all frames.

    Args:
        working: The grid of the planes at working size.
        target: The grid of the clip's chroma.

    Returns:
        float32 matrices, and int64 places of luma samples, by the names of the graph's inputs; None
        where the chroma's grid is no finer than the working size, and nothing is guided by luma.
    """
    base = tuple(map(coarser, working.axes, target.axes))
    if base == target.axes:
        return None
    base_rows, base_columns = map(_resampling, working.axes, base)
    mean_rows, mean_columns = (_means(axis.samples) for axis in base)
    full_rows, full_columns = map(_resampling, base, target.axes)
    (across, along), (down, right) = target.subsampling, SITINGS[target.siting]
    luma_rows, row_weights = _covered(target.height, 1 << along, down)
    luma_columns, column_weights = _covered(target.width, 1 << across, right)
    return {
        "base_rows": base_rows,
        "base_columns": np.ascontiguousarray(base_columns.T),
        "mean_rows": mean_rows,
        "mean_columns": np.ascontiguousarray(mean_columns.T),
        "full_rows": full_rows,
        "full_columns": np.ascontiguousarray(full_columns.T),
        "luma_rows": luma_rows,
        "row_weights": row_weights[None],
        "luma_columns": luma_columns,
        "column_weights": column_weights[:, None],
    }


def _resampling(source: Axis, target: Axis) -> Plane:
    """`resample_axes` along one side: [target.samples, source.samples]."""
    if source == target:
        return np.eye(source.samples, dtype=np.float32)
    matrix = np.zeros((target.samples, source.samples), np.float32)
    for taps, weights in zip(*find_taps(source, target), strict=True):
        np.add.at(matrix, (np.arange(target.samples), taps), weights)
    return matrix


def _means(samples: int) -> Plane:
    """The mean of each sample's window as `cv2.blur` has it, mirrored at the outermost samples."""
    matrix = np.zeros((samples, samples), np.float32)
    numbers = np.arange(samples)
    mirrored = np.pad(numbers, WINDOW // 2, mode="reflect")
    for first in range(WINDOW):
        np.add.at(matrix, (numbers, mirrored[first : first + samples]), np.float32(1 / WINDOW))
    return matrix


def _covered(samples: int, step: int, place: float) -> tuple[NDArray[np.int64], Plane]:
    """The luma samples that each chroma sample covers, [chroma samples, taps], and their weights.

    samples: of luma along a side. step: how many of them a chroma sample stands for. place: where
    it sits among them, as in `SITINGS`.
    """
    weights, anchor = box_filter(step, place)
    first = step - 1 if place == 1 else 0
    own = np.arange(first, first + samples, step).clip(max=samples - 1)
    taps = own[:, None] + np.arange(len(weights)) - anchor
    return taps.clip(0, samples - 1).astype(np.int64), weights
