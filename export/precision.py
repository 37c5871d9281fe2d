"""A float32 graph as a float16 one: what costs time is halved, what needs digits is not.

Wide convolutions and matrix products run in float16: nearly all arithmetic is there, and networks
are trained to bear noise. Sampling, sums over many values and steep functions stay float32, as
torch.autocast insists. All other operators run in what takes the fewest Casts, since each is one
more operator to launch; where that is the same, in float32: so what lies before the first product
and after the last one is not rounded. (The converters of onnxruntime and onnxconverter-common round
to float16 also between two operators that both stay float32, which spoils sampling positions, of
which float16 would leave a quarter of a pixel at 256 pixels and more.)

At the borders everything stays float32: planes and flows, as the contract says, and states and
memories, which are sampled.
"""

from __future__ import annotations

from collections.abc import Iterable

import networkx
import numpy as np
import onnx
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

_PRODUCTS = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul"})
FEW, MANY = 16, 16_384
"""Channels, and numbers in its weight, from which on a convolution runs in float16 whatever lies
beside it. cuDNN has no plans for some of fewer channels in float16."""
_CAST = 10_000
"""What a Cast costs; a small convolution in float32 costs 1."""
_Place = int | tuple[str, object]
"""In the network of operators: HALF, FULL, an operator, or a Cast."""
_ANY_TYPE = frozenset({"Shape", "Size"})
_FLOAT32 = frozenset(
    {"BatchNormalization", "Cast", "CumSum", "Einsum", "GridSample", "GroupNormalization"}
    | {"InstanceNormalization", "LayerNormalization", "Log", "LogSoftmax", "LpNormalization"}
    | {"Pow", "Range", "Reciprocal", "ReduceL1", "ReduceL2", "ReduceLogSumExp", "ReduceMean"}
    | {"ReduceProd", "ReduceSum", "ReduceSumSquare", "Softmax", "Softplus", "Sqrt", "TopK"}
)
"""Sums over many values, steep functions, sampling; and Cast, which says its type itself."""
_FIXED_INPUTS = {"Resize": (1, 2)}
"""Inputs that are float32 whatever the operator computes in."""
HALF, FULL = TensorProto.FLOAT16, TensorProto.FLOAT


def to_float16(model: ModelProto) -> ModelProto:
    """A new model with the same names and metadata, float16 where this module's text says so."""
    return _Halving(model).run()


class _Halving:
    """One conversion. Each float tensor exists in the type it is made in and, where somebody asks,
    in the other one through a Cast; weights exist in each type that somebody asks for. What is
    float32 keeps its name, as all at the graph's border is.
    """

    def __init__(self, model: ModelProto) -> None:
        inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True).graph
        values = (*inferred.input, *inferred.output, *inferred.value_info)
        types = {value.name: value.type.tensor_type.elem_type for value in values}
        types |= {tensor.name: tensor.data_type for tensor in inferred.initializer}
        self.floats = {name for name, type_ in types.items() if type_ == FULL}
        self.source = model
        self.weights = {tensor.name: tensor for tensor in model.graph.initializer}
        self.outputs = {value.name for value in model.graph.output}
        self.types = _Types(model.graph.node, self)
        self.made: set[tuple[str, int]] = set()
        self.nodes: list[NodeProto] = []
        self.halved: dict[str, TensorProto] = {}

    def run(self) -> ModelProto:
        for number, node in enumerate(self.source.graph.node):
            self._convert(node, self.types.of[number])
        for name in sorted(self.outputs & self.floats):
            self._take(name, FULL)
        return self._assemble()

    def _convert(self, node: NodeProto, type_: int) -> None:
        new = NodeProto()
        new.CopyFrom(node)
        for index, name in enumerate(node.input):
            if name in self.floats:
                new.input[index] = self._take(name, self._wanted(node, index, type_))
        for index, name in enumerate(node.output):
            if name in self.floats:
                self.made.add((name, type_))
                new.output[index] = _name(name, type_)
        self.nodes.append(new)

    def _wanted(self, node: NodeProto, index: int, type_: int) -> int:
        if node.op_type in _ANY_TYPE:
            return self.types.native(node.input[index])
        return FULL if index in _FIXED_INPUTS.get(node.op_type, ()) else type_

    def _take(self, name: str, type_: int) -> str:
        """What `name` is called as `type_`, through a new Cast if it does not exist so yet."""
        called = _name(name, type_)
        if name in self.weights:
            if type_ == HALF:
                self.halved[called] = _half(self.weights[name], called)
        elif type_ != self.types.native(name) and (name, type_) not in self.made:
            self.made.add((name, type_))
            native = _name(name, self.types.native(name))
            self.nodes.append(
                helper.make_node("Cast", [native], [called], name=f"{called}.cast", to=type_)
            )
        return called

    def _assemble(self) -> ModelProto:
        model = ModelProto()
        model.CopyFrom(self.source)
        graph = model.graph
        del graph.node[:], graph.initializer[:], graph.value_info[:]
        graph.node.extend(self.nodes)
        used = {name for node in self.nodes for name in node.input}
        weights = {**self.weights, **self.halved}
        graph.initializer.extend(tensor for name, tensor in weights.items() if name in used)
        return model


