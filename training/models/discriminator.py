"""The seeds' discriminator: is this frame a true successor of that one?"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from training.models.layers import scaled

WIDTHS = (64, 128, 256, 512, 512, 512)
"""Channels of the 4x4 convolutions at stride 2; one more of the last width follows at stride 1."""
LEAK = 0.2


class Discriminator(nn.Module):
    """D(c_t, c_{t-1}) -> a map of logits, one for every 64x64 pixels; `width` multiplies channels.

    As in the reports: batch norm everywhere but in the first convolution, leaky ReLU, and a last
    4x4 convolution to one logit.
    """

    def __init__(self, *, width: float = 1.0) -> None:
        super().__init__()
        widths = [scaled(channels, width) for channels in WIDTHS]
        layers: list[nn.Module] = [nn.Conv2d(6, widths[0], 4, stride=2, padding=1)]
        for incoming, outgoing in pairwise(widths):
            layers += [nn.LeakyReLU(LEAK), nn.Conv2d(incoming, outgoing, 4, 2, 1, bias=False)]
            layers.append(nn.BatchNorm2d(outgoing))
        layers += [nn.LeakyReLU(LEAK), _same(), nn.Conv2d(widths[-1], widths[-1], 4, bias=False)]
        layers += [nn.BatchNorm2d(widths[-1]), nn.LeakyReLU(LEAK)]
        layers += [_same(), nn.Conv2d(widths[-1], 1, 4)]
        self.layers = nn.Sequential(*layers)

    def forward(self, frame: Tensor, previous: Tensor) -> Tensor:
        """Frames [B, 3, h, w] in [-1, 1] and those before them -> logits [B, 1, h/64, w/64]."""
        logits: Tensor = self.layers(torch.cat([frame, previous], dim=1))
        return logits


def _same() -> nn.ZeroPad2d:
    """Padding with which a 4x4 convolution at stride 1 keeps the size."""
    return nn.ZeroPad2d((1, 2, 1, 2))
