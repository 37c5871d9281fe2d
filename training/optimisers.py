"""Optimisers as the options describe them, and their state as named tensors."""

from __future__ import annotations

import math

from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import Adam, AdamW, Optimizer

from training.options import RunOptions
from vidcolor.errors import ArgumentError


def make_optimiser(module: nn.Module, options: RunOptions) -> Optimizer:
    """Make the optimiser of a network.

    Args:
        module: Its parameters are optimised, in a group for each entry of `options.rates` that
            fits some of them, and one for the rest. Those of a factor of 0 gather no gradients from
            then on.
        options: Which optimiser, and how it is set.

    Returns:
        The optimiser. Each group has its own full learning rate as `initial_lr`.

    Raises:
        ArgumentError: An entry of `rates` is not of the form PART=FACTOR.
    """
    by_factor = _by_factor(module, options)
    for parameter in by_factor.pop(0.0, ()):
        parameter.requires_grad_(False)
    groups = []
    for factor, parameters in by_factor.items():
        rate = options.learning_rate * factor
        groups.append({"params": parameters, "lr": rate, "initial_lr": rate})
    cls = Adam if options.optimiser == "adam" else AdamW
    betas = (options.beta1, options.beta2)
    return cls(groups, betas=betas, weight_decay=options.weight_decay)


def descend(
    loss: Tensor,
    *,
    module: nn.Module,
    optimiser: Optimizer,
    fabric: Fabric,
    clip: float | None,
) -> None:
    """Do one step down the gradients of a loss.

    Args:
        loss: One number.
        module: What learns from it, as Fabric wraps it.
        optimiser: Of its parameters.
        fabric: The devices.
        clip: Greatest norm of the gradients; None: any.
    """
    optimiser.zero_grad()
    fabric.backward(loss)
    if clip is not None:
        fabric.clip_gradients(module, optimiser, max_norm=clip)
    optimiser.step()


def check_rates(module: nn.Module, options: RunOptions) -> None:
    """Check that each entry of `rates` is well formed and fits a parameter, and that some learn.

    Args:
        module: The network.
        options: `rates` counts.

    Raises:
        ArgumentError: One does not.
    """
    names = [name for name, _ in module.named_parameters()]
    for part, _ in _factors(options):
        if not any(part in name for name in names):
            raise ArgumentError(f"rates names {part!r}, which is in the name of no parameter")
    if _by_factor(module, options).keys() == {0.0}:
        raise ArgumentError("rates leaves no parameter that learns; one factor must be above 0")


def set_learning_rate(optimiser: Optimizer, factor: float) -> None:
    """Set the learning rate of each group.

    Args:
        optimiser: From `make_optimiser`.
        factor: In [0, 1], of each group's full learning rate.
    """
    for group in optimiser.param_groups:
        group["lr"] = factor * group["initial_lr"]


def learning_rate_factor(options: RunOptions, *, step: int, share: float) -> float:
    """Return the factor of the full learning rate.

    Args:
        options: Schedule and warm-up.
        step: Updates done.
        share: How far the run has come, in [0, 1].
    """
    falling = 1 - share if options.schedule == "linear" else (1 + math.cos(math.pi * share)) / 2
    if step < options.warmup_steps:
        return falling * (step + 1) / options.warmup_steps
    return falling


def optimiser_tensors(optimiser: Optimizer) -> dict[str, Tensor]:
    """Return what an optimiser has gathered, as tensors by name."""
    return {
        f"{index}.{key}": value
        for index, values in optimiser.state_dict()["state"].items()
        for key, value in values.items()
    }


def load_optimiser(optimiser: Optimizer, tensors: dict[str, Tensor]) -> None:
    """Put an optimiser's own tensors back, as `optimiser_tensors` gave them."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        index, _, name = key.partition(".")
        state.setdefault(int(index), {})[name] = tensor
    groups = optimiser.state_dict()["param_groups"]
    optimiser.load_state_dict({"state": state, "param_groups": groups})


def _by_factor(module: nn.Module, options: RunOptions) -> dict[float, list[nn.Parameter]]:
    """Parameters by the factor of their learning rate, in the order in which these first occur."""
    factors = _factors(options)
    groups: dict[float, list[nn.Parameter]] = {}
    for name, parameter in module.named_parameters():
        factor = next((value for part, value in factors if part in name), 1.0)
        groups.setdefault(factor, []).append(parameter)
    return groups


def _factors(options: RunOptions) -> list[tuple[str, float]]:
    factors = []
    for text in options.rates:
        part, _, factor = text.partition("=")
        try:
            value = float(factor)
        except ValueError:
            value = math.nan
        if not part or not (value >= 0 and math.isfinite(value)):
            raise ArgumentError(f"rates holds {text!r}; PART=FACTOR is accepted, such as trunk=0.3")
        factors.append((part, value))
    return factors
