"""What can be seen to be wrong with a run's options before any work is done."""

from __future__ import annotations

import math
from dataclasses import asdict

from evaluation.clips import check_split
from training.data.options import check_rollout
from training.options import FitOptions, RunOptions
from vidcolor.errors import ArgumentError

SEEDS = 2**32
"""How many seeds there are: those that NumPy and PyTorch take alike."""


def check_run(options: RunOptions) -> None:
    """Check what can be seen to be wrong with any run before work is done.

    Args:
        options: What the run was told.

    Raises:
        ArgumentError: It says in a sentence what is wrong.
    """
    if not options.videos:
        raise ArgumentError("videos: no folder is given; at least one folder of videos is needed")
    if options.steps is None and options.minutes is None:
        raise ArgumentError("neither steps nor minutes is given; one of them must be")
    least = {"steps": 1, "batch": 1, "log_every": 1, "checkpoint_steps": 1, "warmup_steps": 0}
    for name, minimum in (least | {"workers": 0, "threads": 1}).items():
        value = getattr(options, name)
        if value is not None and value < minimum:
            raise ArgumentError(f"{name} is {value}, at least {minimum} is needed")
    for name, minimum in {"size": 16, "max_frames": 2}.items():
        value = getattr(options.clips, name)
        if value < minimum:
            raise ArgumentError(f"{name} is {value}, at least {minimum} is needed")
    for name, seed in {"seed": options.seed, "split_seed": options.clips.split_seed}.items():
        if not 0 <= seed < SEEDS:
            raise ArgumentError(f"{name} is {seed}, 0 to {SEEDS - 1} is accepted")
    check_split(options.clips.split)
    _check_numbers(options)


def _check_numbers(options: RunOptions) -> None:
    """Raise ArgumentError for numbers that no run can be told; what is no number among them."""
    for name in ("minutes", "checkpoint_minutes", "clip_gradients"):
        value = getattr(options, name)
        if value is not None and not 0 < value < math.inf:
            raise ArgumentError(f"{name} is {value}, a number above 0 is needed")
    for name in ("learning_rate", "weight_decay"):
        if not 0 <= getattr(options, name) < math.inf:
            raise ArgumentError(f"{name} is {getattr(options, name)}, 0 or more is accepted")
    for name in ("beta1", "beta2"):
        if not 0 <= getattr(options, name) < 1:
            raise ArgumentError(f"{name} is {getattr(options, name)}, 0 to below 1 is accepted")


def check_fit(options: FitOptions, *, size_multiple: int) -> None:
    """Check what can be seen to be wrong with the training of a generator.

    Args:
        options: What the run was told.
        size_multiple: The generator's, in pixels.

    Raises:
        ArgumentError: It says in a sentence what is wrong.
    """
    check_run(options)
    least = {"discriminator_every": 1, "devices": 1, "validate_clips": 0, "validate_frames": 2}
    for name, minimum in least.items():
        if getattr(options, name) < minimum:
            raise ArgumentError(f"{name} is {getattr(options, name)}, at least {minimum} is needed")
    for name, weight in asdict(options.objective).items():
        if not 0 <= weight < math.inf:
            raise ArgumentError(f"{name} is {weight}, 0 or more is accepted")
    check_width("discriminator_width", options.discriminator_width)
    if options.average is not None and not 0 <= options.average < 1:
        raise ArgumentError(f"average is {options.average}, 0 to below 1 is accepted")
    check_rollout(options.rollout)
    check_crop(options.rollout.crop, options, multiple=size_multiple)


def check_crop(crop: int, options: RunOptions, *, multiple: int) -> None:
    """Check the side of the squares that examples are.

    Args:
        crop: In pixels.
        options: What the run was told.
        multiple: What the network's sides are multiples of.

    Raises:
        ArgumentError: They cannot be cut, or the network cannot take them.
    """
    if not multiple <= crop <= options.clips.size or crop % multiple:
        raise ArgumentError(
            f"crop is {crop}, a multiple of {multiple} up to size ({options.clips.size}) is needed"
        )


def check_width(name: str, width: float) -> None:
    """Check a multiplier of channels.

    Raises:
        ArgumentError: It is no number above 0.
    """
    if not 0 < width < math.inf:
        raise ArgumentError(f"{name} is {width}, a number above 0 is needed")


def check_shares(options: RunOptions, *names: str) -> None:
    """Check that these options are shares.

    Raises:
        ArgumentError: One is not from 0 to 1.
    """
    for name in names:
        if not 0 <= getattr(options, name) <= 1:
            raise ArgumentError(f"{name} is {getattr(options, name)}, a share of 0 to 1 is needed")
