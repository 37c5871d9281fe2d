"""Layers that networks share."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LEAST_LENGTH = 1e-12
"""Of a vector that is made one of length one."""
SLOPE = 0.1
"""Of leaky ReLU, below zero."""


class Residual(nn.Module):
    """Two 3x3 convolutions beside a shortcut (He et al. 2015): [B, width, h, w] in and out."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = conv(width, width)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Same shape out as in."""
        return F.leaky_relu(x + self.second(self.first(x)), SLOPE)


def scaled(channels: int, width: float) -> int:
    """Channels times a width; one at least.

    Raises:
        ValueError: The width is no number above 0.
    """
    if not isinstance(width, (int, float)) or not 0 < width < math.inf:
        raise ValueError(f"width is {width!r}, a number above 0 is needed")
    return max(1, round(channels * width))


def conv(before: int, after: int, *, stride: int = 1) -> nn.Sequential:
    """3x3 convolution and leaky ReLU: [B, before, h, w] -> [B, after, h / stride, w / stride]."""
    return nn.Sequential(nn.Conv2d(before, after, 3, stride, 1), nn.LeakyReLU(SLOPE))


def double(x: Tensor) -> Tensor:
    """Nearest neighbour: [B, c, h, w] -> [B, c, 2 h, 2 w]."""
    return F.interpolate(x, scale_factor=2.0, mode="nearest")


def enlarge(x: Tensor, times: int) -> Tensor:
    """Bilinear: [B, c, h, w] -> [B, c, times h, times w]."""
    return F.interpolate(x, scale_factor=float(times), mode="bilinear", align_corners=False)


def sum_of_four(x: Tensor) -> Tensor:
    """Of each 2x2 pixels: [B, c, h, w] -> [B, c, h / 2, w / 2]."""
    channels = x.shape[1]
    return F.conv2d(x, x.new_ones(channels, 1, 2, 2), stride=2, groups=channels)


def length_of(planes: Tensor) -> Tensor:
    """[..., 1, h, w]: what vectors [..., c, h, w] are divided by to be one long."""
    length: Tensor = torch.linalg.vector_norm(planes, dim=-3, keepdim=True)
    return length.clamp(min=LEAST_LENGTH)


def zero_init(layer: nn.Conv2d) -> nn.Conv2d:
    """The layer, which begins by giving zeros."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
