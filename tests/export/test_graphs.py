import numpy as np
import pytest
import torch
from onnx import ModelProto, TensorProto
from onnxruntime import InferenceSession
from torch import Tensor

from export.graphs import OPSET, ExportError, check_graphs, export_graphs
from training.models.base import Generator, Propagated, Remembered, Tensors
from vidcolor.inference.contract import Metadata


class Hold(Generator):
    """Keeps the key's colours: no memory, no weights, an input nobody uses, states passed on."""

    size_multiple = 4
    color_space = "YCbCr"

    def remember(self, luma: Tensor, chroma: Tensor) -> Remembered:
        return Remembered(memory={}, state={"chroma": chroma, "twin": chroma})

    def propagate(
        self, luma: Tensor, state: Tensors, memory: Tensors, flows: Tensors
    ) -> Propagated:
        chroma = state["chroma"]
        return Propagated(chroma=chroma, confidence=torch.ones_like(luma), state=state)


class Rigid(Hold):
    """Works at one size only, the one that is traced."""

    def propagate(
        self, luma: Tensor, state: Tensors, memory: Tensors, flows: Tensors
    ) -> Propagated:
        held = super().propagate(luma, state, memory, flows)
        return held._replace(chroma=held.chroma + torch.zeros(1, 2, 8, 12))


class Fickle(Hold):
    """Decides by what it sees, which no graph can hold."""

    def propagate(
        self, luma: Tensor, state: Tensors, memory: Tensors, flows: Tensors
    ) -> Propagated:
        held = super().propagate(luma, state, memory, flows)
        return held if luma.mean() > 0.5 else held._replace(confidence=luma)


def axes(values) -> dict[str, list[int | str]]:
    return {
        value.name: [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]
        for value in values
    }


def test_remember_has_the_names_and_axes_of_the_contract(courier_graphs):
    graph = courier_graphs["remember"].graph
    assert axes(graph.input) == {
        "key.luma": [1, 1, "8*rows", "8*columns"],
        "key.chroma": [1, 2, "8*rows", "8*columns"],
    }
    outputs = axes(graph.output)
    assert outputs.keys() == {
        *("memory.feature", "memory.colour", "memory.chroma"),
        *("next.chroma", "next.feature", "next.origin"),
    }
    assert outputs["memory.chroma"] == [1, 2, "8*rows", "8*columns"]


def test_propagate_has_the_names_and_axes_of_the_contract(courier_graphs):
    graph = courier_graphs["propagate"].graph
    inputs = axes(graph.input)
    cells = inputs["memory.feature"][1]
    assert isinstance(cells, str)
    assert inputs == {
        "luma": [1, 1, "8*rows", "8*columns"],
        "state.chroma": [1, 2, "8*rows", "8*columns"],
        "state.feature": [1, 8, "rows", "columns"],
        "state.origin": [1, 8],
        "memory.feature": ["keys", cells, 8],
        "memory.colour": ["keys", cells, 2],
        "memory.chroma": ["keys", 2, "8*rows", "8*columns"],
        "flow.previous": [1, 2, "8*rows", "8*columns"],
        "flow.key": ["keys", 2, "8*rows", "8*columns"],
    }
    assert axes(graph.output) == {
        "chroma": [1, 2, "8*rows", "8*columns"],
        "confidence": [1, 1, "8*rows", "8*columns"],
        "next.chroma": [1, 2, "8*rows", "8*columns"],
        "next.feature": [1, 8, "rows", "columns"],
        "next.origin": [1, 8],
    }


def test_both_graphs_carry_the_metadata_and_nothing_of_the_machine(courier_graphs, metadata):
    for model in courier_graphs.values():
        properties = {entry.key: entry.value for entry in model.metadata_props}
        assert Metadata.from_properties(properties) == metadata
        assert [(o.domain, o.version) for o in model.opset_import] == [("", OPSET)]
        assert all(t.data_location == TensorProto.DEFAULT for t in model.graph.initializer)
        assert b".py" not in model.SerializeToString()


@pytest.fixture(scope="module")
def hold_graphs(metadata) -> dict[str, ModelProto]:
    return export_graphs(Hold(), metadata)


def test_unused_inputs_and_states_passed_on_stay_in_the_graph(metadata, hold_graphs):
    remember, propagate = (hold_graphs[name].graph for name in ("remember", "propagate"))
    assert axes(remember.input).keys() == {"key.luma", "key.chroma"}
    assert axes(remember.output).keys() == {"next.chroma", "next.twin"}
    assert axes(propagate.input).keys() == {"luma", "state.chroma", "state.twin"}
    assert [*axes(propagate.output)] == ["chroma", "confidence", "next.chroma", "next.twin"]
    again = export_graphs(Hold(), metadata)
    for name, graph in hold_graphs.items():
        assert graph.SerializeToString() == again[name].SerializeToString()


def test_states_that_begin_as_the_same_tensor_are_told_apart(hold_graphs):
    graph = hold_graphs["propagate"].SerializeToString()
    session = InferenceSession(graph, providers=["CPUExecutionProvider"])
    random = np.random.default_rng(0)
    given = {name: random.random((1, 2, 8, 12), np.float32) for name in ("chroma", "twin")}
    feeds = {f"state.{name}": plane for name, plane in given.items()}
    luma = np.zeros((1, 1, 8, 12), np.float32)
    following = session.run(["next.chroma", "next.twin"], {"luma": luma, **feeds})
    np.testing.assert_array_equal(following, [given["chroma"], given["twin"]])


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (
            Rigid,
            r"code fixes a size or a type: propagate: chroma is float \[1, 2, 8, 12\]",
        ),
        (Fickle, r"^PropagateGraph cannot be exported: \S.*$"),
    ],
)
def test_a_model_that_no_dynamic_graph_can_hold_is_refused(metadata, model, said):
    with pytest.raises(ExportError, match=said):
        export_graphs(model(), metadata)


def spoil_type(graphs: dict[str, ModelProto]) -> None:
    graphs["remember"].graph.output[-1].type.tensor_type.elem_type = TensorProto.FLOAT16


def spoil_height(graphs: dict[str, ModelProto]) -> None:
    graphs["propagate"].graph.input[0].type.tensor_type.shape.dim[2].dim_value = 64


def spoil_state_shape(graphs: dict[str, ModelProto]) -> None:
    origin = {v.name: v for v in graphs["propagate"].graph.input}["state.origin"]
    origin.type.tensor_type.shape.dim[1].dim_param = "any"
    following = {v.name: v for v in graphs["propagate"].graph.output}["next.origin"]
    following.type.tensor_type.shape.dim[1].dim_param = "any"


def spoil_name(graphs: dict[str, ModelProto]) -> None:
    graph = graphs["remember"].graph
    node = next(n for n in graph.node if "next.origin" in n.output)
    node.output[0] = {v.name: v for v in graph.output}["next.origin"].name = "next.start"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (spoil_type, "not valid"),
        (spoil_height, r"propagate: luma is float \[1, 1, 64, \?\]"),
        (spoil_state_shape, r"remember: returns next.origin as float \[1, 8\]"),
        (spoil_name, r"remember: returns state .*start"),
    ],
)
def test_graphs_that_break_the_contract_are_refused(courier_graphs, spoil, said):
    check_graphs(courier_graphs)
    spoil(courier_graphs)
    with pytest.raises(ExportError, match=said):
        check_graphs(courier_graphs)
