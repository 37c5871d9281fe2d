"""A colorizer of single frames that knows what things are, and may be shown a painted frame.

The trunk is that of the flagship (`training.models.trunk`). A decoder at 1/8 predicts, for each
place, the mean chroma and the slope of chroma on luma, by regression: the colours that are nearest
in the mean, so what it cannot know stays pale. Shown an *exemplar*, a painted frame of the same
scene, it also sees what colours that has: attention to it at a low sharpness, and its mean colours.
That is how exemplar-based colorization works (He et al. 2018, https://arxiv.org/abs/1807.06587),
but for a whole palette in place of one best match.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.models.base import ImageColorizer
from training.models.layers import SLOPE, Residual, double, enlarge, length_of, scaled, zero_init
from training.models.trunk import DEEP, EIGHTH, SIXTEENTH, Trunk, TrunkFeatures

WIDTHS = (96, 128)
"""Channels at 1/8 and at 1/16."""
COMPARED = 48
"""Numbers by which places of both frames are compared."""
PALETTE = 6
"""Planes that tell of the exemplar: chroma found by attention, the greatest similarity, its
mean chroma, and that there is one."""
CHROMA_SCALE = 4.0
"""What chroma is multiplied by for the network, so that it varies about as much as its features."""
SHARPNESS = 2.5
"""The logarithm of what similarities are multiplied by, at the start of training: low, so that many
places of the exemplar have a say."""


class Exemplar(NamedTuple):
    """A painted frame: luma [B, 1, h, w] in [0, 1], chroma [B, 2, h, w] in ±0.5."""

    luma: Tensor
    chroma: Tensor


class ExemplarColorizer(ImageColorizer):
    """See the module's text.

    Args:
        width: Multiplies the decoder's channels.
    """

    size_multiple = 16
    color_space = "YCbCr"
    method = (
        "regression of mean chroma and its slope on luma at 1/8, on the trunk of "
        "EfficientNet-Lite0 (Tan and Le 2019)"
    )

    def __init__(self, *, width: float = 1.0) -> None:
        super().__init__()
        eighth, deep = (scaled(channels, width) for channels in WIDTHS)
        self.trunk = Trunk()
        self.to_deep = nn.Conv2d(SIXTEENTH + DEEP, deep, 1)
        self.deep = nn.Sequential(Residual(deep), Residual(deep))
        self.to_eighth = nn.Conv2d(deep + EIGHTH, eighth, 3, padding=1)
        self.of_palette = nn.Conv2d(PALETTE, eighth, 1)
        self.eighth = Residual(eighth)
        self.last = zero_init(nn.Conv2d(eighth, 4, 3, padding=1))
        self.compared = nn.Conv2d(DEEP, COMPARED, 1)
        nn.init.orthogonal_(self.compared.weight)
        self.sharpness = nn.Parameter(torch.tensor(SHARPNESS))

    def forward(self, luma: Tensor, exemplar: Exemplar | None = None) -> Tensor:
        """Luma [B, 1, h, w] in [0, 1] -> chroma [B, 2, h, w] in ±0.5.

        The exemplar is of as many examples, but may be of another size, a multiple of 16 too.
        """
        features = self.trunk(luma)
        x = torch.cat([features.sixteenth, features.deep], 1)
        x = double(self.deep(F.leaky_relu(self.to_deep(x), SLOPE)))
        x = self.to_eighth(torch.cat([x, features.eighth], 1))
        palette = self._palette(features, exemplar)
        x = self.eighth(F.leaky_relu(x + self.of_palette(palette), SLOPE))
        mean, slope = enlarge(self.last(x), 8).split(2, 1)
        detail = luma - enlarge(F.avg_pool2d(luma, 8), 8)
        chroma: Tensor = (mean + slope * detail) / CHROMA_SCALE
        return chroma.clamp(-0.5, 0.5)

    def load_pretrained(self) -> None:
        """The trunk's weights, from ImageNet."""
        self.trunk.load_imagenet()

    def _palette(self, features: TrunkFeatures, exemplar: Exemplar | None) -> Tensor:
        """[B, PALETTE, h/8, w/8]; zeros without an exemplar."""
        batch, _, rows, columns = features.eighth.shape
        if exemplar is None:
            return features.eighth.new_zeros(batch, PALETTE, rows, columns)
        here = self._compared(features.deep)
        there = self._compared(self.trunk(exemplar.luma).deep)
        similarity = here.flatten(2).transpose(1, 2) @ there.flatten(2)
        weights = (similarity * self.sharpness.exp()).softmax(-1)
        colors = F.avg_pool2d(exemplar.chroma, 16).flatten(2).transpose(1, 2)
        found = (weights @ colors).transpose(1, 2).unflatten(2, here.shape[2:])
        best = similarity.amax(-1).unflatten(1, here.shape[2:])[:, None]
        mean = exemplar.chroma.mean((2, 3), keepdim=True).expand(-1, -1, rows, columns)
        there_is = torch.ones_like(mean[:, :1])
        local = enlarge(torch.cat([CHROMA_SCALE * found, best], 1), 2)
        return torch.cat([local, CHROMA_SCALE * mean, there_is], 1)

    def _compared(self, deep: Tensor) -> Tensor:
        """What places are compared by: [B, COMPARED, h/16, w/16], of length one."""
        numbers: Tensor = self.compared(deep)
        return numbers / length_of(numbers)
