"""How many operators a step is, after onnxruntime's own optimisation, and which are the CPU's.

Counted without a device: the CPU provider optimises the graph as far as every provider does, for
one working size, as on CUDA (`vidcolor.inference.sized`). On CUDA some operators more are fused.
The CPU lacks most operators in float16, and has them with Casts around each, among which the
graph's own are lost. So of a graph in float16 its twin in float32 is counted, and its own Casts.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from itertools import chain
from pathlib import Path

import onnx
import onnxruntime
from onnx import ModelProto, TensorProto

from vidcolor.inference import contract, providers

_HOST = frozenset({"ConstantOfShape", "NonZero", "Range", "Shape", "Size"})
"""Operators that compute sizes, or have them in the host's memory."""
_HALVES = {TensorProto.FLOAT, TensorProto.FLOAT16}


def count(bundle: Path, precision: str, *, height: int, width: int, keys: int) -> Counter[str]:
    """The operators of a step by type, those of its features included; see `optimised`."""
    exact = "float32" if precision == "float16" else precision
    counts = Counter[str]()
    for name, path in contract.graph_paths(bundle, exact).items():
        if name != "remember":
            model = optimised(path, exact, height=height, width=width, keys=keys)
            counts.update(node.op_type for node in model.graph.node)
    if precision == "float16":
        counts["Cast"] += _casts(onnx.load(contract.graph_path(bundle, "propagate", precision)))
    return counts


def _casts(model: ModelProto) -> int:
    """Its Casts from float32 to float16 and back."""
    graph = onnx.shape_inference.infer_shapes(model).graph
    values = (*graph.input, *graph.value_info)
    types = {value.name: value.type.tensor_type.elem_type for value in values}
    return sum(
        node.op_type == "Cast" and {types.get(node.input[0]), node.attribute[0].i} == _HALVES
        for node in graph.node
    )


def optimised(path: Path, precision: str, *, height: int, width: int, keys: int) -> ModelProto:
    """A graph for one size, as onnxruntime runs it.

    Args:
        path: Of a graph that is run for each frame.
        precision: In 8 bits with all that the CPU has; in others with what every provider has.
        height: Of the padded planes, in pixels.
        width: Of these.
        keys: How many are remembered.
    """
    options = providers.session_options(onnxruntime, 1)
    level = onnxruntime.GraphOptimizationLevel
    on_cpu = precision == contract.INT8
    options.graph_optimization_level = level.ORT_ENABLE_ALL if on_cpu else level.ORT_ENABLE_BASIC
    for axis, size in _sizes(onnx.load(path), height=height, width=width, keys=keys).items():
        options.add_free_dimension_override_by_name(axis, size)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "optimised.onnx"
        options.optimized_model_filepath = str(file)
        onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        return onnx.load(file)


def on_host(model: ModelProto) -> list[str]:
    """Operators that a device would leave to the CPU: those of sizes, and of whole numbers."""
    whole = {
        tensor.name
        for tensor in model.graph.initializer
        if tensor.data_type in (TensorProto.INT32, TensorProto.INT64)
    }
    found = []
    for node in model.graph.node:
        arithmetic = node.op_type in {"Add", "Div", "Mod", "Mul", "Sub"}
        if node.op_type in _HOST or (arithmetic and set(node.input) & whole):
            found.append(f"{node.name} ({node.op_type})")
    return found


def _sizes(model: ModelProto, *, height: int, width: int, keys: int) -> dict[str, int]:
    """How long the graph's symbolic axes are, by name, such as ``8*rows``."""
    axes = {
        value.name: [axis.dim_param for axis in value.type.tensor_type.shape.dim]
        for value in model.graph.input
    }
    units = {}
    for axis, size in zip(axes[contract.LUMA][2:], (height, width), strict=True):
        factor, _, unit = axis.rpartition("*")
        units[unit] = size // int(factor or 1)
    units |= {own[0]: keys for name, own in axes.items() if name.startswith(contract.MEMORY)}
    sizes = {}
    for axis in filter(None, chain.from_iterable(axes.values())):
        factor, _, unit = axis.rpartition("*")
        if unit in units:  # those of features have names of their own
            sizes[axis] = int(factor or 1) * units[unit]
    return sizes
