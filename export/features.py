"""What a propagate graph computes of luma alone, as a graph of its own: `features`.

It is not part of the recurrence, so other cores can compute it for the frames to come, beside
optical flow (`vidcolor.motion.preparer`). A finished graph is cut: both parts together have the
operators of the whole, and give the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterable

import onnx
from onnx import GraphProto, ModelProto, NodeProto, helper
from onnx.utils import Extractor

from vidcolor.inference import contract

_REARRANGE = frozenset({
    "DequantizeLinear", "Expand", "Gather", "Reshape", "Slice", "Split", "Squeeze", "Transpose",
    "Unsqueeze",
})  # fmt: skip
"""Operators that compute nothing: what they are given crosses the cut instead. Numbers in 8 bits
cross it as such."""


def split(model: ModelProto) -> dict[str, ModelProto]:
    """Cut a propagate graph in two.

    Args:
        model: The graph, as `vidcolor.inference.contract` has it.

    Returns:
        The features graph, luma -> features.*, and the propagate graph that takes features.*, by
        name. Only the graph itself, if it computes nothing of luma alone.
    """
    inferred = onnx.shape_inference.infer_shapes(model)
    inputs, outputs = (
        [value.name for value in values] for values in (model.graph.input, model.graph.output)
    )
    borders = _borders(model.graph.node, inputs, outputs)
    if not borders:
        return {"propagate": model}
    names = {border: f"{contract.FEATURES}{place}" for place, border in enumerate(borders)}
    _rename(inferred.graph, names)
    extract = Extractor(inferred).extract_model
    parts = {
        contract.OF_LUMA: extract([contract.LUMA], [*names.values()]),
        "propagate": extract([*inputs, *names.values()], outputs),
    }
    for part in parts.values():
        del part.graph.value_info[:]
        part.metadata_props.extend(model.metadata_props)
    return parts


def _borders(nodes: Iterable[NodeProto], inputs: list[str], outputs: list[str]) -> list[str]:
    """The tensors of luma alone that are outputs, or that operators on anything else take.

    nodes: Each comes after those that it depends on.
    """
    of_luma, of_more = set[str](), set(inputs) - {contract.LUMA}
    sources: dict[str, str] = {}
    taken: list[str] = []
    for node in nodes:
        if node.op_type == "Shape" and node.input[0] == contract.LUMA:
            continue  # sizes are in both parts
        if of_more.intersection(node.input):
            of_more.update(node.output)
            taken += (sources.get(name, name) for name in node.input if name in of_luma)
        elif of_luma.union([contract.LUMA]).intersection(node.input):
            of_luma.update(node.output)
            if node.op_type in _REARRANGE:
                source = sources.get(node.input[0], node.input[0])
                sources |= dict.fromkeys(node.output, source)
    taken += (name for name in outputs if name in of_luma)
    return [name for name in dict.fromkeys(taken) if name != contract.LUMA]


def _rename(graph: GraphProto, names: dict[str, str]) -> None:
    """Give tensors other names; outputs of the graph have their own besides."""
    for node in graph.node:
        for side in (node.input, node.output):
            side[:] = [names.get(name, name) for name in side]
    infos = {value.name: value for value in (*graph.value_info, *graph.output)}
    for old, new in names.items():
        graph.value_info.add().CopyFrom(infos[old])
        graph.value_info[-1].name = new
    for value in graph.output:
        if value.name in names:
            graph.node.append(helper.make_node("Identity", [names[value.name]], [value.name]))
