"""Where the samples of a plane sit in the picture, and planes carried from one grid to another.

Chroma has fewer samples than luma, and they need not sit where the picture is cut evenly: in most
video, chroma is 'left', level with every second luma column but between two lines. Ignoring that
moves colour by a quarter of a chroma sample. Here every sample has its place as a fraction of the
picture's height or width, so any two grids over the same picture line up.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vidcolor.errors import ArgumentError
from vidcolor.planes import Plane

SITINGS = {
    "left": (0.5, 0.0),
    "center": (0.5, 0.5),
    "topleft": (0.0, 0.0),
    "top": (0.0, 0.5),
    "bottomleft": (1.0, 0.0),
    "bottom": (1.0, 0.5),
}
"""Down and right from the first to the last luma sample that a chroma sample stands for, in the
order of ITU-T H.273's chroma_sample_loc_type and VapourSynth's _ChromaLocation, from 0."""


class Axis(NamedTuple):
    """Samples along one side of the picture; places and distances are fractions of that side."""

    samples: int
    first: float
    """Where the first sample sits."""
    pitch: float
    """From one sample to the next."""


@dataclass(frozen=True)
class Grid:
    """The samples of a chroma plane, or of a luma plane when nothing is subsampled."""

    height: int
    """Of the picture, in luma samples."""
    width: int
    subsampling: tuple[int, int] = (0, 0)
    """How often the width and the height are halved: (1, 1) is 4:2:0, (1, 0) is 4:2:2."""
    siting: str = "left"
    """One of `SITINGS`; of no meaning along a side that is not subsampled."""

    def __post_init__(self) -> None:
        if self.siting not in SITINGS:
            raise ArgumentError(f"siting is {self.siting!r}, accepted are {', '.join(SITINGS)}")

    @property
    def axes(self) -> tuple[Axis, Axis]:
        """Down and across. An incomplete last sample counts: a width of 5 halves to 3."""
        down, right = SITINGS[self.siting]
        across, along = self.subsampling
        return _axis(self.height, 1 << along, down), _axis(self.width, 1 << across, right)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in samples of this grid."""
        vertical, horizontal = self.axes
        return vertical.samples, horizontal.samples


def _axis(luma: int, step: int, place: float) -> Axis:
    return Axis(-(-luma // step), (0.5 + place * (step - 1)) / luma, step / luma)


def resample(planes: Plane, source: Grid, target: Grid) -> Plane:
    """Planes [c, *source.shape] float32 at the samples of `target`: [c, *target.shape].

    Linear between samples where the target is finer; where it is coarser, each target sample is
    the mean of all around it, weighted by a triangle as wide as two target samples. Both grids lie
    over the same picture. Onto the very same grid, planes come back as they are.
    """
    return resample_axes(planes, source.axes, target.axes)


def resample_axes(planes: Plane, source: tuple[Axis, Axis], target: tuple[Axis, Axis]) -> Plane:
    """`resample` between the axes of grids, which may be mixed."""
    for side in (0, 1):
        if source[side] != target[side]:
            taps, weights = _taps(source[side], target[side])
            shape = (1, -1, 1) if side == 0 else (1, 1, -1)
            planes = sum(
                planes.take(tap, axis=1 + side) * weight.reshape(shape)
                for tap, weight in zip(taps, weights, strict=True)
            )
    return planes


@lru_cache(maxsize=64)
def _taps(source: Axis, target: Axis) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Source sample and weight of each tap of each target sample: two [taps, target.samples]."""
    reach = max(1.0, target.pitch / source.pitch)
    places = (target.first + np.arange(target.samples) * target.pitch - source.first) / source.pitch
    near = np.floor(places - reach).astype(np.intp) + 1
    taps = near + np.arange(int(np.ceil(2 * reach)))[:, None]
    weights = np.maximum(0, 1 - np.abs(taps - places) / reach)
    weights /= weights.sum(axis=0)
    return taps.clip(0, source.samples - 1), weights.astype(np.float32)
