"""A colorizer of single frames: luma in, a distribution over colours, chroma out; nothing carried.

The method is that of `training.models.bins` (Zhang, Isola and Efros 2016), the network a smaller
one of our own: residual blocks down to 1/16, dilated there, and up again to 1/4, where bins
are chosen.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.models.base import ImageColorizer
from training.models.bins import TEMPERATURE, annealed_mean, gamut_bins
from training.models.lab import CHROMATICITY, lab_to_chroma, lightness
from training.models.layers import scaled

WIDTHS = (24, 48, 96, 160)
"""Channels at 1/2, 1/4, 1/8 and 1/16."""
DILATIONS = (1, 2, 4)
"""Of the residual blocks at 1/16: together they see 15 x 16 pixels to each side."""
HEAD = 96
"""Channels that bins are chosen from."""
SCALE = 4
"""Pixels to a side that share one choice."""
NORM_MOMENTUM = 0.02
_NOISE = 0.04
"""Deviation of lightness (of ±1) in a window below which it explains little of the colour."""


class Zhang(ImageColorizer):
    """luma [B, 1, h, w] in [0, 1] -> chroma [B, 2, h, w] in ±0.5; `width` multiplies channels.

    Heights and widths are multiples of `size_multiple`. Planes are full-range BT.601 Y'CbCr, as in
    training.
    """

    size_multiple = 16
    color_space = "Lab"
    method = (
        "Zhang, Isola and Efros 2016, Colorful Image Colorization (bins of ab, class rebalancing, "
        f"annealed mean with T = {TEMPERATURE}), with a network of our own"
    )
    bins: Tensor

    def __init__(self, *, width: float = 1.0) -> None:
        super().__init__()
        half, quarter, eighth, deep = (scaled(channels, width) for channels in WIDTHS)
        head = scaled(HEAD, width)
        self.register_buffer("bins", gamut_bins().clone())
        self.to_half = _convolution(1, half, stride=2)
        self.to_quarter = nn.Sequential(_convolution(half, quarter, stride=2), _Residual(quarter))
        self.to_eighth = nn.Sequential(_convolution(quarter, eighth, stride=2), _Residual(eighth))
        self.to_deep = nn.Sequential(
            _convolution(eighth, deep, stride=2), *(_Residual(deep, dilation=d) for d in DILATIONS)
        )
        self.up_eighth = _Up(deep, eighth)
        self.up_quarter = _Up(eighth, quarter)
        self.head = nn.Sequential(
            _convolution(quarter, head), nn.Conv2d(head, len(self.bins), kernel_size=1)
        )

    def logits(self, luma: Tensor) -> Tensor:
        """How likely each bin is: luma [B, 1, h, w] -> [B, Q, h / 4, w / 4]."""
        quarter = self.to_quarter(self.to_half(lightness(luma)))
        eighth = self.to_eighth(quarter)
        up = self.up_quarter(self.up_eighth(self.to_deep(eighth), eighth), quarter)
        logits: Tensor = self.head(up)
        return logits

    def forward(self, luma: Tensor) -> Tensor:
        """Chroma [B, 2, h, w] of luma [B, 1, h, w]."""
        ab = annealed_mean(self.logits(luma).float(), self.bins) / CHROMATICITY
        light = lightness(luma)
        ab = guided(ab, F.avg_pool2d(light, SCALE), light)
        return lab_to_chroma(torch.cat([light, ab], dim=1))


def guided(small: Tensor, guide: Tensor, full: Tensor) -> Tensor:
    """Planes [B, c, h, w] at `guide` [B, 1, h, w], brought up along `full` [B, 1, sh, sw].

    As `vidcolor.working_size` does it: in a window around each place planes are a linear function
    of the guide, whose slope and rest go up linearly and meet the full guide there.
    """
    mean = _window(guide)
    spread = _window(guide * guide) - mean * mean + _NOISE**2
    slope = _window((_window(small * guide) - _window(small) * mean) / spread)
    size = full.shape[-2:]
    slope, rest = (
        F.interpolate(planes, size=size, mode="bilinear", align_corners=False)
        for planes in (slope, small - slope * guide)
    )
    return slope * full + rest


def _window(planes: Tensor) -> Tensor:
    """The mean of 3x3; at the borders of those that there are."""
    return F.avg_pool2d(planes, kernel_size=3, stride=1, padding=1, count_include_pad=False)


class _Residual(nn.Module):
    """Two 3x3 convolutions beside the identity."""

    def __init__(self, channels: int, *, dilation: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _convolution(channels, channels, dilation=dilation),
            nn.Conv2d(channels, channels, 3, padding=dilation, dilation=dilation, bias=False),
            nn.BatchNorm2d(channels, momentum=NORM_MOMENTUM),
        )

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.body(x))


class _Up(nn.Module):
    """Doubles the size, and adds what the way down had there."""

    def __init__(self, incoming: int, outgoing: int) -> None:
        super().__init__()
        self.narrow = nn.Conv2d(incoming, outgoing, kernel_size=1, bias=False)
        self.norm = nn.BatchNorm2d(outgoing, momentum=NORM_MOMENTUM)
        self.mix = _Residual(outgoing)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        up = F.interpolate(self.norm(self.narrow(x)), scale_factor=2.0, mode="nearest")
        mixed: Tensor = self.mix(F.relu(up + skip))
        return mixed


def _convolution(incoming: int, outgoing: int, *, stride: int = 1, dilation: int = 1) -> nn.Module:
    """3x3, batch norm, ReLU."""
    return nn.Sequential(
        nn.Conv2d(
            incoming, outgoing, 3, stride=stride, padding=dilation, dilation=dilation, bias=False
        ),
        nn.BatchNorm2d(outgoing, momentum=NORM_MOMENTUM),
        nn.ReLU(inplace=True),
    )
