"""The reports' other future work: a U-Net beside a similarity sub-net that fetches colour.

The extended U-Net is given c_1 as it stands and has to find out by itself that something of it
belongs elsewhere now; the reports found that it does not. Here a sub-net (after He et al. 2018,
"Deep Exemplar-based Colorization", and the colour pointers of Vondrick et al. 2018) learns features
of luma by which each place of the frame finds its like in the key, and the U-Net is given the
colours that were found there.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.models.base import Propagated, Remembered, Tensors
from training.models.encoder import TOKEN, Encoder, place_colors
from training.models.lab import lightness, planes_to_lab
from training.models.layers import enlarge
from training.models.unet import DECODER_WIDTHS, ENCODER_WIDTHS, UNet

LEVELS = 4
"""Times that the U-Net halves the size. What lies further away is the sub-net's to find."""


class SimilarityUNet(UNet):
    """G(g_t, c_{t-1}, what the keys hold at the places like these) -> c_t.

    `width` multiplies the U-Net's channels; `similarity_width` are the sub-net's at half size, and
    places are compared by `match_width` numbers.

    The U-Net adds to what was fetched, and leaves lightness alone; before training it adds nothing.
    Batch norm, Lab and the objective's view are the reports' U-Net's, see there. Confidence is
    learned with the colours, since what is fetched anew from the key does not decay.
    """

    size_multiple = 2**LEVELS
    encoder_widths = ENCODER_WIDTHS[: LEVELS + 1]
    decoder_widths = DECODER_WIDTHS[-LEVELS:]
    dropout_levels = 0
    input_channels = (
        UNet.input_channels + 1 + 3
    )  # c_{t-1}'s confidence; fetched a, b and similarity
    output_channels = 2 + 1  # what is added to the fetched a and b; confidence

    def __init__(
        self, *, width: float = 1.0, similarity_width: int = 16, match_width: int = 64
    ) -> None:
        super().__init__(width=width)
        self.features = Encoder(similarity_width)
        self.match = nn.Conv2d(5 * similarity_width, match_width, 1)
        self.temperature = nn.Parameter(torch.tensor(2.5))
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.get_parameter("bias"))
        del self.eta  # not needed: confidence is learned

    def remember(self, luma: Tensor, chroma: Tensor) -> Remembered:
        """The key is the frame before; its places and their colours are kept."""
        value = torch.cat(place_colors(luma, chroma), 1)
        memory = {
            "attention_key": self._embedding(luma).unsqueeze(1),
            "attention_value": value.unsqueeze(1),
        }
        return Remembered(memory, super().remember(luma, chroma).state)

    def paint(
        self, luma: Tensor, state: Tensors, memory: Tensors, flows: Tensors
    ) -> tuple[Propagated, Tensor]:
        """`propagate`, and the frame for the objective: Lab [B, 3, h, w] in [-1, 1]."""
        chroma, similarity = self._fetch(luma, memory)
        fetched = planes_to_lab(luma, chroma)[:, 1:]
        before = self.conditions(luma, state, memory)
        given = torch.cat([before, state["confidence"], fetched, similarity], 1)
        output = self.ascend(self.descend(given)).float()
        colors = (fetched + torch.tanh(output[:, :2])).clamp(-1.0, 1.0)
        painted = torch.cat([lightness(luma), colors], 1)
        step = self.follow(luma, painted, torch.sigmoid(output[:, 2:]))
        return step._replace(fetched=chroma.unsqueeze(1)), painted

    def attend_to(self, luma: Tensor, key_luma: Tensor, key_chroma: Tensor) -> Tensor:
        """See `Attending`: of one sub-net."""
        chroma, _ = self._fetch(luma, self.remember(key_luma, key_chroma).memory)
        return chroma.unsqueeze(1)

    def calibrate(self, wrong: float) -> None:
        """Nothing: confidence is learned."""

    def _embedding(self, luma: Tensor) -> Tensor:
        """What places are compared by: [B, match_width, h/8, w/8], of length one."""
        return F.normalize(self.match(self.features(luma).eighth), dim=1)

    def _fetch(self, luma: Tensor, memory: Tensors) -> tuple[Tensor, Tensor]:
        """Chroma [B, 2, h, w] of the keys' places that are like the frame's, and how like, in ±1.

        A place gives its mean chroma and how chroma changes with luma within it, so that the
        frame's own luma draws the edges that places of `TOKEN` pixels are too coarse for.
        """
        query = self._embedding(luma)
        keys = memory["attention_key"].transpose(1, 2).flatten(2)
        values = memory["attention_value"].transpose(1, 2).flatten(2).transpose(1, 2)
        similarity = torch.bmm(query.flatten(2).transpose(1, 2), keys)
        share = torch.softmax(similarity * self.temperature.exp(), dim=-1)
        found = torch.cat([torch.bmm(share, values), similarity.amax(-1, keepdim=True)], -1)
        found = enlarge(found.transpose(1, 2).unflatten(2, query.shape[2:]), TOKEN)
        mean, luma_mean, slope, best = found.split([2, 1, 2, 1], dim=1)
        return (mean + slope * (luma - luma_mean)).clamp(-0.5, 0.5), best
