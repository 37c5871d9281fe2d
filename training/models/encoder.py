"""What is learned of luma alone, and what its places have of colour."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.models.layers import SLOPE, Residual, conv, double, zero_init
from training.models.trunk import DEEP, EIGHTH, SIXTEENTH, Trunk, TrunkFeatures

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
        half = self.at_half[1](self._enter(luma - 0.5))
        quarter = self.at_quarter(half)
        return half, quarter, self.at_eighth(quarter)

    def _enter(self, luma: Tensor) -> Tensor:
        """The first convolution, of the four pixels of each 2x2, which stay where they are."""
        first = self.at_half[0]
        kernel = F.pixel_shuffle(first.get_parameter("0.weight"), 2)
        x = F.conv2d(luma, kernel, first.get_parameter("0.bias"), stride=2, padding=2)
        return F.leaky_relu(x, SLOPE)

    def wide(self, eighth: Tensor) -> Tensor:
        """What features at 1/8 say at 1/16: [B, 5c, h/16, w/16]."""
        wide: Tensor = self.rise(self.at_sixteenth(eighth))
        return wide


class Encoder(_Levels):
    """Luma to features at half, quarter and eighth of the size, the last with wide context."""

    def forward(self, luma: Tensor) -> Features:
        """Luma [B, 1, h, w]."""
        half, quarter, eighth = self.fine(luma)
        return Features(half, quarter, self.fuse(eighth + double(self.wide(eighth))))


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
        wide = self.wide(eighth)
        wide = wide + self.trunk_to_sixteenth(torch.cat([seen.sixteenth, seen.deep], 1))
        eighth = eighth + self.trunk_to_eighth(seen.eighth)
        return Features(half, quarter, self.fuse(eighth + double(wide))), seen


def place_colors(planes: Tensor) -> Tensor:
    """What a place has of colour: chroma and luma [B, 3, h, w] -> [B, 5, h/8, w/8].

    The three means, then how much each chroma plane changes with luma (least squares).
    """
    mean = F.avg_pool2d(planes, TOKEN)
    luma = planes[:, 2:3]
    spread = F.avg_pool2d(luma * luma, TOKEN) - mean[:, 2:3] ** 2
    along = F.avg_pool2d(planes[:, :2] * luma, TOKEN) - mean[:, :2] * mean[:, 2:3]
    return torch.cat([mean, along / (spread + FLAT)], 1)
