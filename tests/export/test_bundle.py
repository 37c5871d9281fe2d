from pathlib import Path

import pytest
from onnx import ModelProto, numpy_helper

from export import bundle as bundle_module
from export.bundle import write_bundle
from export.graphs import ExportError
from export.parity import ParityError

FILES = {
    "CARD.md",
    "propagate.float16.onnx",
    "propagate.float32.onnx",
    "remember.float16.onnx",
    "remember.float32.onnx",
}


@pytest.fixture
def write(courier, courier_graphs, metadata, config, monkeypatch):
    """`write_bundle` with the graphs that were traced once for all tests."""
    monkeypatch.setattr(bundle_module, "export_graphs", lambda *_: courier_graphs)

    def write(target: Path, *, overwrite: bool = False):
        return write_bundle(courier, target, metadata=metadata, config=config, overwrite=overwrite)

    return write


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def sabotage(propagate: ModelProto) -> None:
    """Alter the last layer's weights."""
    weights = {tensor.name: tensor for tensor in propagate.graph.initializer}
    weight = weights["generator.mix.3.weight"]
    values = numpy_helper.to_array(weight) * 1.5
    weight.CopyFrom(numpy_helper.from_array(values, weight.name))


def test_a_bundle_is_complete_and_says_what_it_is(write, shelf):
    parities = write(shelf / "courier")
    assert files(shelf / "courier").keys() == FILES
    assert [path.name for path in shelf.iterdir()] == ["courier"]
    card = (shelf / "courier" / "CARD.md").read_text()
    for said in (
        "# courier",
        "Licence: MIT",
        "Training data: none",
        "(width 0.5)",
        "1,234 updates",
        "| rate | 0.001 |",
        "| rollout.dt | 1 5 |",
        "flow.key, flow.previous",
        f"| float32 | {parities[0].chroma:.1e}, {parities[0].confidence:.1e} |",
        "| propagate.float32.onnx |",
    ):
        assert said in card
    assert "/somebody" not in card


def test_a_sabotaged_graph_leaves_nothing_behind(write, shelf, courier_graphs):
    sabotage(courier_graphs["propagate"])
    with pytest.raises(ParityError):
        write(shelf / "courier")
    assert list(shelf.iterdir()) == []


def test_an_existing_bundle_is_only_replaced_when_asked(write, shelf, courier_graphs):
    write(shelf / "courier")
    before = files(shelf / "courier")
    with pytest.raises(ExportError, match="exists already; --overwrite"):
        write(shelf / "courier")
    courier_graphs["propagate"].producer_version = "another"
    write(shelf / "courier", overwrite=True)
    after = files(shelf / "courier")
    assert after.keys() == FILES
    assert after["propagate.float32.onnx"] != before["propagate.float32.onnx"]
    assert after["remember.float32.onnx"] == before["remember.float32.onnx"]
    assert [path.name for path in shelf.iterdir()] == ["courier"]


def test_a_failed_export_keeps_the_bundle_that_was_there(write, shelf, courier_graphs):
    write(shelf / "courier")
    before = files(shelf / "courier")
    sabotage(courier_graphs["propagate"])
    with pytest.raises(ParityError):
        write(shelf / "courier", overwrite=True)
    assert files(shelf / "courier") == before
    assert [path.name for path in shelf.iterdir()] == ["courier"]


def test_nothing_but_a_bundle_is_overwritten(write, shelf):
    (shelf / "photographs").mkdir()
    (shelf / "photographs" / "first.png").write_bytes(b"dear")
    with pytest.raises(ExportError, match="not a bundle"):
        write(shelf / "photographs", overwrite=True)
    assert files(shelf / "photographs") == {"first.png": b"dear"}


def test_the_folder_around_the_bundle_must_exist(write, shelf):
    with pytest.raises(ExportError, match=r"nowhere is no folder"):
        write(shelf / "nowhere" / "courier")
    assert list(shelf.iterdir()) == []
