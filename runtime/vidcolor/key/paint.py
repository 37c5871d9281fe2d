"""Colour that was painted on a frame, on all of it or in parts, fitted to the frame it is of.

A key that is painted in parts is spread at working size, along the luma of the clip's own frame;
that is the key that the model is given, and what the frame itself gets where nothing is painted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from vidcolor.errors import KeyFrameError
from vidcolor.grid import Grid, resample
from vidcolor.key.scribbles import LEAST_WEIGHT, spread
from vidcolor.planes import Key, Plane
from vidcolor.working_size import Fit


@dataclass(frozen=True, eq=False)
class Paint:
    """Chroma and where it counts, on a grid of its own over the picture."""

    chroma: Plane
    """[2, *grid.shape] float32."""
    grid: Grid
    weight: Plane | None = None
    """[*grid.shape] float32, 0 to 1: how solid the paint is; None where all of it is."""

    @classmethod
    def of(cls, key: Key) -> Self:
        """The paint of a key of any size."""
        return cls(key.chroma, Grid(*key.luma.shape), key.weight)

    def small(self, luma: Plane, fit: Fit) -> Key:
        """The whole key at working size.

        luma: of the frame that is painted, at working size, in [0, 1].

        Raises KeyFrameError when nothing is painted, and MissingLibraryError where a key that is
        painted in parts cannot be spread.
        """
        if self.weight is None:
            return Key(luma, fit.down_chroma(self.chroma, self.grid))
        weight = resample(self.weight[None], self.grid, fit.working)[0].clip(0, 1)
        if not (weight > LEAST_WEIGHT).any():
            raise KeyFrameError("key: nothing of it is painted, its alpha is 0 everywhere")
        thick = resample(self.weight * self.chroma, self.grid, fit.working)
        chroma = np.clip(thick / np.maximum(weight, LEAST_WEIGHT), -0.5, 0.5)
        return Key(luma, spread(luma, chroma, weight))

    def full(self, small: Key, luma: Plane, fit: Fit, target: Grid) -> Plane:
        """The painted frame's own chroma [2, *target.shape]: the paint's where it is solid.

        small: what `small` gave. luma: of the clip's frame, [height, width] in [0, 1].
        target: the grid of the clip's chroma.
        """
        own = resample(self.chroma, self.grid, target)
        if self.weight is None:
            return own
        weight = resample(self.weight[None], self.grid, target)
        thick = resample(self.weight * self.chroma, self.grid, target)
        around = fit.up(small.chroma, small.luma, luma, target.subsampling, target.siting)
        return np.where(weight > 1 - LEAST_WEIGHT, own, thick + (1 - weight) * around)
