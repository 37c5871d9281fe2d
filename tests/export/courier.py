"""A small generator that uses every part of the contract, for tests of the exporter.

It is deliberately unlike the U-Net: several states of different sizes (one passed on untouched),
memory that keeps the key axis and is flattened over space, attention over all keys, both flows.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.models.base import Generator, Propagated, Remembered, Tensors

CELL = 8
WIDTH = 8


class Courier(Generator):
    """Mixes previous chroma, key chroma where little moved, and chroma fetched by attention."""

    size_multiple = CELL
    color_space = "YCbCr"
    flows = frozenset({"flow.previous", "flow.key"})

    def __init__(self) -> None:
        super().__init__()
        self.encode = nn.Sequential(
            nn.Conv2d(1, WIDTH, CELL, stride=CELL), nn.LeakyReLU(0.2), nn.Conv2d(WIDTH, WIDTH, 1)
        )
        self.mix = nn.Sequential(
            nn.Conv2d(1 + 2 + 2 + 2 + WIDTH, 16, 3, padding=1),
            nn.BatchNorm2d(16),
            nn.LeakyReLU(0.2),
            nn.Conv2d(16, 3, 3, padding=1),
        )

    def remember(self, luma: Tensor, chroma: Tensor) -> Remembered:
        """Keep features and chroma per cell, [B, 1, n, ...], and the key's chroma at full size."""
        feature = self.encode(luma)
        cells = functional.avg_pool2d(chroma, CELL)
        memory = {
            "feature": feature.flatten(2).transpose(1, 2).unsqueeze(1),
            "colour": cells.flatten(2).transpose(1, 2).unsqueeze(1),
            "chroma": chroma.unsqueeze(1),
        }
        state = {"chroma": chroma, "feature": feature, "origin": feature.mean((2, 3))}
        return Remembered(memory=memory, state=state)

    def propagate(
        self, luma: Tensor, state: Tensors, memory: Tensors, flows: Tensors
    ) -> Propagated:
        """Warp, fetch, mix."""
        feature = self.encode(luma)
        fetched = self._fetch(feature, memory)
        previous = _warp(state["chroma"], flows["flow.previous"])
        away = torch.exp(-flows["flow.key"].square().sum(2, keepdim=True) / 16)
        key = (away * memory["chroma"]).mean(1)
        old = functional.interpolate(state["feature"], scale_factor=CELL, mode="bilinear")
        old = old + state["origin"][:, :, None, None]
        out = self.mix(torch.cat([luma, previous, key, fetched, old], 1))
        chroma = (0.9 * previous + 0.1 * key + 0.05 * out[:, :2].tanh()).clamp(-0.5, 0.5)
        following = {"chroma": chroma, "feature": feature, "origin": state["origin"]}
        return Propagated(chroma=chroma, confidence=out[:, 2:].sigmoid(), state=following)

    def _fetch(self, feature: Tensor, memory: Tensors) -> Tensor:
        query = feature.flatten(2).transpose(1, 2)
        stored = memory["feature"].flatten(1, 2)
        weight = torch.softmax(query @ stored.transpose(1, 2), -1)
        fetched = (weight @ memory["colour"].flatten(1, 2)).transpose(1, 2)
        return functional.interpolate(
            fetched.unflatten(2, feature.shape[2:]), scale_factor=CELL, mode="bilinear"
        )


def _warp(plane: Tensor, flow: Tensor) -> Tensor:
    """Sample `plane` [B, c, h, w] at p + flow(p), `flow` [B, 2, h, w] in pixels, x then y."""
    height, width = plane.shape[2:]
    x = torch.arange(width, dtype=flow.dtype) + flow[:, 0]
    y = torch.arange(height, dtype=flow.dtype)[:, None] + flow[:, 1]
    grid = torch.stack([(2 * x + 1) / width - 1, (2 * y + 1) / height - 1], -1)
    return functional.grid_sample(plane, grid, padding_mode="border", align_corners=False)
