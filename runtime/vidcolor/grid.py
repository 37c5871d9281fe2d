"""Where the samples of a plane sit in the picture, and resampling from one grid to another.

Chroma has fewer samples than luma, and they need not sit in the middle of the luma samples that
they stand for. In most video chroma is sited 'left': at every second luma column, but between two
lines. Ignoring that moves colour by a quarter of a chroma sample. Here each sample has a place, a
fraction of the picture's height or width, so any two grids over the same picture line up.
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
"""Where a chroma sample sits among the luma samples that it stands for, down and right: 0 is on the
first of them, 1 on the last. The order is that of ITU-T H.273's chroma_sample_loc_type and of
VapourSynth's _ChromaLocation, from 0."""


class Axis(NamedTuple):
    """Samples along one side of the picture. Places and distances are fractions of that side."""

    samples: int
    """How many there are."""
    first: float
    """The place of the first sample."""
    pitch: float
    """The distance from one sample to the next."""


@dataclass(frozen=True)
class Grid:
    """The samples of a chroma plane, or of a luma plane when nothing is subsampled."""

    height: int
    """Of the picture, in luma samples."""
    width: int
    """Of the picture, in luma samples."""
    subsampling: tuple[int, int] = (0, 0)
    """How many times width and height are halved: (1, 1) is 4:2:0, (1, 0) is 4:2:2."""
    siting: str = "left"
    """One of `SITINGS`; without meaning along a side that is not subsampled."""

    def __post_init__(self) -> None:
        if self.siting not in SITINGS:
            raise ArgumentError(f"siting is {self.siting!r}, accepted are {', '.join(SITINGS)}")

    @property
    def axes(self) -> tuple[Axis, Axis]:
        """The axes down and across. An incomplete last sample counts: half of a width of 5 is 3."""
        down, right = SITINGS[self.siting]
        across, along = self.subsampling
        return _axis(self.height, 1 << along, down), _axis(self.width, 1 << across, right)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in samples of this grid."""
        vertical, horizontal = self.axes
        return vertical.samples, horizontal.samples


def _axis(luma: int, step: int, place: float) -> Axis:
    """The axis of samples that stand for `step` of `luma` samples each, sited at `place`."""
    return Axis(-(-luma // step), (0.5 + place * (step - 1)) / luma, step / luma)


def resample(planes: Plane, source: Grid, target: Grid) -> Plane:
    """Resample planes from one grid to another over the same picture.

    Where the target is finer, interpolation is linear. Where it is coarser, each target sample is a
    mean of those around it, weighted by a triangle two target samples wide.

    Args:
        planes: [c, *source.shape] float32.
        source: The grid of `planes`.
        target: The grid to resample to.

    Returns:
        [c, *target.shape] float32; `planes` itself if both grids have the same samples.
    """
    return resample_axes(planes, source.axes, target.axes)


def resample_axes(planes: Plane, source: tuple[Axis, Axis], target: tuple[Axis, Axis]) -> Plane:
    """As `resample`, from axes (down, across) to axes, which may come from different grids."""
    for side in (0, 1):
        if source[side] != target[side]:
            taps, weights = find_taps(source[side], target[side])
            shape = (1, -1, 1) if side == 0 else (1, 1, -1)
            planes = sum(
                planes.take(tap, axis=1 + side) * weight.reshape(shape)
                for tap, weight in zip(taps, weights, strict=True)
            )
    return planes


@lru_cache(maxsize=64)
def find_taps(source: Axis, target: Axis) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """The filter of every target sample: its source samples and their weights.

    Returns:
        Two arrays [taps, target.samples].
    """
    reach = max(1.0, target.pitch / source.pitch)
    places = (target.first + np.arange(target.samples) * target.pitch - source.first) / source.pitch
    near = np.floor(places - reach).astype(np.intp) + 1
    taps = near + np.arange(int(np.ceil(2 * reach)))[:, None]
    weights = np.maximum(0, 1 - np.abs(taps - places) / reach)
    weights /= weights.sum(axis=0)
    return taps.clip(0, source.samples - 1), weights.astype(np.float32)
