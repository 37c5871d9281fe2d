"""The two networks of a training run with their optimisers, and all of it on disk and back."""

from __future__ import annotations

from pathlib import Path

import torch
from lightning.fabric import Fabric
from torch import Tensor, nn
from torch.optim import Adam, Optimizer
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from training.checkpoint import CheckpointError, load_generator, load_tensors, save_tensors
from training.models.base import Generator, Tensors
from training.models.discriminator import Discriminator
from training.options import FitOptions
from training.rollout import Rolling

TRAINING = "training.safetensors"
"""Everything that resuming needs, in one file beside the generator's own two."""


class Players:
    """Generator and discriminator as Fabric wraps them; `discriminator` is None where alpha is 0.

    `best` is what is validated and exported: the generator, or its moving average.
    """

    def __init__(self, generator: Generator, *, options: FitOptions, fabric: Fabric) -> None:
        if options.initial is not None:
            start, config = load_generator(options.initial)
            if config.model != options.model or not _same_shapes(start, generator):
                raise CheckpointError(
                    f"initial: {options.initial} holds a {config.model} {config.arguments}, "
                    f"a {options.model} with the same arguments is needed"
                )
            generator.load_state_dict(start.state_dict())
        self.generator = generator.to(memory_format=torch.channels_last)  # the faster one in bf16
        self.carried: Tensors | None = None
        """The state after the last batch, where its rollouts are followed on."""
        self.rolling, self.optimiser = fabric.setup(
            *_with_adam(Rolling(generator, own_output=options.rollout.own_output), options)
        )
        self.average: AveragedModel | None = None
        if options.average is not None:
            self.average = AveragedModel(
                generator, multi_avg_fn=get_ema_multi_avg_fn(options.average), use_buffers=True
            )
        self.discriminator = self.discriminator_optimiser = None
        if options.objective.alpha:
            self.discriminator, self.discriminator_optimiser = fabric.setup(
                *_with_adam(Discriminator(width=options.discriminator_width), options)
            )

    @property
    def best(self) -> Generator:
        """What is validated and exported."""
        return self.generator if self.average is None else self.average.module

    def update_average(self) -> None:
        """After each update of the generator; nothing when no average was asked for."""
        if self.average is not None:
            self.average.update_parameters(self.generator)

    def set_learning_rate(self, rate: float) -> None:
        """Of both optimisers."""
        for optimiser in self._optimisers().values():
            for group in optimiser.param_groups:
                group["lr"] = rate

    def save(self, folder: Path, *, step: int, seconds: float) -> None:
        """Write what `load` needs; step and seconds are those behind these weights."""
        tensors = {
            f"{name}.{key}": tensor
            for name, module in self._modules().items()
            for key, tensor in module.state_dict().items()
        }
        for name, optimiser in self._optimisers().items():
            tensors |= {f"{name}.{key}": t for key, t in adam_tensors(optimiser).items()}
        tensors |= {f"carried.{name}": tensor for name, tensor in (self.carried or {}).items()}
        notes = {"step": str(step), "seconds": repr(seconds)}
        save_tensors(folder / TRAINING, tensors, notes=notes)

    def load(self, folder: Path) -> tuple[int, float]:
        """Go back to what `save` wrote; the step and seconds it was given."""
        tensors, notes = load_tensors(folder / TRAINING)
        try:
            for name, module in self._modules().items():
                module.load_state_dict(below(tensors, name))
            for name, optimiser in self._optimisers().items():
                load_adam(optimiser, below(tensors, name))
            device = next(self.generator.parameters()).device
            carried = below(tensors, "carried")
            self.carried = {n: t.to(device) for n, t in carried.items()} or None
            return int(notes["step"]), float(notes["seconds"])
        except (KeyError, ValueError, RuntimeError) as error:
            reason = " ".join(str(error).split())
            raise CheckpointError(f"{folder / TRAINING} is not of this run: {reason}") from error

    def _modules(self) -> dict[str, nn.Module]:
        every = {
            "generator": self.generator,
            "average": self.average,
            "discriminator": self.discriminator and self.discriminator.module,
        }
        return {name: module for name, module in every.items() if module is not None}

    def _optimisers(self) -> dict[str, Optimizer]:
        every = {
            "generator_adam": self.optimiser,
            "discriminator_adam": self.discriminator_optimiser,
        }
        return {name: optimiser for name, optimiser in every.items() if optimiser is not None}


def _with_adam(module: nn.Module, options: FitOptions) -> tuple[nn.Module, Adam]:
    betas = (options.beta1, 0.999)
    return module, Adam(module.parameters(), lr=options.learning_rate, betas=betas)


def _same_shapes(one: nn.Module, other: nn.Module) -> bool:
    shapes = [{n: t.shape for n, t in module.state_dict().items()} for module in (one, other)]
    return shapes[0] == shapes[1]


def below(tensors: dict[str, Tensor], name: str) -> dict[str, Tensor]:
    """Those whose names begin with `name` and a dot, without it."""
    prefix = f"{name}."
    return {key.removeprefix(prefix): t for key, t in tensors.items() if key.startswith(prefix)}


def adam_tensors(optimiser: Optimizer) -> dict[str, Tensor]:
    """What an optimiser has gathered, as named tensors."""
    return {
        f"{index}.{key}": value
        for index, values in optimiser.state_dict()["state"].items()
        for key, value in values.items()
    }


def load_adam(optimiser: Optimizer, tensors: dict[str, Tensor]) -> None:
    """Put an optimiser's own tensors back, as `adam_tensors` gave them."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        index, _, name = key.partition(".")
        state.setdefault(int(index), {})[name] = tensor
    groups = optimiser.state_dict()["param_groups"]
    optimiser.load_state_dict({"state": state, "param_groups": groups})
