"""The exporter takes seconds a graph, so tests share what it made once."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import torch
from onnx import ModelProto
from torch.onnx._internal.exporter._registration import ONNXRegistry

from export.graphs import export_graphs
from tests.export.courier import Courier
from tests.support.made_once import made_once
from training.checkpoint import Config
from vidcolor.inference.contract import Metadata


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
