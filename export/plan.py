"""Which nodes of a graph compute in 8 bits: see `export.quantise`, which has them do so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, ValueInfoProto, numpy_helper

Feeds = dict[str, NDArray[np.float32]]
"""Inputs of the propagate graph, by name."""

CHANNELS = 16
"""A convolution computes in 8 bits from so many output channels and as many input channels on."""
NUMBERS = 400
"""And from so many numbers in its weight on: with fewer it only rearranges planes, and 8 bits of
what it is given are too few for what is then subtracted."""
COMPARED = 32
"""Numbers from which on vectors are compared in 8 bits."""
_LEVEL = ".level"
"""What the name of a last convolution's result ends in before its channels are scaled."""
_LANES = 32
"""Output channels that a CPU computes at once; of 23 a convolution takes twice the time of 32."""
_LEAST_WIDTH = np.float32(1e-6)
"""Of a channel that is always zero."""
_BETWEEN = {"Add": 2, "Concat": None, "Clip": 1, "LeakyRelu": 1, "Relu": 1, "Resize": 1}
"""What may lie between two convolutions in 8 bits, and how many inputs of it are numbers."""


class Plan:
    """Which nodes of a graph compute in 8 bits."""

    def __init__(self, model: ModelProto) -> None:
        self.model = model
        inferred = onnx.shape_inference.infer_shapes(model).graph
        self._shapes = {
            value.name: _shape(value) for value in (*inferred.value_info, *inferred.input)
        }
        self._weights = {tensor.name: tuple(tensor.dims) for tensor in model.graph.initializer}
        self._makers = {name: node for node in model.graph.node for name in node.output}
        self._takers: dict[str, list[NodeProto]] = {value.name: [] for value in model.graph.output}
        for node in model.graph.node:
            for name in node.input:
                self._takers.setdefault(name, []).append(node)
        self._borders = {value.name for value in model.graph.output}
        gains = {"Conv": self._convolution, "Add": self._sum, "MatMul": self._comparison}
        nodes = [node for node in model.graph.node if node.op_type in gains]
        self.exact = [node.name for node in nodes if not gains[node.op_type](node)]
        """The names of those that stay float32."""
        self.compared = [
            node.input[1]
            for node in nodes
            if node.op_type == "MatMul" and node.name not in self.exact
        ]
        """The second factors of products in 8 bits."""

    def _convolution(self, node: NodeProto) -> bool:
        shape = self._weights.get(node.input[1])
        if shape is None:
            return False
        outputs, inputs, *_ = shape
        groups = next((a.i for a in node.attribute if a.name == "group"), 1)
        wide = min(outputs, inputs * groups) >= CHANNELS and np.prod(shape) >= NUMBERS
        return wide and (node.output[0].endswith(_LEVEL) or self._stays_within(node.output[0]))

    def last(self) -> Iterator[NodeProto]:
        """The wide convolutions of more than a pixel whose results are no longer seen by others."""
        for node in self.model.graph.node:
            shape = self._weights.get(node.input[1], ()) if node.op_type == "Conv" else ()
            wide = min(shape[:2], default=0) >= CHANNELS and max(shape[2:]) > 1
            if wide and not self._stays_within(node.output[0]):
                yield node

    def _sum(self, node: NodeProto) -> bool:
        return self._is_coded(node.output[0]) and self._stays_within(node.output[0])

    def _comparison(self, node: NodeProto) -> bool:
        """Whether a product is one of many vectors with many others, none of which is known."""
        one, two = node.input
        if one in self._weights or two in self._weights:
            return False
        inner = (*self._shapes.get(one, ())[-1:], *self._shapes.get(two, ())[-2:-1])
        return max(size or 0 for size in (*inner, 0)) >= COMPARED

    def _stays_within(self, name: str) -> bool:
        """Whether only convolutions ever see it."""
        takers = self._takers.get(name, [])
        return name not in self._borders and all(
            node.op_type == "Conv"
            or (node.op_type in _BETWEEN and self._stays_within(node.output[0]))
            for node in takers
        )

    def _is_coded(self, name: str) -> bool:
        """Whether it is made of nothing but results of 8 bits."""
        node = self._makers.get(name)
        if node is None:
            return False
        if node.op_type == "Conv":
            return self._convolution(node)
        return node.op_type in _BETWEEN and all(
            self._is_coded(taken) for taken in node.input[: _BETWEEN[node.op_type]]
        )


def level_last(model: ModelProto, feeds: Sequence[Feeds]) -> ModelProto:
    """Let all channels of a last convolution be as wide as 8 bits, and scale them afterwards."""
    last = list(Plan(model).last())
    if not last:
        return model
    widths = _widths(model, [node.output[0] for node in last], feeds)
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in last:
        name = node.output[0]
        width = widths[name]
        more = -len(width) % _LANES
        level = np.pad(width, (0, more), constant_values=1)
        for taken, shape in zip(node.input[1:], ((-1, 1, 1, 1), (-1,)), strict=False):
            values = numpy_helper.to_array(weights[taken])
            values = np.pad(values, ((0, more), *[(0, 0)] * (values.ndim - 1)))
            values = values / level.reshape(shape)
            weights[taken].CopyFrom(numpy_helper.from_array(values, taken))
        parts = {
            "width": level.reshape(1, -1, 1, 1),
            "first": np.array([0]),
            "end": np.array([len(width)]),
            "axis": np.array([1]),
        }
        constants = [numpy_helper.from_array(part, f"{name}.{n}") for n, part in parts.items()]
        model.graph.initializer.extend(constants)
        scale, *bounds = (constant.name for constant in constants)
        node.output[0] = name + _LEVEL
        scaled = f"{name}.scaled"
        after = (
            onnx.helper.make_node("Mul", [node.output[0], scale], [scaled], f"{name}.scale"),
            onnx.helper.make_node("Slice", [scaled, *bounds], [name], f"{name}.slice"),
        )
        place = list(model.graph.node).index(node) + 1
        for offset, added in enumerate(after):
            model.graph.node.insert(place + offset, added)
    return model


def _widths(
    model: ModelProto, names: Sequence[str], feeds: Sequence[Feeds]
) -> dict[str, NDArray[np.float32]]:
    """The greatest absolute value of each channel of these tensors, by name."""
    watched = ModelProto()
    watched.CopyFrom(model)
    for name in names:
        value = onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None)
        watched.graph.output.append(value)
    session = onnxruntime.InferenceSession(
        watched.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    widths = {name: np.float32(0) for name in names}
    for feed in feeds:
        for name, values in zip(names, session.run(list(names), feed), strict=True):
            widths[name] = np.maximum(widths[name], np.abs(values).max((0, 2, 3)))
    return {name: np.maximum(width, _LEAST_WIDTH) for name, width in widths.items()}


def _shape(value: ValueInfoProto) -> tuple[int | None, ...]:
    """None where an axis is dynamic."""
    sizes = value.type.tensor_type.shape.dim
    return tuple(size.dim_value if size.HasField("dim_value") else None for size in sizes)
