"""The value that generators learn from: a batch of rollouts, as tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import torch
from torch import Tensor

from vidcolor.inference.contract import FLOW_KEY, FLOW_PREVIOUS, FLOW_TRACK


@dataclass(eq=False)
class Rollout:
    """A batch of examples: T frames to colour after a start, all in the runtime's planes.

    Luma is in [0, 1], chroma in ±0.5. Flow is None unless the generator asks for it.
    """

    luma: Tensor
    """[B, T+1, 1, h, w]; frame 0 is the start, whose colours are given."""
    chroma: Tensor
    """[B, T+1, 2, h, w], the truth."""
    key_luma: Tensor
    """[B, k, 1, h, w]."""
    key_chroma: Tensor
    """[B, k, 2, h, w]."""
    flow_previous: Tensor | None
    """[B, T, 2, h, w]: from frames 1..T to the ones before, as in `vidcolor.inference.contract`."""
    flow_key: Tensor | None
    """[B, T, k, 2, h, w]: from frames 1..T straight to each key."""
    flow_track: Tensor | None
    """[B, T, k, 2, h, w]: the same, followed from frame to frame."""
    follows: Tensor
    """[B] bool: whether frame 0 is the last frame of the same batch index in the last batch."""
    no_history: Tensor
    """[B] bool: whether frame 1 has no history; its flow to the frame before is zero then."""

    @classmethod
    def stack(cls, examples: Sequence[Rollout]) -> Self:
        """Return batches joined along B."""
        columns = {f.name: [getattr(e, f.name) for e in examples] for f in fields(cls)}
        joined: dict[str, Any] = {
            name: None if column[0] is None else torch.cat(column)
            for name, column in columns.items()
        }
        return cls(**joined)

    def to(self, device: torch.device, *, non_blocking: bool = False) -> Self:
        """Return the same on another device."""
        return self._map(lambda tensor: tensor.to(device, non_blocking=non_blocking))

    def pin_memory(self) -> Self:
        """Return a copy in memory that a CUDA device reads directly."""
        return self._map(Tensor.pin_memory)

    def tensors(self) -> list[Tensor]:
        """Return the tensors that are there, in the order of the fields."""
        values = (getattr(self, f.name) for f in fields(self))
        return [value for value in values if value is not None]

    def _map(self, change: Callable[[Tensor], Tensor]) -> Self:
        tensors = {f.name: getattr(self, f.name) for f in fields(self)}
        changed: dict[str, Any] = {n: None if t is None else change(t) for n, t in tensors.items()}
        return type(self)(**changed)

    def flows(self, t: int) -> dict[str, Tensor]:
        """Return what `Generator.propagate` takes as flows for frame t in 1..T."""
        every = {
            FLOW_PREVIOUS: self.flow_previous,
            FLOW_KEY: self.flow_key,
            FLOW_TRACK: self.flow_track,
        }
        return {name: tensor[:, t - 1] for name, tensor in every.items() if tensor is not None}
