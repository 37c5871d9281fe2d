"""What `python -m export` can be told: the one place of its defaults. It needs no PyTorch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from vidcolor.commands.command_line import Switch, help_text


@help_text
@dataclass(frozen=True)
class Export:
    """Write a checkpoint's generator as a bundle: ONNX graphs that vidcolor runs without PyTorch.

    The bundle proves itself before it appears: the ONNX checker, the contract, and the same
    colours as PyTorch over a rollout at two sizes, with one and two keys, in every precision. Of a
    colorizer's checkpoint, a folder with its one graph is written, in the same way.

    For example:

        python -m export runs/mine/checkpoint -o runs/mine/bundle
        python -m export runs/mine/checkpoint -o runs/mine/bundle --calibrate path/to/videos
    """

    checkpoint: tyro.conf.Positional[Path]
    """The folder that `python -m training fit` or `fit-colorizer` wrote: weights.safetensors and
    config.json."""
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """The bundle's folder, to be made."""
    name: str | None = None
    """What the model is called; else as the checkpoint is."""
    model: str | None = None
    """For a checkpoint of a generator of your own: its class, as `fit --model` was told it, such as
    my_package.my_module:MyGenerator. Its code runs."""
    licence: str | None = None
    """Of the weights, such as MIT; else what the checkpoint says."""
    training_data: str | None = None
    """What the weights were trained on, in a few words; else what the checkpoint says."""
    metrics: str | None = None
    """How good the model is, in a few words; else what the checkpoint measured."""
    calibrate: tuple[Path, ...] = ()
    """Folders of videos, such as those that were trained on: the bundle gets a third precision,
    int8, faster on CPUs, with the ranges that are measured on some of them."""
    notes: Path | None = None
    """A Markdown file for the model card: results in full, limits, advice."""
    overwrite: Switch = False
    """Replace the bundle that lies there, once the new one is proved."""
