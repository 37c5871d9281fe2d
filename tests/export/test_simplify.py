"""Graphs that are made simpler compute the same."""

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import ModelProto, TensorProto, helper, numpy_helper
from torch.nn import functional

from export.graphs import COLUMNS, ROWS, Input, trace
from export.simplify import simplified


class Softened(torch.nn.Module):
    """A softplus, sums of squares along an axis that stays and one that goes, known weights."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.linspace(-1, 1, 12).view(4, 3, 1, 1))

    def forward(self, *inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        (planes,) = inputs
        both = torch.cat([self.weight, 2 * self.weight])
        x = functional.conv2d(planes, both.flip(0))
        soft = functional.softplus(x)
        return soft / (1 + soft.square().sum(1, keepdim=True)), x.square().sum(1)


def run(model: ModelProto, planes: np.ndarray) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, {"planes": planes})


def test_a_traced_graph_is_simple_and_computes_the_same(metadata):
    example = Input("planes", torch.zeros(1, 3, 4, 6), {2: ROWS, 3: COLUMNS})
    model = trace(Softened(), [example], ["soft", "squares"], metadata)
    kinds = [node.op_type for node in model.graph.node]
    assert sorted(kinds) == sorted(
        ["Conv", "Softplus", "ReduceSumSquare", "Add", "Div", "ReduceSumSquare"]
    )
    assert not model.graph.value_info
    planes = 40 * np.random.default_rng(0).standard_normal((1, 3, 5, 7)).astype(np.float32)
    planes[..., 0] *= 100  # far beyond where exp would overflow
    with torch.no_grad():
        expected = Softened()(torch.from_numpy(planes))
    for got, wanted in zip(run(model, planes), expected, strict=True):
        np.testing.assert_allclose(got, wanted.numpy(), rtol=1e-5, atol=1e-6)


def test_other_powers_and_choices_stay():
    two, three = (numpy_helper.from_array(np.float32(n), f"n{n}") for n in (2, 3))
    axes = numpy_helper.from_array(np.array([1]), "axes")
    nodes = [
        helper.make_node("Pow", ["planes", "n3"], ["cubes"]),
        helper.make_node("ReduceSum", ["cubes", "axes"], ["summed"]),
        helper.make_node("Softplus", ["planes"], ["soft"]),
        helper.make_node("Less", ["planes", "n2"], ["small"]),
        helper.make_node("Where", ["small", "planes", "soft"], ["chosen"]),
    ]
    values = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, n, 4, 4])
        for name, n in (("planes", 3), ("summed", 1), ("chosen", 3))
    ]
    graph = helper.make_graph(nodes, "others", values[:1], values[1:], [two, three, axes])
    opset = [helper.make_opsetid("", 18)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=10)
    planes = np.random.default_rng(0).standard_normal((1, 3, 4, 4)).astype(np.float32)
    simple = simplified(model)
    assert [node.op_type for node in simple.graph.node] == [node.op_type for node in nodes]
    for got, wanted in zip(run(simple, planes), run(model, planes), strict=True):
        np.testing.assert_array_equal(got, wanted)
    onnx.checker.check_model(simple, full_check=True)
