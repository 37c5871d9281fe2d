"""Padding to the sizes that a model accepts, and its inverse.

A model accepts heights and widths that are multiples of its size multiple. Planes are extended to
the right and below by repeating their edges; `crop` takes the extension away again.
"""

from __future__ import annotations

import numpy as np

from vidcolor.planes import Plane

EVEN = 2
"""The least size multiple, in pixels, where flow to keys is computed: that is done at half size."""


def pad(planes: Plane, multiple: int) -> Plane:
    """Planes as a batch of the next larger accepted size.

    Args:
        planes: [c, h, w] float32.
        multiple: The model's size multiple in pixels.

    Returns:
        [1, c, H, W] float32, H and W being multiples of `multiple`, edges repeated.
    """
    channels, height, width = planes.shape
    batch = empty_batch(channels, height, width, multiple)
    batch[0, :, :height, :width] = planes
    return repeat_edges(batch, height, width)


def crop(batch: Plane, height: int, width: int) -> Plane:
    """The inverse of `pad`: a view [c, height, width] of a batch [1, c, H, W]."""
    return batch[0, :, :height, :width]


def empty_batch(channels: int, height: int, width: int, multiple: int) -> Plane:
    """[1, channels, H, W] float32, H and W being the next multiples of `multiple`, not filled."""
    shape = (1, channels, height + -height % multiple, width + -width % multiple)
    return np.empty(shape, np.float32)


def repeat_edges(batch: Plane, height: int, width: int) -> Plane:
    """Fill a batch [1, c, H, W] beyond `height` and `width` with its edges; returns the batch."""
    batch[:, :, :height, width:] = batch[:, :, :height, width - 1 : width]
    batch[:, :, height:] = batch[:, :, height - 1 : height]
    return batch
