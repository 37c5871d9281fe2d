"""From a checkpoint to a bundle, or to a colorizer's folder: what `python -m export` does."""

from __future__ import annotations

import shlex
from pathlib import Path

from export.bundle import check_target, write_bundle
from export.card import metrics_text
from export.colorizer import write_colorizer
from export.graphs import ExportError
from export.options import Export
from export.parity import TOLERANCES
from training.checkpoint import Config, load_colorizer, load_generator, read_config
from training.models import COLORIZERS
from training.models.base import Generator, ImageColorizer
from training.own_models import is_own, learn
from vidcolor.inference import contract


def run(options: Export) -> None:
    """Do what `options` say; raises a VidcolorError with one sentence for what is wrong."""
    output = options.output.resolve()
    check_target(output, overwrite=options.overwrite)
    notes = _read_notes(options.notes)
    model = read_config(options.checkpoint).model
    if model in COLORIZERS:
        _run_colorizer(options, output, notes)
        use = "--key auto --colorizer"
    else:
        _learn_of(model, options)
        _run_bundle(options, output, notes)
        use = "--key first.png --model"
    print(f"wrote {options.output}")
    print(f"try it: vidcolor color clip.mp4 -o out.mp4 {use} {shlex.quote(str(options.output))}")


def _learn_of(model: str, options: Export) -> None:
    """Import a generator of the user's own, if the user said that its code may run."""
    if options.model is not None and options.model != model:
        raise ExportError(
            f"model is {options.model!r}, but the checkpoint is of a generator {model!r}"
        )
    if is_own(model) and options.model is None:
        raise ExportError(
            f"the checkpoint is of a generator of somebody's own, {model!r}; "
            f"to run its code, add --model {model}"
        )
    learn(model)


def _run_bundle(options: Export, output: Path, notes: str) -> None:
    generator, config = load_generator(options.checkpoint)
    parities = write_bundle(
        generator,
        output,
        metadata=_metadata(options, generator, config),
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
        metadata=_metadata(options, network, config),
        config=config,
        notes=notes,
        overwrite=options.overwrite,
    )
    print(f"at most {apart:.1e} apart in chroma (accepted {TOLERANCES['float32'].chroma:g})")


def _metadata(
    options: Export, network: Generator | ImageColorizer, config: Config
) -> contract.Metadata:
    return contract.Metadata(
        name=options.name or config.name,
        size_multiple=network.size_multiple,
        color_space=network.color_space,
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
