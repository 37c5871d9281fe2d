"""What is learned of luma alone, and what its places have of colour."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.models.layers import SLOPE, Residual, conv, double, zero_init
from training.models.trunk import DEEP, EIGHTH, MIDDLE, SIXTEENTH, Trunk, TrunkFeatures

FLAT = 1e-3
"""Variance of luma within a place below which its chroma is taken not to depend on luma."""
TOKEN = 8
"""Side in pixels of the places that attention compares."""


class Features(NamedTuple):
    """Of luma: [B, c, h/2, w/2], [B, 2c, h/4, w/4], [B, 5c, h/8, w/8]."""

    half: Tensor
    quarter: Tensor
    eighth: Tensor


class _Levels(nn.Module):
    """What both encoders consist of, without the order in which they run it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        w2, w4, w8, w16 = width, 2 * width, 5 * width, 8 * width
        self.at_half = nn.Sequential(conv(4, w2), conv(w2, w2))
        self.at_quarter = nn.Sequential(conv(w2, w4, stride=2), Residual(w4))
        self.at_eighth = nn.Sequential(conv(w4, w8, stride=2), Residual(w8), Residual(w8))
        self.at_sixteenth = nn.Sequential(conv(w8, w16, stride=2), Residual(w16), Residual(w16))
        self.rise = nn.Conv2d(w16, w8, 1)
        self.fuse = Residual(w8)

    def fine(self, luma: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Features at half, quarter and eighth of the size, without wide context."""
        half = self.at_half[1](self._enter(luma - MIDDLE))
        quarter = self.at_quarter(half)
        return half, quarter, self.at_eighth(quarter)

    def _enter(self, luma: Tensor) -> Tensor:
        """The first convolution, of the four pixels of each 2x2, which stay where they are."""
        first = self.at_half[0]
        kernel = F.pixel_shuffle(first.get_parameter("0.weight"), 2)
        x = F.conv2d(luma, kernel, first.get_parameter("0.bias"), stride=2, padding=2)
        return F.leaky_relu(x, SLOPE)


class Encoder(_Levels):
    """Luma to features at half, quarter and eighth of the size, the last with wide context."""

    def forward(self, luma: Tensor) -> Features:
        """Luma [B, 1, h, w]."""
        half, quarter, eighth = self.fine(luma)
        wide = self.rise(self.at_sixteenth(eighth))
        return Features(half, quarter, self.fuse(eighth + double(wide)))


class TrunkEncoder(_Levels):
    """An encoder that is told what the trunk sees; before training it does not listen."""

    def __init__(self, width: int) -> None:
        super().__init__(width)
        self.trunk = Trunk()
        self.trunk_to_eighth = zero_init(nn.Conv2d(EIGHTH, 5 * width, 1))
        self.trunk_to_sixteenth = zero_init(nn.Conv2d(SIXTEENTH + DEEP, 5 * width, 1))

    def forward(self, luma: Tensor) -> tuple[Features, TrunkFeatures]:
        """Luma [B, 1, h, w]."""
        half, quarter, eighth = self.fine(luma)
        seen = self.trunk(luma)
        wide = torch.cat([self.at_sixteenth(eighth), seen.sixteenth, seen.deep], 1)
        # Two convolutions of one pixel, whose results are added up, as one.
        layers = (self.rise, self.trunk_to_sixteenth)
        weight = torch.cat([layer.weight for layer in layers], 1)
        one, other = (layer.get_parameter("bias") for layer in layers)
        wide = F.conv2d(wide, weight, one + other)
        eighth = eighth + self.trunk_to_eighth(seen.eighth)
        return Features(half, quarter, self.fuse(eighth + double(wide))), seen


def place_colors(luma: Tensor, chroma: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What a place has of colour: means of chroma and luma, and how much each changes with luma.

    Args:
        luma: [B, 1, h, w].
        chroma: [B, 2, h, w].

    Returns:
        [B, 2, h/8, w/8], [B, 1, h/8, w/8] and, by least squares, [B, 2, h/8, w/8].
    """
    planes = torch.cat([chroma, luma], 1)
    means = F.avg_pool2d(torch.cat([planes, planes * luma], 1), TOKEN)
    color, light, along, spread = means.split([2, 1, 2, 1], 1)
    slope = (along - color * light) / (spread - light * light + FLAT)
    return color, light, slope
