"""Luma at the places of chroma samples, against OpenCV's filter over the whole plane."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vidcolor.chroma_sites import at_chroma, box_filter
from vidcolor.grid import SITINGS, Grid
from vidcolor.planes import Plane


def filtered(luma: Plane, grid: Grid) -> Plane:
    """The box filters at every luma sample, of which those at chroma samples are taken."""
    (across, along), (down, right) = grid.subsampling, SITINGS[grid.siting]
    rows, row_anchor = box_filter(1 << along, down)
    columns, column_anchor = box_filter(1 << across, right)
    anchor, border = (column_anchor, row_anchor), cv2.BORDER_REPLICATE
    means = cv2.sepFilter2D(luma, cv2.CV_32F, columns, rows, anchor=anchor, borderType=border)
    places = np.arange(grid.shape[0]) * (1 << along) + ((1 << along) - 1) * (down == 1)
    return means[places.clip(max=grid.height - 1)][:, :: 1 << across]


@pytest.mark.parametrize("siting", SITINGS)
@pytest.mark.parametrize("subsampling", [(1, 0), (1, 1), (2, 0), (2, 2), (0, 1)])
@pytest.mark.parametrize(("height", "width"), [(96, 128), (66, 854), (95, 128), (96, 129), (3, 2)])
def test_rows_of_luma_at_chroma_are_those_of_the_whole_plane(
    height: int, width: int, subsampling: tuple[int, int], siting: str
) -> None:
    """To the last bit, from any row to any row."""
    luma = np.random.default_rng(0).random((height, width), np.float32)
    before, grid = luma.copy(), Grid(height, width, subsampling, siting)
    wanted = filtered(luma, grid)
    rows = grid.shape[0]
    for first, stop in {(0, rows), (0, 1), (rows // 3, rows), (rows // 2, rows // 2 + 1)}:
        found = at_chroma(luma.__getitem__, grid, first, stop)
        assert found.tobytes() == wanted[first:stop].tobytes()
    np.testing.assert_array_equal(luma, before)


@pytest.mark.parametrize("siting", ["left", "center"])
@pytest.mark.parametrize("subsampling", [(1, 0), (1, 1)])
def test_of_usual_chroma_no_means_are_taken_that_nobody_needs(
    subsampling: tuple[int, int], siting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The filter computes two or four times as many as there are chroma samples."""
    monkeypatch.setattr(cv2, "sepFilter2D", None)
    luma = np.full((8, 6), 0.25, np.float32)
    grid = Grid(8, 6, subsampling, siting)
    np.testing.assert_array_equal(at_chroma(luma.__getitem__, grid, 0, grid.shape[0]), 0.25)


def test_luma_is_itself_where_chroma_is_not_subsampled() -> None:
    luma = np.random.default_rng(0).random((8, 6), np.float32)
    np.testing.assert_array_equal(at_chroma(luma.__getitem__, Grid(8, 6), 2, 5), luma[2:5])
