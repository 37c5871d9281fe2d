"""The generator that a run's options name, and the weights that it starts from."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import torch
from torch import nn

from training.checkpoint import CheckpointError, load_generator
from training.models import GENERATORS
from training.models.base import Generator
from training.options import GeneratorOptions
from training.own_models import learn
from vidcolor.errors import ArgumentError

Arguments = dict[str, float | int | str | bool]


def build_generator(options: GeneratorOptions) -> tuple[Generator, Arguments]:
    """Build the generator that the options name.

    Args:
        options: `model` and `arguments` count.

    Returns:
        The generator, and its arguments by name.

    Raises:
        ArgumentError: There is no such generator, or it does not take these arguments.
    """
    learn(options.model)
    if options.model not in GENERATORS:
        raise ArgumentError(
            f"model is {options.model!r}, accepted are {', '.join(GENERATORS)}, "
            "and package.module:Class for one of your own"
        )
    cls = GENERATORS[options.model]
    accepted = [name for name in inspect.signature(cls.__init__).parameters if name != "self"]
    arguments: Arguments = {}
    for text in options.arguments:
        name, _, value = text.partition("=")
        if name not in accepted:
            raise ArgumentError(
                f"arguments holds {text!r}; {options.model} takes "
                + ", ".join(f"{known}=VALUE" for known in accepted)
            )
        try:
            arguments[name] = json.loads(value)
        except ValueError:
            arguments[name] = value
    try:
        return cls(**arguments), arguments
    except (TypeError, ValueError, RuntimeError) as error:
        raise ArgumentError(
            f"arguments {' '.join(options.arguments)} make no {options.model}: {error}"
        ) from error


def start_from(initial: Path, generator: Generator, options: GeneratorOptions) -> None:
    """Load the weights that a generator starts from.

    Args:
        initial: A checkpoint's folder.
        generator: It gets them.
        options: `model` names it.

    Raises:
        CheckpointError: They cannot be read, or are of another generator.
    """
    start, config = load_generator(initial)
    if config.model != options.model or _shapes(start) != _shapes(generator):
        raise CheckpointError(
            f"initial: {initial} holds a {config.model} {config.arguments}, "
            f"a {options.model} with the same arguments is needed"
        )
    generator.load_state_dict(start.state_dict())


def _shapes(module: nn.Module) -> dict[str, torch.Size]:
    return {name: tensor.shape for name, tensor in module.state_dict().items()}
