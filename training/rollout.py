"""A generator run along a rollout: on the true frames before, or on its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from training.data.rollout import Rollout
from training.models.base import Generator, Tensors


class RolloutOutput(NamedTuple):
    """A rollout as the generator predicted it."""

    chroma: Tensor
    """[B, T, 2, h, w] in ±0.5."""
    prediction: Tensor
    """[B, T, 3, h, w] in [-1, 1]: frames 1..T as the generator views them."""
    target: Tensor
    """[B, T, 3, h, w]: the true frames in the same view."""
    previous: Tensor
    """[B, T, 3, h, w]: the true frames 0..T-1, which the discriminator is shown as c_{t-1}."""
    confidence: Tensor
    """[B, T, 1, h, w] in [0, 1]."""
    fetched: Tensor | None
    """[B, T, m, 2, h, w]: chroma that similarity sub-nets found; None where there is none."""
    candidates: Tensor | None
    """[B, T, n, 2, h/2, w/2]: chroma that the model chose from; None where it mixes nothing."""
    log_errors: Tensor | None
    """[B, T, n, h/2, w/2]: the log of the error that it predicted for each."""
    state: Tensors
    """The recurrent state after frame T, detached: truncated BPTT goes on from it."""


class Unroll(nn.Module):
    """Unrolls the generator over a rollout, in one forward pass as data-parallel training needs."""

    def __init__(self, generator: Generator, *, own_output: bool) -> None:
        super().__init__()
        self.generator = generator
        self.own_output = own_output

    def forward(self, rollout: Rollout, carried: Tensors | None = None) -> RolloutOutput:
        """Predict frames 1..T of a batch of rollouts.

        Args:
            rollout: The examples.
            carried: The state after the previous batch, for those examples that continue it.

        Returns:
            The predictions, and what the losses compare them with.
        """
        generator = self.generator
        memory = self._memory(rollout)
        state = self._start(rollout, carried)
        steps, views = [], []
        for t in range(1, rollout.luma.shape[1]):
            luma = rollout.luma[:, t]
            step, view = generator.paint(luma, state, memory, rollout.flows(t))
            steps.append(step)
            views.append(view)
            if self.own_output:
                state = step.state
            else:
                state = generator.remember(luma, rollout.chroma[:, t]).state
        target = generator.view(rollout.luma.flatten(0, 1), rollout.chroma.flatten(0, 1))
        target = target.unflatten(0, rollout.luma.shape[:2])
        return RolloutOutput(
            chroma=torch.stack([step.chroma for step in steps], dim=1),
            prediction=torch.stack(views, dim=1),
            target=target[:, 1:],
            previous=target[:, :-1],
            confidence=torch.stack([step.confidence for step in steps], dim=1),
            fetched=_stack(step.fetched for step in steps),
            candidates=_stack(step.candidates for step in steps),
            log_errors=_stack(step.log_errors for step in steps),
            state={name: tensor.detach() for name, tensor in state.items()},
        )

    def _start(self, rollout: Rollout, carried: Tensors | None) -> Tensors:
        """The state at frame 0: carried over, made of its true colours, or zeros (no history)."""
        if carried is not None and rollout.follows.all():
            return carried
        given = self.generator.remember(rollout.luma[:, 0], rollout.chroma[:, 0]).state
        given = {n: _choose(rollout.no_history, torch.zeros_like(t), t) for n, t in given.items()}
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
