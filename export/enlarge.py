"""The graph `enlarge`: `WorkingSize.upsample` and the conversions around it, for a device.

It has no weights, so it is no part of a bundle, but ships with the runtime, once for each type of
luma:

    python -m export.enlarge

Sizes, subsampling and siting come as inputs, the matrices of `vidcolor.enlarge_geometry`. So all
sizes are open, and yet no operator computes one: enlarging, shrinking and means are products of
matrices, and luma at the places of chroma is gathered.
"""

from __future__ import annotations

from pathlib import Path

import onnx
from onnx import ModelProto

from export.graphs import OPSET
from vidcolor.guided import NOISE
from vidcolor.inference.enlarge import LUMA_TYPES, graph_path

_IR = 10
_PLAIN = "float32"
"""The type whose codes are the planes themselves: its graph gives no other codes."""

_ELEMENTS = {"uint8": "uint8", "uint16": "uint16", "float32": "float"}
"""ONNX's names of the types."""

_PLANES = f"""
<ir_version: {_IR}, opset_import: ["" : {OPSET}], producer_name: "vidcolor">
enlarge (
    TYPE[height, width] luma,
    float[2, small_height, small_width] chroma,
    float[small_height, small_width] small,
    float[5] scale,
    float[base_height, small_height] base_rows,
    float[small_width, base_width] base_columns,
    float[base_height, base_height] mean_rows,
    float[base_width, base_width] mean_columns,
    float[full_height, base_height] full_rows,
    float[base_width, full_width] full_columns,
    int64[full_height, row_taps] luma_rows,
    float[1, row_taps] row_weights,
    int64[full_width, column_taps] luma_columns,
    float[column_taps, 1] column_weights
) => (OUTPUTS)
<
    int64[1] first = {{0}}, int64[1] second = {{1}}, int64[1] third = {{2}},
    int64[2] luma_and_chroma = {{1, 2}},
    float zero = {{0}}, float one = {{1}}, float least = {{-0.5}}, float most = {{0.5}},
    float noise = {{{NOISE**2!r}}}
>
{{
    luma_zero, luma_span, chroma_zero, chroma_span, top = Split <axis = 0, num_outputs = 5> (scale)

    counts = Cast <to = 1> (luma)
    above = Sub (counts, luma_zero)
    bright = Div (above, luma_span)
    decoded = Clip (bright, zero, one)
    row_samples = Gather <axis = 0> (decoded, luma_rows)
    row_means = MatMul (row_weights, row_samples)
    rows = Squeeze (row_means, second)
    samples = Gather <axis = 1> (rows, luma_columns)
    means = MatMul (samples, column_weights)
    guide = Squeeze (means, third)

    small_plane = Unsqueeze (small, first)
    working = Concat <axis = 0> (small_plane, chroma)
    base_of_rows = MatMul (base_rows, working)
    base = MatMul (base_of_rows, base_columns)
    base_luma, base_chroma = Split <axis = 0> (base, luma_and_chroma)

    products = Mul (base_luma, base)
    moments = Concat <axis = 0> (base, products)
    moments_of_rows = MatMul (mean_rows, moments)
    mean_moments = MatMul (moments_of_rows, mean_columns)
    mean_planes, mean_products = Split <axis = 0, num_outputs = 2> (mean_moments)
    mean_luma, mean_chroma = Split <axis = 0> (mean_planes, luma_and_chroma)
    products_of_means = Mul (mean_luma, mean_planes)
    covariances = Sub (mean_products, products_of_means)
    variance, covariance = Split <axis = 0> (covariances, luma_and_chroma)
    steadied = Add (variance, noise)
    steep = Div (covariance, steadied)
    steep_of_rows = MatMul (mean_rows, steep)
    slope = MatMul (steep_of_rows, mean_columns)
    explained = Mul (slope, base_luma)
    residual = Sub (base_chroma, explained)

    layers = Concat <axis = 0> (slope, residual)
    layers_of_rows = MatMul (full_rows, layers)
    full_layers = MatMul (layers_of_rows, full_columns)
    full_slope, full_residual = Split <axis = 0, num_outputs = 2> (full_layers)
    guided = Mul (full_slope, guide)
    colored = Add (guided, full_residual)
    full = Clip (colored, least, most)
CODES}}
"""
_CODES = """
    spread = Mul (full, chroma_span)
    halves = Add (spread, chroma_zero)
    positive = Max (halves, zero)
    bounded = Min (positive, top)
    codes = Cast <to = NUMBER> (bounded)
"""
_FULL = "float[2, full_height, full_width] full"


def make_enlarge(luma: str) -> ModelProto:
    """The graph for luma of a type, checked.

    Args:
        luma: One of `vidcolor.inference.enlarge.LUMA_TYPES`. Where it is an integer, the chroma's
            codes, of the same type, are an output, too.
    """
    element = _ELEMENTS[luma]
    outputs, codes = _FULL, ""
    if luma != _PLAIN:
        outputs = f"{_FULL}, {element}[2, full_height, full_width] codes"
        codes = _CODES.replace("NUMBER", str(onnx.TensorProto.DataType.Value(element.upper())))
    text = _PLANES.replace("TYPE", element).replace("OUTPUTS", outputs).replace("CODES", codes)
    graph: ModelProto = onnx.parser.parse_model(text)
    onnx.checker.check_model(graph, full_check=True)
    return graph


def write_enlarge(folder: Path) -> None:
    """Write the graphs of all types into a folder."""
    for luma in LUMA_TYPES:
        path = folder / graph_path(luma).name
        path.write_bytes(make_enlarge(luma).SerializeToString(deterministic=True))


if __name__ == "__main__":
    write_enlarge(graph_path(LUMA_TYPES[0]).parent)
