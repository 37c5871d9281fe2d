"""A generator of your own, to train, export and run: docs/own-model.md says how."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.models.base import Generator, Propagated, Remembered, Tensors
from training.models.warp import warp


class Drift(Generator):
    """The colours of the frame before, moved along optical flow, and a small correction."""

    size_multiple = 8
    color_space = "YCbCr"
    flows = frozenset({"flow.previous"})

    def __init__(self, channels: int = 16) -> None:
        super().__init__()
        self.hidden = nn.Conv2d(4, channels, kernel_size=3, padding=1)
        self.output = nn.Conv2d(channels, 3, kernel_size=3, padding=1)

    def remember(self, luma: Tensor, chroma: Tensor) -> Remembered:
        """Keep the key as the frame before: luma [B, 1, h, w], chroma [B, 2, h, w]."""
        return Remembered(memory={}, state={"luma": luma, "chroma": chroma})

    def propagate(
        self, luma: Tensor, state: Tensors, memory: Tensors, flows: Tensors
    ) -> Propagated:
        """Colour the next frame: luma [B, 1, h, w]."""
        before = warp(torch.cat([state["luma"], state["chroma"]], dim=1), flows["flow.previous"])
        found = self.output(torch.relu(self.hidden(torch.cat([luma, before], dim=1))))
        chroma = (before[:, 1:] + 0.1 * torch.tanh(found[:, :2])).clamp(-0.5, 0.5)
        confidence = torch.sigmoid(found[:, 2:])
        return Propagated(chroma, confidence, state={"luma": luma, "chroma": chroma})
