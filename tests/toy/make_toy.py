"""Builds the two toy bundles beside this file: `python -m tests.toy.make_toy`.

They let runtime, front end and plugin be tested without weights and without torch.

``bundle``  chroma = 0.9 previous chroma + 0.08 mean key chroma + 0.05 (luma - previous luma),
            confidence = 0.99 previous confidence: every frame since the key leaves its mark, so a
            frame stepped out of order, twice, or from another state comes out different.
``flow``    chroma = previous chroma + flow.previous / 100, confidence = 0.5 + mean x of flow.key
            and flow.track / 100: what the runtime gave as flow can be read off the output.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, ValueInfoProto, helper, numpy_helper

from vidcolor.inference import contract

HERE = Path(__file__).parent
ELEMENT = {"float32": onnx.TensorProto.FLOAT, "float16": onnx.TensorProto.FLOAT16}
OPSET, IR = 18, 10


def write_all(folder: Path = HERE) -> None:
    """Write both bundles, in both precisions, into `folder`."""
    for name, propagate in (("bundle", _propagate), ("flow", _propagate_flow)):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for precision in contract.PRECISIONS:
            for graph, model in (
                ("remember", _remember(name, precision)),
                ("propagate", propagate(name, precision)),
            ):
                path = contract.graph_path(folder / name, graph, precision)
                path.write_bytes(model.SerializeToString(deterministic=True))


def _remember(name: str, precision: str) -> ModelProto:
    """The state after the key is the key itself, and so is the memory."""
    nodes = [
        *(
            _cast(contract.KEY_CHROMA, out, precision)
            for out in (contract.MEMORY + "chroma", contract.NEXT + "chroma")
        ),
        _cast(contract.KEY_LUMA, contract.NEXT + "luma", precision),
        _node("Mul", [contract.KEY_LUMA, "zero"], "nothing"),
        _node("Add", ["nothing", "one"], "sure"),
        _cast("sure", contract.NEXT + "confidence", precision),
    ]
    return _model(
        name,
        nodes,
        [_plane(contract.KEY_LUMA, 1), _plane(contract.KEY_CHROMA, 2)],
        [_plane(contract.MEMORY + "chroma", 2, precision), *_state(contract.NEXT, precision)],
        {"zero": 0.0, "one": 1.0},
    )


def _propagate(name: str, precision: str) -> ModelProto:
    nodes = [
        *_as_float32(),
        _node("ReduceMean", ["memory", "first"], "key"),
        _node("Mul", ["previous", "keep"], "kept"),
        _node("Mul", ["key", "pull"], "pulled"),
        _node("Sub", [contract.LUMA, "before"], "change"),
        _node("Mul", ["change", "react"], "reaction"),
        _node("Sum", ["kept", "pulled", "reaction"], "mixed"),
        _node("Clip", ["mixed", "low", "high"], contract.CHROMA),
        _node("Mul", ["trust", "fade"], contract.CONFIDENCE),
        *_remembered(precision),
    ]
    constants = {"keep": 0.9, "pull": 0.08, "react": 0.05, "fade": 0.99, "low": -0.5, "high": 0.5}
    return _model(name, nodes, _inputs(precision), _outputs(precision), constants)


def _propagate_flow(name: str, precision: str) -> ModelProto:
    nodes = [
        _cast(contract.STATE + "chroma", "previous", "float32"),
        _node("Mul", [contract.FLOW_PREVIOUS, "scale"], "motion"),
        _node("Add", ["previous", "motion"], "moved"),
        _node("Clip", ["moved", "low", "high"], contract.CHROMA),
        _node("Gather", [contract.FLOW_KEY, "x"], "key_x", axis=1),
        _node("Gather", [contract.FLOW_TRACK, "x"], "track_x", axis=1),
        _node("Add", ["key_x", "track_x"], "both_x"),
        _node("ReduceMean", ["both_x", "first"], "both_motion"),
        _node("Mul", ["both_motion", "half_scale"], "both_scaled"),
        _node("Add", ["both_scaled", "high"], contract.CONFIDENCE),
        *_remembered(precision),
    ]
    to_keys = [_plane(name, 2, count="keys") for name in (contract.FLOW_KEY, contract.FLOW_TRACK)]
    flows = [_plane(contract.FLOW_PREVIOUS, 2), *to_keys]
    constants = {"scale": 0.01, "half_scale": 0.005, "low": -0.5, "high": 0.5}
    return _model(name, nodes, _inputs(precision) + flows, _outputs(precision), constants)


def _as_float32() -> list[NodeProto]:
    """State and memory in float32, whatever the precision they are kept in."""
    names = {
        contract.STATE + "chroma": "previous",
        contract.STATE + "luma": "before",
        contract.STATE + "confidence": "trust",
        contract.MEMORY + "chroma": "memory",
    }
    return [_cast(name, inner, "float32") for name, inner in names.items()]


def _remembered(precision: str) -> list[NodeProto]:
    """The state for the next frame: what came out of this one, and its luma."""
    return [
        _cast(contract.CHROMA, contract.NEXT + "chroma", precision),
        _cast(contract.LUMA, contract.NEXT + "luma", precision),
        _cast(contract.CONFIDENCE, contract.NEXT + "confidence", precision),
    ]


def _inputs(precision: str) -> list[ValueInfoProto]:
    memory = _plane(contract.MEMORY + "chroma", 2, precision, count="keys")
    return [_plane(contract.LUMA, 1), *_state(contract.STATE, precision), memory]


def _outputs(precision: str) -> list[ValueInfoProto]:
    outputs = [_plane(contract.CHROMA, 2), _plane(contract.CONFIDENCE, 1)]
    return outputs + _state(contract.NEXT, precision)


def _state(prefix: str, precision: str) -> list[ValueInfoProto]:
    channels = {"chroma": 2, "luma": 1, "confidence": 1}
    return [_plane(prefix + name, count, precision) for name, count in channels.items()]


def _plane(
    name: str, channels: int, precision: str = "float32", *, count: int | str = 1
) -> ValueInfoProto:
    return helper.make_tensor_value_info(name, ELEMENT[precision], [count, channels, "h", "w"])


def _node(kind: str, inputs: list[str], output: str, **attributes: int) -> NodeProto:
    return helper.make_node(kind, inputs, [output], **attributes)


def _cast(name: str, output: str, precision: str) -> NodeProto:
    return helper.make_node("Cast", [name], [output], to=ELEMENT[precision])


def _model(
    name: str,
    nodes: list[NodeProto],
    inputs: list[ValueInfoProto],
    outputs: list[ValueInfoProto],
    constants: dict[str, float],
) -> ModelProto:
    arrays = {key: np.float32(value) for key, value in constants.items()}
    arrays |= {"first": np.array([0], np.int64), "x": np.array([0], np.int64)}
    used = {word for node in nodes for word in node.input}
    initializers = [numpy_helper.from_array(a, k) for k, a in arrays.items() if k in used]
    graph = helper.make_graph(nodes, f"toy {name}", inputs, outputs, initializers)
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR, producer_name="toy"
    )
    metadata = contract.Metadata(
        name=f"toy-{name}",
        size_multiple=8,
        color_space="YCbCr",
        licence="MIT",
        training_data="none",
        metrics="none",
    )
    helper.set_model_props(model, metadata.to_properties())
    onnx.checker.check_model(model, full_check=True)
    return model


if __name__ == "__main__":
    write_all()
