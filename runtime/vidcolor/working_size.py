"""To the working size and back: luma and the key's chroma go down, the model's chroma comes up.

Every caller that has full-size frames makes the same three calls. So a frame gets the same colours
wherever it is coloured::

    working = WorkingSize.of(height, width)
    small = working.downsample(luma)
    chroma, confidence, state = propagator.step(small, state)
    full = working.upsample(chroma, small, luma, subsampling, siting)

`downsample_codes` and `upsample_codes` do the same from code values and to code values, some
rows at a time: planes of full size in float32 would go through memory again and again.

The last of the calls is made by `vidcolor.inference.enlarge.Enlarger` where a device can: there
it gives the same but for rounding.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidcolor.chroma_sites import LumaRows
from vidcolor.color import Codes, Coding, decode_luma, encode_plane
from vidcolor.cores import one_opencv_thread
from vidcolor.errors import ArgumentError
from vidcolor.grid import Grid, resample, resample_axes
from vidcolor.guided import BAND, coarser, guided
from vidcolor.planes import Plane

LEAST_SIZE = 32
"""Shortest side of the working size, in pixels; motion cannot be followed on less."""

ASPECT_TOLERANCE = 0.02
"""How far a key's width over its height may be off the clip's, as a share of the clip's."""


@dataclass(frozen=True)
class WorkingSize:
    """A clip's size and the size that its colours are computed at; `WorkingSize.of` chooses it."""

    height: int
    """Of the clip, in luma pixels."""
    width: int
    """Of the clip, in luma pixels."""
    working_height: int
    """In pixels."""
    working_width: int
    """In pixels."""

    @classmethod
    def of(cls, height: int, width: int, size: int = 256) -> WorkingSize:
        """The working size of a clip: of the same aspect, and never larger than the clip.

        Args:
            height: Of the clip, in luma pixels.
            width: Of the clip, in luma pixels.
            size: Short side of the working size in pixels, at least `LEAST_SIZE`.

        Raises:
            ArgumentError: `size` is not accepted.
        """
        if not isinstance(size, int) or size < LEAST_SIZE:
            raise ArgumentError(f"size is {size!r}, accepted are whole numbers from {LEAST_SIZE}")
        scale = min(1.0, size / min(height, width))
        return cls(height, width, max(1, round(height * scale)), max(1, round(width * scale)))

    @property
    def working(self) -> Grid:
        """The grid of every plane at working size."""
        return Grid(self.working_height, self.working_width)

    def grid(self, subsampling: tuple[int, int], siting: str) -> Grid:
        """The grid of the clip's chroma; subsampling and siting as in `Grid`."""
        return Grid(self.height, self.width, subsampling, siting)

    def downsample(self, luma: Plane) -> Plane:
        """Luma at working size: each pixel is the mean of its area.

        Args:
            luma: [height, width] float32 in [0, 1].

        Returns:
            [working_height, working_width] float32 in [0, 1].

        Raises:
            ArgumentError: `luma` has another shape.
        """
        check_shape("luma", luma, (self.height, self.width))
        return area_means(luma, self.working_height, self.working_width)

    def downsample_codes(self, codes: Codes, coding: Coding) -> Plane:
        """`downsample` of the luma that codes stand for; the same, up to the last bit.

        Args:
            codes: Luma codes [height, width].
            coding: What they mean.

        Returns:
            [working_height, working_width] float32 in [0, 1].

        Raises:
            ArgumentError: `codes` has another shape.
        """
        check_shape("luma", codes, (self.height, self.width))
        if not _is_halved(codes.shape, self.working_height):
            return self.downsample(decode_luma(codes, coding))
        half = np.empty((self.height // 2, self.width // 2), np.float32)
        rows = max(1, BAND // self.width)
        for row in range(0, len(half), rows):
            band = half[row : row + rows]
            luma = decode_luma(codes[2 * row : 2 * (row + len(band))], coding)
            band[:] = _area(luma, *band.shape)
        return area_means(half, self.working_height, self.working_width)

    def downsample_chroma(self, chroma: Plane, source: Grid) -> Plane:
        """A key's chroma at working size.

        Args:
            chroma: [2, *source.shape] float32.
            source: The grid of `chroma`, over a picture of the same content but of any size.

        Returns:
            [2, working_height, working_width] float32, clipped to [-0.5, 0.5].
        """
        return np.clip(resample(chroma, source, self.working), -0.5, 0.5)

    def upsample(
        self,
        chroma: Plane,
        small: Plane,
        luma: Plane,
        subsampling: tuple[int, int] = (0, 0),
        siting: str = "left",
    ) -> Plane:
        """Chroma of working size on the clip's chroma grid; see the Note in `vidcolor.guided`.

        Args:
            chroma: [2, working_height, working_width] float32 in [-0.5, 0.5].
            small: [working_height, working_width] float32: `downsample(luma)`.
            luma: [height, width] float32 in [0, 1], whose edges the colours follow.
            subsampling: The clip's, as in `Grid`.
            siting: The clip's, as in `Grid`.

        Returns:
            [2, *grid(subsampling, siting).shape] float32, clipped to [-0.5, 0.5].

        Raises:
            ArgumentError: A plane has another shape.
        """
        self._check(chroma, small, luma)
        grid = self.grid(subsampling, siting)
        full = np.empty((2, *grid.shape), np.float32)
        with one_opencv_thread():  # a band is too little work to be split
            for rows, band in self._bands(chroma, small, luma.__getitem__, grid):
                for plane, out in zip(band, full, strict=True):
                    np.clip(plane, -0.5, 0.5, out=out[rows])
        return full

    def upsample_codes(
        self,
        chroma: Plane,
        small: Plane,
        codes: Codes,
        coding: Coding,
        grid: Grid,
        output: Coding,
    ) -> tuple[Codes, Codes]:
        """What `encode_chroma` makes of `upsample` of the luma that codes stand for.

        Args:
            chroma: As in `upsample`.
            small: As in `upsample`.
            codes: Luma codes [height, width].
            coding: What they mean.
            grid: Of the clip's chroma.
            output: What the chroma's codes are to mean.

        Returns:
            Cb and Cr codes, [*grid.shape] each, of `output.dtype`.

        Raises:
            ArgumentError: A plane has another shape.
        """
        self._check(chroma, small, codes)
        full = np.empty((2, *grid.shape), output.dtype)

        def read(rows: slice) -> Plane:
            return decode_luma(codes[rows], coding)

        with one_opencv_thread():
            for rows, band in self._bands(chroma, small, read, grid):
                for plane, out in zip(band, full, strict=True):
                    np.clip(plane, -0.5, 0.5, out=plane)
                    encode_plane(plane, output, out[rows], scratch=plane)
        return full[0], full[1]

    def _check(self, chroma: Plane, small: Plane, luma: NDArray[Any]) -> None:
        check_shape("chroma", chroma, (2, *self.working.shape))
        check_shape("small", small, self.working.shape)
        check_shape("luma", luma, (self.height, self.width))

    def _bands(
        self, chroma: Plane, small: Plane, read: LumaRows, grid: Grid
    ) -> Iterator[tuple[slice, list[Plane]]]:
        """Rows of `grid` and their chroma, Cb and Cr, before it is clipped; see `guided`."""
        working, target = self.working.axes, grid.axes
        base = coarser(working[0], target[0]), coarser(working[1], target[1])
        chroma = resample_axes(chroma, working, base)
        if base == target:
            yield slice(None), [plane.copy() for plane in chroma]
        else:
            small = resample_axes(small[None], working, base)[0]
            yield from guided(chroma, small, read, base, grid)


def area_means(plane: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """A plane made smaller: each pixel is the mean of its area, up to rounding in its type.

    Args:
        plane: [h, w], of any type that OpenCV resizes.
        height: At most h.
        width: At most w.

    Returns:
        [height, width]; `plane` itself if it is of this size.
    """
    down, across = plane.shape
    while _is_halved((down, across), height):
        down, across = down // 2, across // 2  # halving is ten times as fast as other ratios
        plane = _area(plane, down, across)
    return plane if plane.shape == (height, width) else _area(plane, height, width)


def check_shape(argument: str, planes: NDArray[Any], shape: tuple[int, ...]) -> None:
    """Raise ArgumentError, which names the argument, if its planes have another shape."""
    if planes.shape != shape:
        raise ArgumentError(f"{argument} has shape {planes.shape}, accepted is {shape}")


def _is_halved(shape: tuple[int, ...], height: int) -> bool:
    """Whether `area_means` halves a plane on its way to a height."""
    return shape[0] >= 4 * height and shape[0] % 2 == shape[1] % 2 == 0


def _area(plane: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    small = cv2.resize(plane, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small, plane.dtype)
