"""A float32 graph as a float16 one: what costs time is halved, what needs digits is not.

float16 runs from the first convolution or matrix product on a path to the last one, where nearly
all arithmetic is and where networks are trained to bear noise. Before the first and after the last
everything stays float32: colour conversion, whose powers spread a rounding error, and sampling
positions, of which float16 would leave a quarter of a pixel at 256 pixels and more. So do the
operators on which torch.autocast insists. (The converters of onnxruntime and onnxconverter-common
round to float16 also between two operators that both stay float32, which spoils those positions.)

At the borders planes and flows stay float32, as the contract says; states and memories are float16.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from vidcolor.inference import contract

_PRODUCTS = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul"})
_MOVES = frozenset(
    {"Concat", "Expand", "Flatten", "Gather", "Identity", "Reshape", "Slice", "Split", "Squeeze"}
    | {"Tile", "Transpose", "Unsqueeze"}
)
"""Change no value, so they run in whatever type their inputs already have."""
_ANY_TYPE = frozenset({"Shape", "Size"})
_FLOAT32 = frozenset(
    {"BatchNormalization", "Cast", "CumSum", "Einsum", "Exp", "GridSample", "GroupNormalization"}
    | {"InstanceNormalization", "LayerNormalization", "Log", "LogSoftmax", "LpNormalization"}
    | {"Pow", "Range", "Reciprocal", "ReduceL1", "ReduceL2", "ReduceLogSumExp", "ReduceMean"}
    | {"ReduceProd", "ReduceSum", "ReduceSumSquare", "Softmax", "Sqrt", "TopK"}
)
"""Sums over many values, steep functions, sampling; and Cast, which says its type itself."""
_FIXED_INPUTS = {"Resize": (1, 2)}
"""Inputs that are float32 whatever the operator computes in."""
_HALF_AT_BORDER = (contract.STATE, contract.NEXT, contract.MEMORY)


def to_float16(model: ModelProto) -> ModelProto:
    """A new model with the same names and metadata, float16 where this module's text says so."""
    return _Halving(model).run()


class _Halving:
    """One conversion. Each float tensor exists in the type it is made in ('native') and, where
    somebody asks, in the other one through a Cast. A tensor at the graph's border keeps its name
    in the type it has there, any other in its native type.
    """

    def __init__(self, model: ModelProto) -> None:
        inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True).graph
        values = (*inferred.input, *inferred.output, *inferred.value_info)
        types = {value.name: value.type.tensor_type.elem_type for value in values}
        types |= {tensor.name: tensor.data_type for tensor in inferred.initializer}
        self.floats = {name for name, type_ in types.items() if type_ == TensorProto.FLOAT}
        self.source = model
        self.weights = {tensor.name: tensor for tensor in model.graph.initializer}
        border = (*model.graph.input, *model.graph.output)
        self.border = {v.name: _border_type(v.name) for v in border if v.name in self.floats}
        self.native: dict[str, int] = {}
        self.made: set[tuple[str, int]] = set()
        self.nodes: list[NodeProto] = []
        self.halved: dict[str, TensorProto] = {}

    def run(self) -> ModelProto:
        for name in self.floats:
            if name in self.weights:
                self._make(name, TensorProto.FLOAT)
        for value in self.source.graph.input:
            if value.name in self.floats:
                self._make(value.name, self.border[value.name])
        products = _between(self.source.graph.node)
        for node in self.source.graph.node:
            self._convert(node, half=self._runs_half(node, products))
        for value in self.source.graph.output:
            if value.name in self.floats:
                self._take(value.name, self.border[value.name])
        return self._assemble()

    def _runs_half(self, node: NodeProto, products: set[str]) -> bool:
        inputs = [name for name in node.input if name in self.floats]
        if not inputs or not any(name in self.floats for name in node.output):
            return False
        if node.op_type in _MOVES and all(self._is_half(name) for name in inputs):
            return True
        return node.output[0] in products and node.op_type not in _FLOAT32

    def _is_half(self, name: str) -> bool:
        return self.native[name] == TensorProto.FLOAT16

    def _convert(self, node: NodeProto, *, half: bool) -> None:
        type_: int = TensorProto.FLOAT16 if half else TensorProto.FLOAT
        fixed = _FIXED_INPUTS.get(node.op_type, ())
        new = NodeProto()
        new.CopyFrom(node)
        for index, name in enumerate(node.input):
            if name in self.floats:
                wanted: int = TensorProto.FLOAT if index in fixed else type_
                if node.op_type in _ANY_TYPE:
                    wanted = self.native[name]
                new.input[index] = self._take(name, wanted)
        for index, name in enumerate(node.output):
            if name in self.floats:
                new.output[index] = self._make(name, type_)
        self.nodes.append(new)

    def _make(self, name: str, type_: int) -> str:
        """Note that `name` is made as `type_`; returns what it is called there."""
        self.native[name] = type_
        self.made.add((name, type_))
        return self._name(name, type_)

    def _take(self, name: str, type_: int) -> str:
        """What `name` is called as `type_`, through a new Cast if it does not exist so yet."""
        called = self._name(name, type_)
        if (name, type_) not in self.made:
            self.made.add((name, type_))
            if name in self.weights:
                self.halved[called] = _half(self.weights[name], called)
            else:
                native = self._name(name, self.native[name])
                self.nodes.append(
                    helper.make_node("Cast", [native], [called], name=f"{called}.cast", to=type_)
                )
        return called

    def _name(self, name: str, type_: int) -> str:
        own = self.border.get(name, self.native[name])
        return name if type_ == own else f"{name}.{TensorProto.DataType.Name(type_).lower()}"

    def _assemble(self) -> ModelProto:
        model = ModelProto()
        model.CopyFrom(self.source)
        graph = model.graph
        del graph.node[:], graph.initializer[:], graph.value_info[:]
        graph.node.extend(self.nodes)
        used = {name for node in self.nodes for name in node.input}
        weights = {**self.weights, **self.halved}
        graph.initializer.extend(tensor for name, tensor in weights.items() if name in used)
        for value in (*graph.input, *graph.output):
            if value.name in self.border:
                value.type.tensor_type.elem_type = self.border[value.name]
        return model


def _border_type(name: str) -> int:
    return TensorProto.FLOAT16 if name.startswith(_HALF_AT_BORDER) else TensorProto.FLOAT


def _between(nodes: Iterable[NodeProto]) -> set[str]:
    """The tensors that lie between the first and the last product of a path, theirs included."""
    nodes = tuple(nodes)
    after: set[str] = set()
    for node in nodes:
        if node.op_type in _PRODUCTS or after.intersection(node.input):
            after.update(node.output)
    before: set[str] = set()
    leading: set[str] = set()
    for node in reversed(nodes):
        is_product = node.op_type in _PRODUCTS
        if is_product or leading.intersection(node.output):
            leading.update(node.input)
            before.update(node.output)
    return after & before


def _half(tensor: TensorProto, name: str) -> TensorProto:
    values = numpy_helper.to_array(tensor)
    return numpy_helper.from_array(np.asarray(values, dtype=np.float16), name)
