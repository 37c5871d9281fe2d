"""Graphs that nobody should trust: the toy bundle, spoiled."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from vidcolor.inference import contract

Spoil = Callable[[onnx.ModelProto], None]


def spoiled(bundle: Path, folder: Path, spoil: Spoil, *, graphs: tuple[str, ...]) -> Path:
    """A copy of a bundle in `folder` with some of its float32 graphs spoiled."""
    copy = Path(shutil.copytree(bundle, folder / "spoiled"))
    for graph in graphs:
        path = contract.graph_path(copy, graph, "float32")
        model = onnx.load(path)
        spoil(model)
        onnx.save(model, path)
    return copy


def set_constant(name: str, value: float) -> Spoil:
    """Another value of one of the toy's constants."""

    def spoil(model: onnx.ModelProto) -> None:
        constant = next(c for c in model.graph.initializer if c.name == name)
        old = numpy_helper.to_array(constant)
        constant.CopyFrom(numpy_helper.from_array(np.full_like(old, value), name))

    return spoil


def add_to(output: str, value: float) -> Spoil:
    """Add a number to every value of an output."""

    def spoil(model: onnx.ModelProto) -> None:
        for node in model.graph.node:
            node.output[:] = ["honest" if name == output else name for name in node.output]
            node.input[:] = ["honest" if name == output else name for name in node.input]
        constant = numpy_helper.from_array(np.array(value, np.float32), "added")
        model.graph.initializer.append(constant)
        model.graph.node.append(helper.make_node("Add", ["honest", "added"], [output]))

    return spoil


def loop_for_ever(model: onnx.ModelProto) -> None:
    """The first output, chroma of the graph that colours, waits for a loop without an end."""
    values = [
        helper.make_tensor_value_info(name, kind, [])
        for name, kind in (
            ("i", TensorProto.INT64),
            ("on", TensorProto.BOOL),
            ("x", TensorProto.FLOAT),
            ("still_on", TensorProto.BOOL),
            ("y", TensorProto.FLOAT),
        )
    ]
    nodes = [
        helper.make_node("Identity", ["on"], ["still_on"]),
        helper.make_node("Neg", ["x"], ["y"]),
    ]
    body = helper.make_graph(nodes, "body", values[:3], values[3:])
    add_to(model.graph.output[0].name, 0.0)(model)
    del model.graph.initializer[-1]
    model.graph.initializer.extend([
        numpy_helper.from_array(np.array(2**62, np.int64), "rounds"),
        numpy_helper.from_array(np.array(True), "yes"),
        numpy_helper.from_array(np.array(0, np.float32), "nought"),
    ])  # fmt: skip
    loop = helper.make_node("Loop", ["rounds", "yes", "nought"], ["added"], body=body)
    model.graph.node.insert(0, loop)
    model.opset_import[0].version = max(16, model.opset_import[0].version)
