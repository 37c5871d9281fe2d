"""The recurrence that the reports name and did not build: a U-Net with a convolutional LSTM.

The reports' U-Net repaints every frame from the one before and has no other past. Here a
convolutional LSTM (Shi et al. 2015, "Convolutional LSTM Network") at the bottleneck is a second
one: what a place was painted as may be kept over many frames, and what is kept is learned, by
training on whole sequences in one pass.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.models.base import Propagated, Remembered, Tensors
from training.models.layers import scaled
from training.models.unet import DECODER_WIDTHS, ENCODER_WIDTHS, UNet

LEVELS = 4
"""Times that the size is halved. The reports' seven leave a bottleneck of two by four places of a
256x456 frame, in which a memory of places is none."""
FORGET_BIAS = 1.0
"""So that the cell keeps what it holds until training finds a reason not to."""


class ConvLSTMUNet(UNet):
    """G(g_t, c_{t-1}, state) -> c_t, state'; `width` multiplies the channels.

    Batch norm, Lab, confidence and the objective's view are the reports' U-Net's, see there. There
    is no dropout: dropped anew in every frame, a memory would hold noise.
    """

    size_multiple = 2**LEVELS
    encoder_widths = ENCODER_WIDTHS[: LEVELS + 1]
    decoder_widths = DECODER_WIDTHS[-LEVELS:]
    dropout_levels = 0

    def __init__(self, *, width: float = 1.0) -> None:
        super().__init__(width=width)
        self.lstm = ConvLSTM(scaled(self.encoder_widths[-1], width))

    def remember(self, luma: Tensor, chroma: Tensor) -> Remembered:
        """The key is the frame before, and what the LSTM has seen of it."""
        state = super().remember(luma, chroma).state
        deepest = self.descend(self.conditions(luma, state, {}))[-1]
        nothing = torch.zeros_like(deepest)
        return Remembered({}, {**state, **self.lstm(deepest, nothing, nothing)})

    def paint(
        self, luma: Tensor, state: Tensors, memory: Tensors, flows: Tensors
    ) -> tuple[Propagated, Tensor]:
        """`propagate`, and the whole frame as painted: Lab [B, 3, h, w] in [-1, 1]."""
        *mirrors, deepest = self.descend(self.conditions(luma, state, memory))
        kept = self.lstm(deepest, state["hidden"], state["cell"])
        painted = torch.tanh(self.ascend([*mirrors, kept["hidden"]])).float()
        step = self.follow(luma, painted, state["confidence"] * (1.0 - self.eta))
        return step._replace(state={**step.state, **kept}), painted


class ConvLSTM(nn.Module):
    """One step of an LSTM at every place, whose gates look at the 3x3 places around."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gates = nn.Conv2d(2 * channels, 4 * channels, kernel_size=3, padding=1)
        with torch.no_grad():
            self.gates.get_parameter("bias")[:channels] += FORGET_BIAS

    def forward(self, x: Tensor, hidden: Tensor, cell: Tensor) -> Tensors:
        """All [B, channels, h, w] -> the next "hidden", in ±1, and "cell"."""
        forget, admit, show, new = self.gates(torch.cat([x, hidden], dim=1)).chunk(4, dim=1)
        cell = torch.sigmoid(forget) * cell + torch.sigmoid(admit) * torch.tanh(new)
        return {"hidden": torch.sigmoid(show) * torch.tanh(cell), "cell": cell}
