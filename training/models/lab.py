"""Between the runtime's planes and CIE Lab scaled to [-1, 1], inside the graph of a model.

The planes are full-range BT.601 Y'CbCr; the Lab is that of sRGB under D65, by kornia. Lightness is
scaled as L / 50 - 1, a and b by 1 / 110: the sRGB gamut reaches |b| = 107.9, so that a tanh can
paint every colour of it, and 1 / 128 (the range of 8-bit Lab) would leave a seventh unused.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

import torch
from kornia.color import lab_to_rgb, rgb_to_lab
from torch import Tensor

from vidcolor.color import MATRICES

LIGHTNESS_HALF = 50.0
CHROMATICITY = 110.0

RED, BLUE = MATRICES["bt601"]
GREEN = 1 - RED - BLUE
CB_SCALE, CR_SCALE = 2 * (1 - BLUE), 2 * (1 - RED)


def _in_float32(convert: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Keep a conversion out of autocast, whose bfloat16 would round colours to 7 bits."""

    @wraps(convert)
    def converted(*planes: Tensor) -> Tensor:
        device = planes[0].device.type
        if not torch.is_autocast_enabled(device):  # also while exporting, where no context may be
            return convert(*planes)
        with torch.autocast(device, enabled=False):
            return convert(*(plane.float() for plane in planes))

    return converted


def planes_to_rgb(luma: Tensor, chroma: Tensor) -> Tensor:
    """Luma [..., 1, h, w] in [0, 1] and chroma [..., 2, h, w] in ±0.5 -> [..., 3, h, w] in [0, 1].

    Colours outside the cube are clipped to it.
    """
    cb, cr = chroma[..., :1, :, :], chroma[..., 1:, :, :]
    red, blue = luma + CR_SCALE * cr, luma + CB_SCALE * cb
    green = (luma - RED * red - BLUE * blue) / GREEN
    return torch.cat([red, green, blue], dim=-3).clamp(0.0, 1.0)


@_in_float32
def planes_to_lab(luma: Tensor, chroma: Tensor) -> Tensor:
    """Luma [..., 1, h, w] in [0, 1] and chroma [..., 2, h, w] in ±0.5 -> [..., 3, h, w] in ±1.

    Colours outside RGB's cube are clipped to it first.
    """
    lab = rgb_to_lab(planes_to_rgb(luma, chroma))
    return torch.cat(
        [lab[..., :1, :, :] / LIGHTNESS_HALF - 1.0, lab[..., 1:, :, :] / CHROMATICITY], dim=-3
    )


@_in_float32
def lab_to_chroma(lab: Tensor) -> Tensor:
    """The chroma [..., 2, h, w] in ±0.5 of colours [..., 3, h, w] as `planes_to_lab` scales them.

    Colours outside the sRGB gamut are clipped to it.
    """
    rgb = lab_to_rgb(
        torch.cat(
            [(lab[..., :1, :, :] + 1.0) * LIGHTNESS_HALF, lab[..., 1:, :, :] * CHROMATICITY], dim=-3
        )
    )
    red, green, blue = rgb[..., :1, :, :], rgb[..., 1:2, :, :], rgb[..., 2:, :, :]
    luma = RED * red + GREEN * green + BLUE * blue
    return torch.cat([(blue - luma) / CB_SCALE, (red - luma) / CR_SCALE], dim=-3)


@_in_float32
def lightness(luma: Tensor) -> Tensor:
    """L in ±1 of the gray frame with this luma: [..., 1, h, w] in [0, 1] -> [..., 1, h, w]."""
    gray = rgb_to_lab(torch.cat([luma, luma, luma], dim=-3).clamp(0.0, 1.0))
    return gray[..., :1, :, :] / LIGHTNESS_HALF - 1.0
