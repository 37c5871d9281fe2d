"""A generator run along a rollout: on the true frames before, or on its own."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from training.data import Rollout
from training.models.base import Generator, Tensors


class Painting(NamedTuple):
    """A coloured rollout."""

    chroma: Tensor
    """[B, T, 2, h, w] in ±0.5."""
    painted: Tensor
    """[B, T, 3, h, w] in [-1, 1]: frames 1..T as the generator views them."""
    truth: Tensor
    """[B, T, 3, h, w]: the same frames in their true colours."""
    previous: Tensor
    """[B, T, 3, h, w]: the true frames 0..T-1, which the discriminator is shown as c_{t-1}."""


class Rolling(nn.Module):
    """One forward pass over a whole rollout, so that data-parallel training sees one too."""

    def __init__(self, generator: Generator, *, own_output: bool) -> None:
        super().__init__()
        self.generator = generator
        self.own_output = own_output

    def forward(self, rollout: Rollout) -> Painting:
        """Colour frames 1..T of the rollout."""
        generator = self.generator
        memory = self._memory(rollout)
        state = generator.remember(rollout.luma[:, 0], rollout.chroma[:, 0]).state
        chroma, painted = [], []
        for t in range(1, rollout.luma.shape[1]):
            luma = rollout.luma[:, t]
            step, view = generator.paint(luma, state, memory, rollout.flows(t))
            chroma.append(step.chroma)
            painted.append(view)
            if self.own_output:
                state = step.state
            else:
                state = generator.remember(luma, rollout.chroma[:, t]).state
        truth = generator.view(rollout.luma.flatten(0, 1), rollout.chroma.flatten(0, 1))
        truth = truth.unflatten(0, rollout.luma.shape[:2])
        return Painting(
            chroma=torch.stack(chroma, dim=1),
            painted=torch.stack(painted, dim=1),
            truth=truth[:, 1:],
            previous=truth[:, :-1],
        )

    def _memory(self, rollout: Rollout) -> Tensors:
        """What the generator keeps of the keys, stacked as `Remembered.memory` has it."""
        keys = zip(rollout.key_luma.unbind(1), rollout.key_chroma.unbind(1), strict=True)
        kept = [self.generator.remember(luma, chroma).memory for luma, chroma in keys]
        return {name: torch.cat([memory[name] for memory in kept], dim=1) for name in kept[0]}
