"""Tiny image colorizers of every kind that the runtime knows, and of some it refuses."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from vidcolor.inference import contract

OPSET, IR = 18, 10
METADATA = contract.Metadata(
    name="toy",
    size_multiple=8,
    color_space="YCbCr",
    licence="MIT",
    training_data="none",
    metrics="none",
)

PLANES = ((0.2,), (-0.3,))
"""Cb = 0.2 luma, Cr = -0.3 luma."""
AB = ((40.0, 0.0, 0.0), (0.0, -30.0, 0.0))
"""a = 40 R', b = -30 G'."""
RGB = ((1.0, 0.0, 0.0), (0.0, 0.5, 0.0), (0.0, 0.0, 0.25))
"""G' halved, B' quartered."""

Side = int | str


def write_colorizer(
    path: Path,
    weights: Sequence[Sequence[float]],
    *,
    size: tuple[Side, Side] = ("h", "w"),
    batch: Side = 1,
    block: int = 1,
    kind: int = TensorProto.FLOAT,
    metadata: contract.Metadata | None = None,
) -> Path:
    """A graph that multiplies each pixel's channels with a matrix [out, in].

    block: it fails for heights and widths that are no multiples of it. metadata: makes it one of
    ours.
    """
    dtype = helper.tensor_dtype_to_np_dtype(kind)
    matrix = np.array(weights, dtype)[:, :, None, None]
    names = ("luma", "chroma") if metadata else ("input", "output")
    nodes = [
        helper.make_node("SpaceToDepth", [names[0]], ["deep"], blocksize=block),
        helper.make_node("DepthToSpace", ["deep"], ["flat"], blocksize=block),
        helper.make_node("Conv", ["flat", "matrix"], [names[1]]),
    ]
    values = [
        [helper.make_tensor_value_info(name, kind, [batch, channels, *size])]
        for name, channels in zip(names, matrix.shape[1::-1], strict=True)
    ]
    graph = helper.make_graph(nodes, "toy", *values, [numpy_helper.from_array(matrix, "matrix")])
    return _save(path, graph, metadata)


def write_two_inputs(path: Path) -> Path:
    """A graph that adds two planes: no colorizer."""
    planes = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, "h", "w"])
        for name in ("one", "other", "sum")
    ]
    node = helper.make_node("Add", ["one", "other"], ["sum"])
    return _save(path, helper.make_graph([node], "toy", planes[:2], planes[2:]), None)


def write_doubles(path: Path) -> Path:
    """A graph that returns an image as it is, in float64: shaped as a colorizer, but none."""
    image, same = (
        helper.make_tensor_value_info(name, TensorProto.DOUBLE, [1, 3, "h", "w"])
        for name in ("image", "same")
    )
    node = helper.make_node("Identity", ["image"], ["same"])
    return _save(path, helper.make_graph([node], "toy", [image], [same]), None)


def write_classifier(path: Path) -> Path:
    """A graph from an image to a row of numbers: no colorizer either."""
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 8, 8])
    classes = helper.make_tensor_value_info("classes", TensorProto.FLOAT, [1, 192])
    node = helper.make_node("Flatten", ["image"], ["classes"])
    return _save(path, helper.make_graph([node], "toy", [image], [classes]), None)


def _save(path: Path, graph: onnx.GraphProto, metadata: contract.Metadata | None) -> Path:
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR, producer_name="toy"
    )
    if metadata is not None:
        helper.set_model_props(model, metadata.to_properties())
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString(deterministic=True))
    return path
