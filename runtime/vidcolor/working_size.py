"""To the working size and back: luma and the key's chroma go down, the model's chroma comes up.

Every caller that has full-size frames makes the same three calls. So a frame gets the same colours
wherever it is coloured::

    working = WorkingSize.of(height, width)
    small = working.downsample(luma)
    chroma, confidence, state = propagator.step(small, state)
    full = working.upsample(chroma, small, luma, subsampling, siting)

The last of them is made by `vidcolor.inference.enlarge.Enlarger` where a device can: there it gives
the same but for rounding.

Note on upsampling. It is guided by the full-size luma, so that colour ends where luma has an edge.
In a window around each working pixel, chroma is a linear function of luma. This is the guided
filter of He, Sun and Tang (2013), with coefficients fitted at working size and applied at full size
as in He and Sun (2015), "Fast Guided Filter". The residual of that function is upsampled linearly
and added, so nothing of the model's chroma is lost. Where luma is flat, the result is linear
interpolation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidcolor.cores import one_opencv_thread
from vidcolor.errors import ArgumentError
from vidcolor.grid import SITINGS, Axis, Grid, resample, resample_axes
from vidcolor.planes import Plane

LEAST_SIZE = 32
"""Shortest side of the working size, in pixels; motion cannot be followed on less."""

ASPECT_TOLERANCE = 0.02
"""How far a key's width over its height may be off the clip's, as a share of the clip's."""

WINDOW = 3
"""Side, in working pixels, of the windows that the linear function is fitted in."""
NOISE = 0.02
"""Standard deviation of luma, of a range of 1, that counts as noise: the square root of the guided
filter's epsilon."""
# Window and noise gave the highest PSNR of those tried on scikit-image's photographs, downsampled
# by 2, 3 and 4.2: 1.4 to 2.2 dB above linear upsampling (windows of 3, 5, 9, 15; noise 0.005-0.05).

_BAND = 1 << 16
"""Pixels that are upsampled at a time."""

Axes = tuple[Axis, Axis]


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
        """Chroma of working size on the clip's chroma grid; see the Note on upsampling.

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
        check_shape("chroma", chroma, (2, *self.working.shape))
        check_shape("small", small, self.working.shape)
        check_shape("luma", luma, (self.height, self.width))
        target = self.grid(subsampling, siting).axes
        working = self.working.axes
        base = coarser(working[0], target[0]), coarser(working[1], target[1])
        chroma = resample_axes(chroma, working, base)
        if base == target:
            return np.clip(chroma, -0.5, 0.5)
        small = resample_axes(small[None], working, base)[0]
        with one_opencv_thread():  # a band is too little work to be split
            return _guided(chroma, small, at_chroma(luma, subsampling, siting), base, target)


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
    while down >= 4 * height and down % 2 == across % 2 == 0:
        down, across = down // 2, across // 2  # halving is ten times as fast as other ratios
        plane = _area(plane, down, across)
    return plane if plane.shape == (height, width) else _area(plane, height, width)


def check_shape(argument: str, planes: NDArray[Any], shape: tuple[int, ...]) -> None:
    """Raise ArgumentError, which names the argument, if its planes have another shape."""
    if planes.shape != shape:
        raise ArgumentError(f"{argument} has shape {planes.shape}, accepted is {shape}")


def _area(plane: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    small = cv2.resize(plane, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small, plane.dtype)


def coarser(one: Axis, other: Axis) -> Axis:
    """The coarser of two axes. No edges are looked for on a grid coarser than the working size."""
    return other if other.samples <= one.samples else one


def _guided(chroma: Plane, small: Plane, luma: Plane, base: Axes, target: Axes) -> Plane:
    """Chroma [2, *base] at luma `small` upsampled along `luma` to [2, *target], clipped.

    Chroma = slope * luma + residual. Slope and residual are upsampled linearly, then applied to the
    full-size luma. Bands of rows stay in the processor's cache: four times as fast as whole planes.
    """
    slope = _slope(chroma, small)
    layers = cv2.merge([*slope, *(chroma - slope * small)])
    (height, top, down), (width, left, right) = (
        (to.samples, (to.first - of.first) / of.pitch, to.pitch / of.pitch)
        for of, to in zip(base, target, strict=True)
    )
    full = np.empty((2, height, width), np.float32)
    rows = max(1, _BAND // width)
    for row in range(0, height, rows):
        band, guide = full[:, row : row + rows], luma[row : row + rows]
        slope_u, slope_v, residual_u, residual_v = cv2.split(
            cv2.warpAffine(
                layers,
                np.array([[right, 0, left], [0, down, top + row * down]]),
                (width, len(guide)),
                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_REPLICATE,
            )
        )
        np.add(slope_u * guide, residual_u, out=band[0])
        np.add(slope_v * guide, residual_v, out=band[1])
        np.clip(band, -0.5, 0.5, out=band)
    return full


def _slope(chroma: Plane, luma: Plane) -> Plane:
    """The slope of chroma [2, h, w] over luma [h, w] around each pixel: [2, h, w]."""
    mean = _mean(luma)
    variance = _mean(luma * luma) - mean * mean
    variance += NOISE**2
    covariances = (_mean(luma * plane) - mean * _mean(plane) for plane in chroma)
    return np.stack([_mean(np.divide(covariance, variance)) for covariance in covariances])


def _mean(plane: Plane) -> Plane:
    return np.asarray(cv2.blur(plane, (WINDOW, WINDOW)), np.float32)


def at_chroma(luma: Plane, subsampling: tuple[int, int], siting: str) -> Plane:
    """Luma at the chroma samples: the mean of the luma samples that each one covers."""
    if subsampling == (0, 0):
        return luma
    (across, along), (down, right) = subsampling, SITINGS[siting]
    row_kernel, row_anchor = box_filter(1 << along, down)
    column_kernel, column_anchor = box_filter(1 << across, right)
    means = cv2.sepFilter2D(
        luma,
        cv2.CV_32F,
        column_kernel,
        row_kernel,
        anchor=(column_anchor, row_anchor),
        borderType=cv2.BORDER_REPLICATE,
    )
    first = (1 << along) - 1 if down == 1 else 0
    rows = np.arange(first, first + luma.shape[0], 1 << along).clip(max=luma.shape[0] - 1)
    return np.asarray(means[rows, :: 1 << across], np.float32)


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