class _Types:
    """What each operator computes in: `of`, by its number.

    A cut through a network of operators, between those that run in float32 and those that run in
    float16: an edge costs something where it leads from the first to the second. Of the cheapest
    cuts it is the one with the fewest in float16.
    """

    def __init__(self, nodes: Iterable[NodeProto], graph: _Halving) -> None:
        self._network = networkx.DiGraph()
        self._network.add_nodes_from((FULL, HALF))
        self._makers: dict[str, int] = {}
        takers: dict[str, list[int]] = {}
        for number, node in enumerate(nodes):
            fixed = _FIXED_INPUTS.get(node.op_type, ())
            taken = [
                name
                for index, name in enumerate(node.input)
                if name in graph.floats - graph.weights.keys() and index not in fixed
            ]
            given = [name for name in node.output if name in graph.floats]
            self._makers |= dict.fromkeys(given, number)
            if node.op_type not in _ANY_TYPE:
                for name in taken:
                    takers.setdefault(name, []).append(number)
            if node.op_type in _PRODUCTS:
                weight = graph.weights.get(node.input[1])
                costs = {"capacity": 1} if _is_small(node, weight) else {}
                self._network.add_edge(_operator(number), HALF, **costs)
            elif node.op_type in _FLOAT32 or not taken or not given:
                self._network.add_edge(FULL, _operator(number))
        for name in sorted({*takers, *self._makers}):
            takes = [_operator(number) for number in takers.get(name, [])]
            self._add(name, takes + [FULL] * (name in graph.outputs))
        # Of the second part networkx gives the smallest.
        _, (_, halves) = networkx.minimum_cut(self._network, FULL, HALF)
        count = len(list(nodes))
        self.of = [HALF if _operator(number) in halves else FULL for number in range(count)]

    def _add(self, name: str, takers: list[_Place]) -> None:
        """What a Cast of a tensor costs; one is enough for all who take it in the other type."""
        maker = _operator(self._makers[name]) if name in self._makers else FULL
        down, up = (name, "down"), (name, "up")
        self._network.add_edge(up, maker, capacity=_CAST)
        self._network.add_edge(maker, down, capacity=_CAST)
        for taker in takers:
            self._network.add_edge(taker, up)
            self._network.add_edge(down, taker)

    def native(self, name: str) -> int:
        """What a tensor is made in."""
        return self.of[self._makers[name]] if name in self._makers else FULL


def _operator(number: int) -> _Place:
    return ("operator", number)


def _is_small(node: NodeProto, weight: TensorProto | None) -> bool:
    """Whether a product is a convolution of few channels, or of one pixel and few numbers."""
    if node.op_type != "Conv":
        return False
    if weight is None:
        return True
    groups = next((a.i for a in node.attribute if a.name == "group"), 1)
    outputs, inputs, *sides = weight.dims
    one_pixel = max(sides, default=1) == 1
    return min(outputs, inputs * groups) < FEW or (one_pixel and np.prod(weight.dims) < MANY)


def _name(name: str, type_: int) -> str:
    return name if type_ == FULL else f"{name}.float16"


def _half(tensor: TensorProto, name: str) -> TensorProto:
    values = numpy_helper.to_array(tensor)
    return numpy_helper.from_array(np.asarray(values, dtype=np.float16), name)
