"""A propagate graph cut in two gives what it gave before, and each half what it should."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper
from onnxruntime import InferenceSession

from export.features import split
from vidcolor.inference import contract
from vidcolor.inference.bundle import DEFAULT_MODEL, find_bundle
from vidcolor.inference.graph import Graph, check_contract

FEEDS = {
    contract.LUMA: np.random.default_rng(0).random((1, 1, 4, 6), np.float32),
    "state.chroma": np.full((1, 2, 4, 6), 0.25, np.float32),
    "memory.chroma": np.full((3, 2, 4, 6), 0.5, np.float32),
}
CONSTANTS = {
    "step": np.float32(0.01),
    "zero": np.uint8(0),
    "double": np.float32(2),
}


def model(*nodes: onnx.NodeProto, outputs: tuple[str, ...] = (contract.CHROMA,)) -> ModelProto:
    graph = helper.make_graph(
        nodes,
        "made up",
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, [*plane.shape[:2], "h", "w"])
            for name, plane in FEEDS.items()
        ],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [numpy_helper.from_array(np.asarray(a), n) for n, a in CONSTANTS.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    helper.set_model_props(made, {"vidcolor.name": "made up"})
    return made


def node(kind: str, inputs: str, outputs: str, **attributes: int) -> onnx.NodeProto:
    return helper.make_node(kind, inputs.split(), outputs.split(), **attributes)


def run(made: ModelProto, feeds: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    session = InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    taken = {given.name for given in session.get_inputs()}
    given = {name: plane for name, plane in feeds.items() if name in taken}
    return dict(zip(names, session.run(names, given), strict=True))


def check(made: ModelProto) -> tuple[list[str], list[str], dict[str, np.ndarray]]:
    """Operators of both parts, and the features; the parts give what the whole does."""
    parts = split(made)
    assert parts.keys() == {"features", "propagate"}
    for part in parts.values():
        onnx.checker.check_model(part, full_check=True)
        assert part.metadata_props == made.metadata_props
    assert [i.name for i in parts["features"].graph.input] == [contract.LUMA]
    features = run(parts["features"], FEEDS)
    whole, cut = run(made, FEEDS), run(parts["propagate"], FEEDS | features)
    assert cut.keys() == whole.keys()
    for name, plane in whole.items():
        np.testing.assert_array_equal(cut[name], plane)
    both = ([n.op_type for n in parts[name].graph.node] for name in ("features", "propagate"))
    return *both, features


def test_what_luma_alone_decides_is_computed_apart() -> None:
    made = model(
        node("Relu", "luma", "a"),
        node("Sqrt", "a", "b"),
        node("Add", "b state.chroma", "c"),
        node("Mul", "c luma", "chroma"),
    )
    apart, rest, features = check(made)
    assert apart == ["Relu", "Sqrt"]
    assert rest == ["Add", "Mul"]
    np.testing.assert_array_equal(features["features.0"], np.sqrt(FEEDS["luma"]))


def test_an_output_of_luma_alone_is_passed_on() -> None:
    made = model(
        node("Sqrt", "luma", "next.luma"),
        node("Add", "next.luma state.chroma", "chroma"),
        outputs=("chroma", "next.luma"),
    )
    apart, rest, features = check(made)
    assert (apart, sorted(rest)) == (["Sqrt"], ["Add", "Identity"])
    assert len(features) == 1


def test_numbers_of_8_bits_cross_as_such_and_what_only_rearranges_stays() -> None:
    made = model(
        node("QuantizeLinear", "luma step zero", "codes"),
        node("DequantizeLinear", "codes step zero", "again"),
        node("Transpose", "again", "turned"),
        node("Transpose", "turned", "back"),
        node("Add", "back state.chroma", "c"),
        node("Add", "again c", "chroma"),
    )
    apart, rest, features = check(made)
    assert apart == ["QuantizeLinear"]
    assert sorted(rest) == ["Add", "Add", "DequantizeLinear", "Transpose", "Transpose"]
    (codes,) = features.values()
    assert codes.dtype == np.uint8


def test_luma_rearranged_needs_no_cut() -> None:
    made = model(
        node("Transpose", "luma", "turned"),
        node("Transpose", "turned", "back"),
        node("Add", "back state.chroma", "chroma"),
    )
    assert split(made) == {"propagate": made}


def test_sizes_are_in_both_parts() -> None:
    made = model(
        node("Shape", "luma", "size"),
        node("Expand", "double size", "twos"),
        node("Mul", "luma twos", "a"),
        node("Add", "a state.chroma", "c"),
        node("Mul", "c twos", "chroma"),
    )
    apart, rest, features = check(made)
    assert apart == ["Shape", "Expand", "Mul"]
    assert sorted(rest) == ["Add", "Expand", "Mul", "Shape"]
    assert len(features) == 1


def test_how_many_keys_there_are_is_not_known_of_luma_alone() -> None:
    made = model(
        node("Sqrt", "luma", "root"),
        node("Shape", "memory.chroma", "keys", start=0, end=1),
        node("Cast", "keys", "number", to=TensorProto.FLOAT),
        node("Mul", "root number", "a"),
        node("Add", "a state.chroma", "chroma"),
    )
    apart, rest, _ = check(made)
    assert apart == ["Sqrt"]
    assert "Mul" in rest


def test_a_graph_that_computes_nothing_of_luma_alone_stays_whole() -> None:
    made = model(node("Add", "luma state.chroma", "chroma"))
    assert split(made) == {"propagate": made}


def test_a_shipped_model_is_cut_where_its_encoder_ends() -> None:
    """Which is the larger part of its weights, and waits for no frame."""
    bundle = find_bundle(DEFAULT_MODEL)
    paths = contract.graph_paths(bundle, contract.INT8)
    graphs = {n: onnx.load(path) for n, path in paths.items()}
    assert graphs.keys() == {"remember", "propagate", "features"}
    kinds = {
        name: [n.op_type for n in graph.graph.node].count("Conv") for name, graph in graphs.items()
    }
    assert kinds["features"] >= 50
    assert kinds["propagate"] < 40
    check_contract(*(Graph.of_model(n, graphs[n]) for n in ("remember", "propagate", "features")))


@pytest.mark.parametrize("precision", contract.PRECISIONS)
def test_other_precisions_are_whole(precision: str) -> None:
    """On a device what counts is how many graphs are started."""
    assert contract.OF_LUMA not in contract.graph_paths(find_bundle(DEFAULT_MODEL), precision)


def test_a_bundle_may_lack_the_graph_and_may_not_lack_the_others(tmp_path: Path) -> None:
    assert [*contract.graph_paths(tmp_path, "float32")] == ["remember", "propagate"]
