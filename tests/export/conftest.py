"""The exporter takes seconds a graph, so tests share what it made once."""

import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from onnx import ModelProto
from torch.onnx._internal.exporter._registration import ONNXRegistry

from export.__main__ import main as export
from export.graphs import export_graphs
from tests.export.courier import Courier
from tests.export.generators import vivid
from tests.support.made_once import made_once
from tests.support.shallow import shallow_unets
from training.checkpoint import Config, save_generator
from training.models.convlstm import ConvLSTMUNet
from vidcolor.inference.contract import Metadata

NOTES = "## Limits\n\nIt knows clouds only.\n"
WIDTH = 1 / 4


class Exported(NamedTuple):
    """What `python -m export` has made of a checkpoint, with `NOTES`, and what it said."""

    checkpoint: Path
    bundle: Path
    out: str
    err: str


@pytest.fixture(scope="session", autouse=True)
def _operators_listed_once() -> Iterator[None]:
    """For each graph PyTorch's exporter makes the same list of what it can translate."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            ONNXRegistry, "from_torchlib", staticmethod(cache(ONNXRegistry.from_torchlib))
        )
        yield


@pytest.fixture(scope="session")
def courier() -> Courier:
    torch.manual_seed(0)
    return Courier().eval()


@pytest.fixture(scope="session")
def metadata() -> Metadata:
    return Metadata(
        name="courier",
        size_multiple=Courier.size_multiple,
        color_space=Courier.color_space,
        licence="MIT",
        training_data="none",
        metrics="not measured",
    )


@pytest.fixture(scope="session")
def config() -> Config:
    return Config(
        name="courier-0",
        model="courier",
        arguments={"width": 0.5},
        step=1234,
        training={"rate": 0.001, "clips": "/somebody/home", "rollout": {"dt": [1, 5]}},
    )


@pytest.fixture(scope="session")
def courier_bytes(
    courier: Courier, metadata: Metadata, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, bytes]:
    def trace(folder: Path) -> None:
        for name, graph in export_graphs(courier, metadata).items():
            (folder / name).write_bytes(graph.SerializeToString())

    folder = made_once(tmp_path_factory, "courier", trace)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """A shallow generator with a state of its own, a quarter of its width, by the command line.

    In this process, where the exporter may have been imported; `training reproduce` starts one.
    """
    folder = made_once(tmp_path_factory, "exported", _export)
    said = [(folder / name).read_text(encoding="utf-8") for name in ("out", "err")]
    return Exported(folder / "checkpoint", folder / "mine", *said)


def _export(folder: Path) -> None:
    torch.manual_seed(0)
    with shallow_unets():
        generator = vivid(ConvLSTMUNet(width=WIDTH))
    generator.calibrate(0.25)
    config = Config(
        name="lstm-1",
        model="convlstm",
        arguments={"width": WIDTH},
        licence="MIT",
        training_data="rendered scenes",
        metrics={"psnr": 30.125},
    )
    save_generator(folder / "checkpoint", generator, config=config)
    (folder / "notes.md").write_text(NOTES, encoding="utf-8")
    words = [folder / "checkpoint", "-o", folder / "mine"]
    words += ["--licence", "CC0", "--notes", folder / "notes.md"]
    with (
        pytest.MonkeyPatch.context() as patch,
        shallow_unets(),
        redirect_stdout(StringIO()) as out,
        redirect_stderr(StringIO()) as err,
    ):
        patch.setattr(sys, "argv", ["export", *map(str, words)])
        assert export() == 0, err.getvalue()
    (folder / "out").write_text(out.getvalue(), encoding="utf-8")
    (folder / "err").write_text(err.getvalue(), encoding="utf-8")


@pytest.fixture
def courier_graphs(courier_bytes: dict[str, bytes]) -> dict[str, ModelProto]:
    """Fresh copies, which a test may spoil."""
    return {name: ModelProto.FromString(data) for name, data in courier_bytes.items()}


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """An empty folder in which bundles are written."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    return folder
