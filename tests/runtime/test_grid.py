from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from vidcolor.errors import ArgumentError
from vidcolor.grid import SITINGS, Grid, resample

SUBSAMPLINGS = [(0, 0), (1, 0), (1, 1), (2, 0), (2, 2), (0, 1)]
GRIDS = [
    Grid(height, width, subsampling, siting)
    for (height, width), subsampling, siting in product([(48, 64), (47, 61)], SUBSAMPLINGS, SITINGS)
]


def ramps(grid: Grid) -> np.ndarray:
    """Planes whose value is the place of the sample: fraction of the height, of the width."""
    rows, columns = (axis.first + np.arange(axis.samples) * axis.pitch for axis in grid.axes)
    return np.stack(np.meshgrid(rows, columns, indexing="ij")).astype(np.float32)


def test_sizes_round_up() -> None:
    for height, width, (across, along) in product(range(1, 10), range(1, 10), SUBSAMPLINGS):
        shape = Grid(height, width, (across, along)).shape
        assert shape == (int(np.ceil(height / 2**along)), int(np.ceil(width / 2**across)))


@pytest.mark.parametrize(
    ("siting", "row", "column"),
    [
        ("left", 0.5, 0.0),
        ("center", 0.5, 0.5),
        ("topleft", 0.0, 0.0),
        ("top", 0.0, 0.5),
        ("bottomleft", 1.0, 0.0),
        ("bottom", 1.0, 0.5),
    ],
)
def test_where_the_first_chroma_sample_of_420_sits(siting: str, row: float, column: float) -> None:
    """In luma samples from the first one's centre: ITU-T H.273, figure 1."""
    vertical, horizontal = Grid(20, 40, (1, 1), siting).axes
    assert vertical.first * 20 - 0.5 == pytest.approx(row)
    assert horizontal.first * 40 - 0.5 == pytest.approx(column)
    assert vertical.pitch * 20 == pytest.approx(2)


def test_sitings_are_in_the_order_of_h273() -> None:
    assert list(SITINGS) == ["left", "center", "topleft", "top", "bottomleft", "bottom"]


@pytest.mark.parametrize("target", [Grid(48, 64), Grid(31, 40), Grid(96, 130)], ids=str)
@pytest.mark.parametrize("source", GRIDS, ids=str)
def test_places_line_up_both_ways(source: Grid, target: Grid) -> None:
    for one, other in ((source, target), (target, source)):
        carried = resample(ramps(one), one, other)
        assert carried.dtype == np.float32
        assert carried.shape == (2, *other.shape)
        for side, (have, want) in enumerate(zip(one.axes, other.axes, strict=True)):
            found, truth = (np.moveaxis(ramp[side], side, 0) for ramp in (carried, ramps(other)))
            # Linear interpolation keeps a ramp but for float32; a mean over a broken number of
            # samples keeps it to a part of one. Half a luma sample off would be 0.125 or more.
            finer = want.pitch <= have.pitch
            edge = int(np.ceil(2 * max(1, have.pitch / want.pitch)))  # there, samples repeat
            np.testing.assert_allclose(
                found[edge:-edge], truth[edge:-edge], atol=2e-6 if finer else 0.08 * have.pitch
            )


def test_a_constant_stays_to_the_border() -> None:
    planes = np.full((2, 24, 31), 0.25, np.float32)
    source = Grid(47, 61, (1, 1), "left")
    for target in (Grid(47, 61), Grid(13, 17), Grid(100, 200, (2, 0))):
        np.testing.assert_allclose(resample(planes, source, target), 0.25, atol=1e-7)


def test_coarser_grids_take_in_every_sample() -> None:
    rng = np.random.default_rng(0)
    planes = rng.standard_normal((2, 128, 128)).astype(np.float32)
    small = resample(planes, Grid(128, 128), Grid(16, 16))
    assert small.std() < planes.std() / 8  # a mean over about 8 x 8 independent samples
    for row, column in product((3, 64, 120), (0, 57, 127)):
        changed = planes.copy()
        changed[:, row, column] += 1
        assert (resample(changed, Grid(128, 128), Grid(16, 16)) != small).any()


def test_the_same_grid_gives_the_same_planes() -> None:
    planes = np.random.default_rng(0).random((2, 24, 31), np.float32)
    grid = Grid(48, 61, (1, 1), "topleft")
    np.testing.assert_array_equal(resample(planes, grid, Grid(48, 61, (1, 1), "topleft")), planes)


def test_unknown_siting() -> None:
    with pytest.raises(ArgumentError, match="siting is 'right', accepted are left, center"):
        Grid(4, 4, siting="right")
