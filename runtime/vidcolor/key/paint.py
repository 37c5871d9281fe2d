"""Colour painted on a frame, on all of it or in parts, fitted to that frame.

A key that is painted in parts is spread at working size, along the luma of the clip's own frame.
The result is the key that the model gets, and the frame's own colours where nothing is painted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from vidcolor.errors import KeyFrameError
from vidcolor.grid import Grid, resample
from vidcolor.key.scribbles import LEAST_WEIGHT, spread
from vidcolor.planes import Key, Plane
from vidcolor.working_size import WorkingSize


@dataclass(frozen=True, eq=False)
class Paint:
    """Painted chroma on a grid of its own over the picture."""

    chroma: Plane
    """[2, *grid.shape] float32 in [-0.5, 0.5]."""
    grid: Grid
    """Of the painted picture, which may have any size."""
    weight: Plane | None = None
    """[*grid.shape] float32 in [0, 1], how solid the paint is; None if it is solid everywhere."""

    @classmethod
    def of(cls, key: Key) -> Self:
        """The paint of a key of any size."""
        return cls(key.chroma, Grid(*key.luma.shape), key.weight)

    def small(self, luma: Plane, working_size: WorkingSize) -> Key:
        """The whole key at working size: paint is spread over what is not painted.

        Args:
            luma: [h, w] float32 in [0, 1], of the clip's frame at working size.
            working_size: The clip's working size.

        Returns:
            A key without `Key.weight`.

        Raises:
            KeyFrameError: Nothing is painted.
            MissingLibraryError: SciPy is not installed, and only parts are painted.
        """
        if self.weight is None:
            return Key(luma, working_size.downsample_chroma(self.chroma, self.grid))
        weight = resample(self.weight[None], self.grid, working_size.working)[0].clip(0, 1)
        if not (weight > LEAST_WEIGHT).any():
            raise KeyFrameError("nothing of it is painted, its alpha is nearly 0 everywhere")
        weighted = resample(self.weight * self.chroma, self.grid, working_size.working)
        chroma = np.clip(weighted / np.maximum(weight, LEAST_WEIGHT), -0.5, 0.5)
        return Key(luma, spread(luma, chroma, weight))

    def full(self, small: Key, luma: Plane, working_size: WorkingSize, target: Grid) -> Plane:
        """The chroma of the painted frame at full size: the paint where it is solid.

        Args:
            small: What `small` gave.
            luma: [height, width] float32 in [0, 1], of the clip's frame.
            working_size: The clip's working size.
            target: The grid of the clip's chroma.

        Returns:
            [2, *target.shape] float32.
        """
        own = resample(self.chroma, self.grid, target)
        if self.weight is None:
            return own
        weight = resample(self.weight[None], self.grid, target)
        weighted = resample(self.weight * self.chroma, self.grid, target)
        spread_around = working_size.upsample(
            small.chroma, small.luma, luma, target.subsampling, target.siting
        )
        return np.where(weight > 1 - LEAST_WEIGHT, own, weighted + (1 - weight) * spread_around)
