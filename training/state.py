"""Everything that a resumed run needs, in one file beside the network's own two."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from training.checkpoint import CheckpointError, load_tensors, save_tensors
from training.optimisers import load_optimiser, optimiser_tensors, set_learning_rate

TRAINING = "training.safetensors"
"""Name of that file in a checkpoint's folder."""


@dataclass
class TrainState:
    """The networks of a run, their optimisers, and what truncated BPTT carries between updates."""

    networks: dict[str, nn.Module]
    optimisers: dict[str, Optimizer]
    carried: dict[str, Tensor] | None = None
    """The recurrent state after the last batch, where the next one continues its rollouts."""

    def set_learning_rate(self, factor: float) -> None:
        """Set the learning rates of all optimisers to `factor`, in [0, 1], of the full ones."""
        for optimiser in self.optimisers.values():
            set_learning_rate(optimiser, factor)

    def save(self, folder: Path, *, step: int, seconds: float) -> None:
        """Write what `load` needs.

        Args:
            folder: Of the checkpoint; it exists.
            step: Updates behind these weights.
            seconds: Spent on them.
        """
        tensors = {
            f"{name}.{key}": tensor
            for name, network in self.networks.items()
            for key, tensor in network.state_dict().items()
        }
        for name, optimiser in self.optimisers.items():
            tensors |= {f"{name}.{key}": t for key, t in optimiser_tensors(optimiser).items()}
        tensors |= {f"carried.{name}": tensor for name, tensor in (self.carried or {}).items()}
        notes = {"step": str(step), "seconds": repr(seconds)}
        save_tensors(folder / TRAINING, tensors, notes=notes)

    def load(self, folder: Path, *, device: torch.device) -> tuple[int, float]:
        """Go back to what `save` wrote.

        Args:
            folder: Of the checkpoint.
            device: Where the carried state belongs.

        Returns:
            The step and the seconds that `save` was given.

        Raises:
            CheckpointError: The file is missing, damaged, or of another run.
        """
        tensors, notes = load_tensors(folder / TRAINING)
        try:
            for name, network in self.networks.items():
                network.load_state_dict(_below(tensors, name))
            for name, optimiser in self.optimisers.items():
                load_optimiser(optimiser, _below(tensors, name))
            carried = _below(tensors, "carried")
            self.carried = {n: t.to(device) for n, t in carried.items()} or None
            return int(notes["step"]), float(notes["seconds"])
        except (KeyError, ValueError, RuntimeError) as error:
            reason = " ".join(str(error).split())
            raise CheckpointError(f"{folder / TRAINING} is not of this run: {reason}") from error


def _below(tensors: dict[str, Tensor], name: str) -> dict[str, Tensor]:
    """Those whose names begin with `name` and a dot, without it."""
    prefix = f"{name}."
    return {key.removeprefix(prefix): t for key, t in tensors.items() if key.startswith(prefix)}
