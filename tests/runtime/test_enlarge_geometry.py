"""The matrices of the graph `enlarge` are what `WorkingSize.upsample` does along each side."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.support.full_size import SUBSAMPLINGS
from vidcolor.chroma_sites import at_chroma
from vidcolor.enlarge_geometry import enlarge_geometry
from vidcolor.grid import SITINGS, resample
from vidcolor.guided import WINDOW
from vidcolor.working_size import WorkingSize

FIT = WorkingSize.of(67, 131, 40)


@pytest.mark.parametrize("siting", SITINGS)
@pytest.mark.parametrize("subsampling", SUBSAMPLINGS)
def test_matrices_do_what_the_functions_do(subsampling: tuple[int, int], siting: str) -> None:
    """To the base grid and from there on; the mean around a sample; luma at the chroma's places."""
    rng = np.random.default_rng(0)
    grid = FIT.grid(subsampling, siting)
    geometry = enlarge_geometry(FIT.working, grid)
    if geometry is None:
        assert all(map(np.less_equal, grid.shape, FIT.working.shape))
        return
    small = rng.random(FIT.working.shape, np.float32)
    base = geometry["base_rows"] @ small @ geometry["base_columns"]
    full = geometry["full_rows"] @ base @ geometry["full_columns"]
    if all(map(np.greater, grid.shape, FIT.working.shape)):
        np.testing.assert_array_equal(base, small)
        np.testing.assert_allclose(full, resample(small[None], FIT.working, grid)[0], atol=1e-6)
    means = geometry["mean_rows"] @ base @ geometry["mean_columns"]
    np.testing.assert_allclose(means, cv2.blur(base, (WINDOW, WINDOW)), atol=1e-6)
    luma = rng.random((67, 131), np.float32)
    rows = (geometry["row_weights"] @ luma[geometry["luma_rows"]])[:, 0]
    guide = (rows[:, geometry["luma_columns"]] @ geometry["column_weights"])[..., 0]
    at_all = at_chroma(luma.__getitem__, grid, 0, grid.shape[0])
    np.testing.assert_allclose(guide, at_all, atol=1e-6)
    assert guide.shape == full.shape == grid.shape


def test_places_are_whole_numbers_and_all_else_is_float32() -> None:
    geometry = enlarge_geometry(FIT.working, FIT.grid((0, 0), "left"))
    assert geometry is not None
    places = {name for name, array in geometry.items() if array.dtype == np.int64}
    assert places == {"luma_rows", "luma_columns"}
    assert {a.dtype for n, a in geometry.items() if n not in places} == {np.dtype(np.float32)}
    assert all(array.flags.c_contiguous for array in geometry.values())
