"""Where the graph's time goes, and how far that is from what the machine could do.

onnxruntime's own profiler times every operator. Beside each stands its floor: its operations at the
rate of a large matrix product, or its bytes at the rate of a copy, whichever takes longer; both are
measured here, by onnxruntime, on one thread. A copy of that size comes from the cache, as most of a
graph's planes do.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnxruntime
from onnx import TensorProto, helper

from benchmarks.machine import Model
from benchmarks.speed import Small
from vidcolor.inference import contract, providers
from vidcolor.inference.bundle import find_bundle
from vidcolor.inference.known_providers import provider_list

RUNS = 12
"""Frames that are profiled; an operator's quickest counts."""
WARM = 3
"""Frames before them."""

_WIDTH = {"float": 4, "float16": 2, "int64": 8, "int32": 4, "bool": 1, "double": 8, "uint8": 1}
_PRODUCTS = {"Conv", "FusedConv", "MatMul", "FusedMatMul", "Gemm", "FusedGemm", "ConvTranspose"}


class Peak(NamedTuple):
    """What the machine can do."""

    flops: float
    """Floating point operations a second, in a product of large matrices."""
    bytes: float
    """Bytes read and written a second, from one plane of 4 MiB to another."""


class Node(NamedTuple):
    """One operator of the graph, as onnxruntime runs it."""

    name: str
    operator: str
    alone: float
    """Microseconds on one thread, in the quickest frame."""
    together: float
    """Microseconds on all threads, in the quickest frame."""
    flops: float
    bytes: float
    scale: str
    """Which share of the working size its output has: 1/1, 1/2, 1/4..., or 'other'."""

    def floor(self, peak: Peak) -> float:
        """Microseconds that it would take one thread at the machine's peak."""
        return 1e6 * max(self.flops / peak.flops, self.bytes / peak.bytes)


def report(model: Model, *, size: int) -> str:
    """Tables by operator, by scale, and of the costliest nodes."""
    peak = measure_peak(model)
    nodes = profile(model, size=size)
    alone, together = (sum(times) / 1e3 for times in zip(*(n[2:4] for n in nodes), strict=True))
    lines = [
        f"{model.path} on {model.place}, short side {size}: {len(nodes)} operators, "
        f"{alone:.1f} ms a frame on one thread, {together:.1f} on all; "
        f"floor of one thread {sum(n.floor(peak) for n in nodes) / 1e3:.1f} ms: "
        f"{sum(n.flops for n in nodes) / 1e9:.2f} Gflop at {peak.flops / 1e9:.0f} Gflop/s, "
        f"{sum(n.bytes for n in nodes) / 2**20:.0f} MiB at {peak.bytes / 2**30:.0f} GiB/s",
    ]
    for title, key in (("operator", _operator), ("scale", _scale), ("node", _name)):
        lines += ["", _table(title, nodes, key, peak)]
    return "\n".join(lines) + "\n"


def profile(model: Model, *, size: int) -> list[Node]:
    """The nodes of the graphs that are run for each frame, on frames of working size."""
    frames = Small(model, size, WARM + RUNS)
    paths = contract.graph_paths(find_bundle(model.path), model.precision)
    replays = {contract.OF_LUMA: frames.replay_features, "propagate": frames.replay}
    nodes = []
    for name in paths.keys() & replays.keys():
        alone, together = (
            _events(model, paths[name], replays[name], threads) for threads in (1, None)
        )
        nodes += [_node(n, alone[n], together[n], size) for n in alone if n in together]
    return nodes


def _events(
    model: Model,
    path: Path,
    replay: Callable[[onnxruntime.InferenceSession], None],
    threads: int | None,
) -> dict[str, list[dict[str, Any]]]:
    """What the profiler says of each node of a graph, frame by frame."""
    with tempfile.TemporaryDirectory() as folder:
        options = providers.session_options(onnxruntime, threads)
        options.enable_profiling = True
        options.profile_file_prefix = str(Path(folder) / "profile")
        graph = onnxruntime.InferenceSession(
            path, options, providers=provider_list(model.provider, 0)
        )
        replay(graph)
        events = json.loads(Path(graph.end_profiling()).read_text())
    nodes: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for event in events:
        if event["name"].endswith("_kernel_time"):
            nodes[event["name"].removesuffix("_kernel_time")].append(event)
    return nodes


