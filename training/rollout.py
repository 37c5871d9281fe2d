"""A generator run along a rollout: on the true frames before, or on its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from training.data.rollouts import Rollout
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
    confidence: Tensor
    """[B, T, 1, h, w] in [0, 1]."""
    fetched: Tensor | None
    """[B, T, m, 2, h, w]: chroma that similarity sub-nets found; None where there is none."""
    candidates: Tensor | None
    """[B, T, n, 2, h/2, w/2]: chroma that the model chose from; None where it mixes nothing."""
    doubts: Tensor | None
    """[B, T, n, h/2, w/2]: how wrong it expected each to be."""
    state: Tensors
    """The state after frame T, cut off from the graph of this rollout."""


class Rolling(nn.Module):
    """One forward pass over a whole rollout, so that data-parallel training sees one too."""

    def __init__(self, generator: Generator, *, own_output: bool) -> None:
        super().__init__()
        self.generator = generator
        self.own_output = own_output

    def forward(self, rollout: Rollout, carried: Tensors | None = None) -> Painting:
        """Colour frames 1..T of the rollout.

        carried: the state after the rollouts before, for those places where this one follows them.
        """
        generator = self.generator
        memory = self._memory(rollout)
        state = self._start(rollout, carried)
        steps, painted = [], []
        for t in range(1, rollout.luma.shape[1]):
            luma = rollout.luma[:, t]
            step, view = generator.paint(luma, state, memory, rollout.flows(t))
            steps.append(step)
            painted.append(view)
            if self.own_output:
                state = step.state
            else:
                state = generator.remember(luma, rollout.chroma[:, t]).state
        truth = generator.view(rollout.luma.flatten(0, 1), rollout.chroma.flatten(0, 1))
        truth = truth.unflatten(0, rollout.luma.shape[:2])
        return Painting(
            chroma=torch.stack([step.chroma for step in steps], dim=1),
            painted=torch.stack(painted, dim=1),
            truth=truth[:, 1:],
            previous=truth[:, :-1],
            confidence=torch.stack([step.confidence for step in steps], dim=1),
            fetched=_stack(step.fetched for step in steps),
            candidates=_stack(step.candidates for step in steps),
            doubts=_stack(step.doubts for step in steps),
            state={name: tensor.detach() for name, tensor in state.items()},
        )

    def _start(self, rollout: Rollout, carried: Tensors | None) -> Tensors:
        """The state at frame 0: carried on, given by its true colours, or of no past."""
        if carried is not None and rollout.follows.all():
            return carried
        given = self.generator.remember(rollout.luma[:, 0], rollout.chroma[:, 0]).state
        given = {n: _choose(rollout.cold, torch.zeros_like(t), t) for n, t in given.items()}
        if carried is None:
            return given
        return {name: _choose(rollout.follows, carried[name], given[name]) for name in given}

    def _memory(self, rollout: Rollout) -> Tensors:
        """What the generator keeps of the keys, stacked as `Remembered.memory` has it."""
        keys = zip(rollout.key_luma.unbind(1), rollout.key_chroma.unbind(1), strict=True)
        kept = [self.generator.remember(luma, chroma).memory for luma, chroma in keys]
        return {name: torch.cat([memory[name] for memory in kept], dim=1) for name in kept[0]}


def _stack(parts: Iterable[Tensor | None]) -> Tensor | None:
    """The frames' tensors [B, ...] as [B, T, ...]; None where the model has none."""
    there = [part for part in parts if part is not None]
    return torch.stack(there, dim=1) if there else None


def _choose(where: Tensor, these: Tensor, those: Tensor) -> Tensor:
    """Of two batches: `these` where [B] is true, else `those`."""
    return torch.where(where.view(-1, *[1] * (these.ndim - 1)), these, those)
