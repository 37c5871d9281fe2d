"""A generator written as a bundle that has proved itself, or nothing written at all."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from onnx import ModelProto

from export.card import model_card
from export.features import split
from export.graphs import ExportError, check_graphs, export_graphs, export_propagate
from export.parity import Parity, check_parity
from export.precision import to_float16
from export.quantise import calibration_feeds, to_int8
from training.checkpoint import Config
from training.models.base import Generator
from vidcolor.inference import contract

CARD = "CARD.md"
PARTS = 4
"""Of what is computed in parts in the int8 graph, which is for CPUs; GPUs prefer one."""


def write_bundle(
    generator: Generator,
    target: Path,
    *,
    metadata: contract.Metadata,
    config: Config,
    notes: str = "",
    calibrate: Sequence[Path] = (),
    overwrite: bool = False,
    report: Callable[[str], object] = lambda _: None,
) -> list[Parity]:
    """Export, check and compare, then let the folder `target` appear, complete.

    calibrate: folders of videos for an int8 graph; without any there is none. `notes` go into the
    model card; `report` is told each step before it begins. An existing
    bundle is replaced only with `overwrite`. Returns the parities that were measured; raises
    ExportError and ParityError.
    """
    check_target(target, overwrite=overwrite)
    with appearing(target) as folder:
        report("tracing remember and propagate")
        graphs = export_graphs(generator, metadata)
        report("converting to float16")
        halves = {name: to_float16(graph) for name, graph in graphs.items()}
        check_graphs(halves)
        for precision, models in zip(contract.PRECISIONS, (graphs, halves), strict=True):
            _save(folder, precision, models)
        if calibrate:
            report("quantising to int8")
            exact = graphs["propagate"]
            if generator.compute_in_parts(PARTS):
                exact = export_propagate(generator, metadata)
            feeds = calibration_feeds(folder, calibrate)
            _save(folder, contract.INT8, split(to_int8(exact, feeds)))
        report("comparing with PyTorch")
        parities = check_parity(generator, folder)
        sizes = {path.name: path.stat().st_size for path in sorted(folder.iterdir())}
        card = model_card(
            generator,
            metadata=metadata,
            config=config,
            parities=parities,
            sizes=sizes,
            notes=notes,
        )
        (folder / CARD).write_text(card, encoding="utf-8")
    return parities


def check_target(target: Path, *, overwrite: bool) -> None:
    """Raise ExportError unless a bundle may be written at `target`.

    With `overwrite` only a bundle is replaced, never a folder that holds anything else.
    """
    if not target.parent.is_dir():
        raise ExportError(f"output is {target}, but {target.parent} is no folder")
    if not target.exists():
        return
    if not overwrite:
        raise ExportError(f"output {target} exists already; --overwrite replaces it")
    graphs = (*contract.GRAPHS, contract.OF_LUMA, contract.COLORIZE)
    precisions = (*contract.PRECISIONS, contract.INT8)
    own = {contract.graph_path(target, g, p) for g in graphs for p in precisions}
    if not target.is_dir() or not {*target.iterdir()} <= own | {target / CARD}:
        raise ExportError(f"output {target} is not a bundle, and only a bundle is overwritten")


def _save(folder: Path, precision: str, graphs: dict[str, ModelProto]) -> None:
    for name, model in graphs.items():
        data = model.SerializeToString(deterministic=True)
        contract.graph_path(folder, name, precision).write_bytes(data)


@contextmanager
def appearing(target: Path) -> Iterator[Path]:
    """A new folder that becomes `target` at the end of the block, or is gone if that raises."""
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as beside:
        folder = Path(beside) / "new"
        folder.mkdir()
        yield folder
        if target.exists():
            target.rename(Path(beside) / "old")
        folder.rename(target)