def _node(
    name: str, alone: list[dict[str, Any]], together: list[dict[str, Any]], size: int
) -> Node:
    told = alone[-1]["args"]
    inputs, outputs = (_tensors(told.get(f"{side}_type_shape", [])) for side in ("input", "output"))
    alone_us, together_us = (
        min(event["dur"] for event in events[WARM:]) for events in (alone, together)
    )
    return Node(
        name,
        told["op_name"],
        alone_us,
        together_us,
        flops=_flops(told["op_name"], inputs, outputs),
        bytes=sum(_WIDTH.get(kind, 4) * prod(shape) for kind, shape in (*inputs, *outputs)),
        scale=_share(outputs, size),
    )


def _tensors(told: list[dict[str, list[int]]]) -> list[tuple[str, list[int]]]:
    return [(kind, shape) for tensor in told for kind, shape in tensor.items()]


def _flops(
    operator: str, inputs: list[tuple[str, list[int]]], outputs: list[tuple[str, list[int]]]
) -> float:
    """Two for each multiplication and addition; for all else one an output value."""
    made = prod(outputs[0][1]) if outputs else 0
    if operator not in _PRODUCTS or len(inputs) < 2:
        return made
    weights = inputs[1][1]
    if "MatMul" in operator or "Gemm" in operator:
        # [.., m, k] by [.., k, n], either of them transposed perhaps.
        inner: float = (prod(inputs[0][1]) * prod(weights) / made / prod(weights[:-2])) ** 0.5
        return 2.0 * made * inner
    # Each output value is a product with one filter: [out, in, height, width].
    return 2 * made * prod(weights[1:])


def _share(outputs: list[Any], size: int) -> str:
    """The output's place among the resolutions, by its height."""
    shape = outputs[0][1] if outputs else []
    share = round(size / shape[-2]) if len(shape) == 4 and shape[-2] else 0
    return f"1/{share}" if share in (1, 2, 4, 8, 16, 32) else "other"


def _operator(node: Node) -> str:
    return node.operator


def _scale(node: Node) -> str:
    return node.scale


def _name(node: Node) -> str:
    return f"{node.name} ({node.operator}, {node.scale})"


def _table(title: str, nodes: list[Node], key: Any, peak: Peak) -> str:
    groups: dict[str, list[Node]] = defaultdict(list)
    for node in nodes:
        groups[key(node)].append(node)
    ordered = sorted(groups.items(), key=lambda item: -sum(n.alone for n in item[1]))
    total = sum(node.alone for node in nodes)
    lines = [
        f"| {title} | count | ms, 1 thread | share | all threads | Gflop | MiB | floor | x floor |",
        "| :--- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, own in ordered[:_ROWS]:
        spent, least = sum(n.alone for n in own), sum(n.floor(peak) for n in own)
        lines.append(
            f"| {name} | {len(own)} | {spent / 1e3:.2f} | {spent / total:.0%} | "
            f"{sum(n.together for n in own) / 1e3:.2f} | "
            f"{sum(n.flops for n in own) / 1e9:.3f} | {sum(n.bytes for n in own) / 2**20:.1f} | "
            f"{least / 1e3:.2f} | {spent / max(least, 1):.1f} |"
        )
    return "\n".join(lines)


_ROWS = 24
"""The costliest of each kind that are shown."""


def measure_peak(model: Model) -> Peak:
    """By onnxruntime, on one thread."""
    side, plane = 1024, 2**20
    a = np.ones((side, side), np.float32)
    product = _fastest(model, "MatMul", [a, a])
    copied = _fastest(model, "Neg", [np.ones(plane, np.float32)])
    return Peak(flops=2 * side**3 / product, bytes=2 * 4 * plane / copied)


def _fastest(model: Model, operator: str, arrays: list[Any]) -> float:
    """Seconds of one operator."""
    names = [f"in{place}" for place in range(len(arrays))]
    given = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, array.shape)
        for name, array in zip(names, arrays, strict=True)
    ]
    out = helper.make_tensor_value_info("out", TensorProto.FLOAT, None)
    graph = helper.make_graph([helper.make_node(operator, names, ["out"])], operator, given, [out])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    session = onnxruntime.InferenceSession(
        made.SerializeToString(),
        providers.session_options(onnxruntime, 1),
        providers=provider_list(model.provider, 0),
    )
    binding = session.io_binding()
    device = "cuda" if model.provider == "cuda" else "cpu"
    for name, array in zip(names, arrays, strict=True):
        binding.bind_ortvalue_input(
            name, onnxruntime.OrtValue.ortvalue_from_numpy(array, device, 0)
        )
    binding.bind_output("out", device)
    times = []
    for _ in range(30):
        start = time.perf_counter()
        session.run_with_iobinding(binding)
        times.append(time.perf_counter() - start)
    return min(times)
