"""`python -m export CHECKPOINT -o NAME`: a training checkpoint as a bundle that vidcolor runs."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from export.bundle import check_target, write_bundle
from export.card import metrics_text
from export.colorizer import write_colorizer
from export.graphs import ExportError
from export.parity import TOLERANCES
from training.checkpoint import Config, load_colorizer, load_generator, read_config
from training.models import COLORIZERS
from training.models.base import Generator
from training.models.zhang import Zhang
from vidcolor.errors import VidcolorError
from vidcolor.inference import contract


@dataclass(frozen=True)
class Export:
    """Write a checkpoint's generator as a bundle: ONNX graphs that vidcolor runs without PyTorch.

    The bundle proves itself before it appears: the ONNX checker, the contract, and the same
    colours as PyTorch over a rollout at two sizes, with one and two keys, in every precision. Of a
    colorizer's checkpoint, a folder with its one graph is written, in the same way.
    """

    checkpoint: tyro.conf.Positional[Path]
    """The folder that `python -m training fit` or `fit-colorizer` wrote: weights.safetensors and
    config.json."""
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """The bundle's folder, to be made; its last part becomes the model's name."""
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
    overwrite: bool = False
    """Replace the bundle that lies there, once the new one is proved."""


def run(options: Export) -> None:
    """Do what `options` say; raises a VidcolorError with one sentence for what is wrong."""
    output = options.output.resolve()
    check_target(output, overwrite=options.overwrite)
    notes = _read_notes(options.notes)
    if read_config(options.checkpoint).model in COLORIZERS:
        _run_colorizer(options, output, notes)
    else:
        _run_bundle(options, output, notes)
    print(f"wrote {options.output}")


def _run_bundle(options: Export, output: Path, notes: str) -> None:
    generator, config = load_generator(options.checkpoint)
    parities = write_bundle(
        generator,
        output,
        metadata=_metadata(options, output, generator, config),
        config=config,
        notes=notes,
        calibrate=options.calibrate,
        overwrite=options.overwrite,
        report=print,
    )
    for parity in parities:
        accepted = TOLERANCES[parity.precision]
        print(
            f"{parity.precision}: at most {parity.chroma:.1e} apart in chroma (accepted "
            f"{accepted.chroma:g}), {parity.confidence:.1e} in confidence ({accepted.confidence:g})"
        )


def _run_colorizer(options: Export, output: Path, notes: str) -> None:
    network, config = load_colorizer(options.checkpoint)
    apart = write_colorizer(
        network,
        output,
        metadata=_metadata(options, output, network, config),
        config=config,
        notes=notes,
        overwrite=options.overwrite,
    )
    print(f"at most {apart:.1e} apart in chroma (accepted {TOLERANCES['float32'].chroma:g})")


def _metadata(
    options: Export, output: Path, network: Generator | Zhang, config: Config
) -> contract.Metadata:
    return contract.Metadata(
        name=output.name,
        size_multiple=network.size_multiple,
        colour_space=network.colour_space,
        licence=options.licence or config.licence,
        training_data=options.training_data or config.training_data,
        metrics=options.metrics or metrics_text(config.metrics),
    )


def _read_notes(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ExportError(f"notes is {path}, which is no text file that can be read") from error


def main() -> int:
    """The command line; returns the exit status."""
    options = tyro.cli(Export, prog="python -m export")
    try:
        run(options)
    except (VidcolorError, OSError) as error:
        print(f"python -m export: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
