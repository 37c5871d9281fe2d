"""Damaged and hostile model bundles and image colorizers."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests.attack import checks
from tests.attack.case import INTERRUPTED, Case
from tests.attack.material import FRAMES, TOY, Material
from tests.attack.mutate import damage

_GRAPHS = ("propagate", "remember")
_BAD = (float("nan"), float("inf"), -float("inf"), -1.0, 2.0, 1e30)
_WORDS = (
    "", "²", "9" * 5000, "1000000000000", "0", "-8", "8.0", " 8 ", "nan", "x" * 100_000, "<b>",
    "7", "3", "4096", "1", "{" * 2000, "é\u202e", "\n\n",
)  # fmt: skip
LOOPS_FOR = 2.0
"""Seconds after which a graph that loops for ever is stopped as by Ctrl-C."""
_UNTIL = 25.0
"""Seconds that it may take to end then, on a busy machine."""

type Change = Callable[[random.Random, onnx.ModelProto], None]


def make(rng: random.Random, material: Material, folder: Path) -> Case:
    """A bundle one of whose graphs was changed, by bytes or by parts."""
    (folder / "clip.mkv").write_bytes(material.films["ffv1.mkv"])
    (folder / "key.png").write_bytes(material.pictures["8.png"])
    if rng.random() < 0.12:
        return _colorizer(rng, material, folder)
    files = material.bundles[rng.choice(("bundle", "bundle", "flow"))]
    model = folder / "model"
    model.mkdir()
    for name, data in files.items():
        (model / name).write_bytes(data)
    path = model / f"{rng.choice(_GRAPHS)}.float32.onnx"
    choice = rng.random()
    if choice < 0.004:
        return _loop(model)
    if choice < 0.1:
        return _poison(rng, model)
    if choice < 0.14:
        return _outside(rng, model, path)
    if choice < 0.5:
        return _bytes(rng, path, list(files.values()))
    changes = [rng.choice(_CHANGES) for _ in range(rng.choice((1, 1, 2)))]
    _edit(rng, path, *changes)
    return _color(", ".join(change.__name__.strip("_") for change in changes))


def _color(what: str, *, statuses: frozenset[int] = frozenset({0, 2})) -> Case:
    arguments = ["color", "clip.mkv", "--key", "key.png", "--any-key", "-o", "out.mkv"]
    arguments += ["--codec", "ffv1", "--size", "32", "--provider", "cpu", "--model", "model"]
    check = checks.film("out.mkv", "clip.mkv", exact=True, expected=FRAMES)
    return Case(arguments, "out.mkv", check, statuses=statuses, what=what)


def _edit(rng: random.Random, path: Path, *changes: Change) -> None:
    graph = onnx.load_from_string(path.read_bytes())
    for change in changes:
        change(rng, graph)
    path.write_bytes(graph.SerializeToString())


def _poison(rng: random.Random, model: Path) -> Case:
    """Chroma or confidence that are no numbers, or far out of range: refused where they occur."""
    value = rng.choice(_BAD)

    def spoil(rng: random.Random, graph: onnx.ModelProto) -> None:
        out = rng.choice(("chroma", "confidence"))
        for node in graph.graph.node:
            node.output[:] = [f"{out}.sound" if name == out else name for name in node.output]
        # Of -1 and 2, chroma may be within its range.
        bad = 1e30 if value in (-1, 2) and out == "chroma" else value
        graph.graph.initializer.append(numpy_helper.from_array(np.float32(bad), "spoil"))
        kind = "Add" if value != -1 else "Mul"
        graph.graph.node.append(helper.make_node(kind, [f"{out}.sound", "spoil"], [out]))

    _edit(rng, model / "propagate.float32.onnx", spoil)
    return _color(f"poison {value}", statuses=frozenset({2}))


def _outside(rng: random.Random, model: Path, path: Path) -> Case:
    """Weights in a file beside the graph, or somewhere else: refused."""
    place = rng.choice(
        ("weights.bin", "../secret", "/etc/hostname", "sub/../weights.bin", "nowhere")
    )
    (model / "weights.bin").write_bytes(np.full(64, 0.01, np.float32).tobytes())
    (model.parent / "secret").write_bytes(bytes(64))

    def move(rng: random.Random, graph: onnx.ModelProto) -> None:
        for tensor in graph.graph.initializer:
            if tensor.data_type == TensorProto.FLOAT:
                tensor.ClearField("raw_data")
                tensor.data_location = TensorProto.EXTERNAL
                for key, value in (("location", place), ("offset", "0"), ("length", "4")):
                    tensor.external_data.add(key=key, value=value)

    _edit(rng, path, move)
    has_floats = any(
        tensor.data_type == TensorProto.FLOAT
        for tensor in onnx.load_from_string(path.read_bytes()).graph.initializer
    )
    return _color(f"weights in {place}", statuses=frozenset({2 if has_floats else 0}))


def _loop(model: Path) -> Case:
    """A graph that never ends is ended by Ctrl-C."""

    def turn(rng: random.Random, graph: onnx.ModelProto) -> None:
        always = helper.make_tensor_value_info("go", TensorProto.BOOL, [])
        still = helper.make_tensor_value_info("still", TensorProto.BOOL, [])
        number = helper.make_tensor_value_info("number", TensorProto.INT64, [])
        plane = helper.make_tensor_value_info("plane", TensorProto.FLOAT, None)
        after = helper.make_tensor_value_info("after", TensorProto.FLOAT, None)
        body = helper.make_graph(
            [
                helper.make_node("Identity", ["go"], ["still"]),
                helper.make_node("Sin", ["plane"], ["after"]),
            ],
            "body",
            [number, always, plane],
            [still, after],
        )
        for node in graph.graph.node:
            node.output[:] = ["chroma.sound" if name == "chroma" else name for name in node.output]
        graph.graph.initializer.extend(
            (
                numpy_helper.from_array(np.array(2**62, np.int64), "turns"),
                numpy_helper.from_array(np.array(True), "yes"),
            )
        )
        graph.graph.node.append(
            helper.make_node("Loop", ["turns", "yes", "chroma.sound"], ["chroma"], body=body)
        )

    _edit(random.Random(0), model / "propagate.float32.onnx", turn)  # noqa: S311
    case = _color("a loop for ever", statuses=frozenset({INTERRUPTED}))
    case.interrupt_after, case.seconds = LOOPS_FOR, LOOPS_FOR + _UNTIL
    return case


def _bytes(rng: random.Random, path: Path, others: list[bytes]) -> Case:
    """A graph's file with other bytes, or no file at all."""
    data = path.read_bytes()
    path.unlink()
    choice = rng.random()
    if choice < 0.04:
        path.mkdir()
    elif choice < 0.08:
        path.symlink_to(path)
    elif choice < 0.11:
        path.write_bytes(_deeper(data, rng.choice((40, 200, 5000))))
    elif choice < 0.97:
        path.write_bytes(damage(data, rng, others=others))
    return _color("bytes")


def _metadata(rng: random.Random, graph: onnx.ModelProto) -> None:
    entry = rng.choice(graph.metadata_props)
    choice = rng.random()
    if choice < 0.8:
        entry.value = rng.choice(_WORDS)
    elif choice < 0.9:
        graph.metadata_props.remove(entry)
    else:
        graph.metadata_props.add(key=entry.key, value=rng.choice(_WORDS))


def _shape(rng: random.Random, graph: onnx.ModelProto) -> None:
    tensor = rng.choice([*graph.graph.input, *graph.graph.output])
    dims = tensor.type.tensor_type.shape.dim
    choice = rng.random()
    if choice < 0.6 and dims:
        rng.choice(dims).dim_value = rng.choice((0, 1, 2, 3, 5, 32, 10**9, -1))
    elif choice < 0.8:
        dims.add().dim_value = 1
    else:
        del dims[:]


def _type(rng: random.Random, graph: onnx.ModelProto) -> None:
    tensor = rng.choice([*graph.graph.input, *graph.graph.output])
    tensor.type.tensor_type.elem_type = rng.choice((1, 2, 3, 6, 7, 8, 9, 10, 11, 16, 99))


def _name(rng: random.Random, graph: onnx.ModelProto) -> None:
    tensor = rng.choice([*graph.graph.input, *graph.graph.output])
    tensor.name = rng.choice(
        ("", "chroma", "luma", "state.", "next.x", "memory.chroma", "x" * 1000)
    )


def _weights(rng: random.Random, graph: onnx.ModelProto) -> None:
    if not graph.graph.initializer:
        return
    tensor = rng.choice(graph.graph.initializer)
    array = numpy_helper.to_array(tensor)
    value = (
        rng.choice((*_BAD, 0.0, 1e-40)) if array.dtype == np.float32 else rng.choice((-9, 0, 9**9))
    )
    with np.errstate(all="ignore"):
        new = np.full(rng.choice((array.shape, (2,), (0,))), value, array.dtype)
    tensor.CopyFrom(numpy_helper.from_array(new, tensor.name))


def _operator(rng: random.Random, graph: onnx.ModelProto) -> None:
    node = rng.choice(graph.graph.node)
    node.op_type = rng.choice(
        ("Div", "Log", "Sqrt", "Pow", "MatMul", "Conv", "Identity", "Neg", "Exp", "Nonsense",
         "Tile", "Shape", "ReduceMax", "If", "Loop", "Concat")
    )  # fmt: skip


def _wires(rng: random.Random, graph: onnx.ModelProto) -> None:
    node = rng.choice(graph.graph.node)
    names = [name for other in graph.graph.node for name in (*other.input, *other.output)]
    side = node.input if rng.random() < 0.8 else node.output
    if side:
        side[rng.randrange(len(side))] = rng.choice((*names, "", "nowhere"))


def _nodes(rng: random.Random, graph: onnx.ModelProto) -> None:
    node = rng.choice(graph.graph.node)
    if rng.random() < 0.5:
        graph.graph.node.remove(node)
    else:
        graph.graph.node.add().CopyFrom(node)


def _versions(rng: random.Random, graph: onnx.ModelProto) -> None:
    number = rng.choice((-1, 0, 1, 7, 99, 2**31, 2**62))
    if rng.random() < 0.5:
        graph.ir_version = number
    else:
        graph.opset_import[0].version = number


def _huge(rng: random.Random, graph: onnx.ModelProto) -> None:
    """A tensor larger than any memory, added to chroma."""
    side = rng.choice((2**20, 2**31 - 1, 2**40))
    graph.graph.initializer.append(numpy_helper.from_array(np.array([side, side]), "huge"))
    graph.graph.node.append(helper.make_node("ConstantOfShape", ["huge"], ["hugeness"]))
    graph.graph.node.append(helper.make_node("ReduceSum", ["hugeness"], ["sum"]))


def _deep(rng: random.Random, graph: onnx.ModelProto) -> None:
    """Attributes that hold graphs that hold graphs."""
    inner = b""
    for _ in range(rng.choice((5, 30))):
        attribute = _field(1, b"then_branch") + _field(6, inner)
        inner = _field(1, _field(4, b"If") + _field(5, attribute))
    graph.graph.MergeFromString(inner)


def _field(number: int, data: bytes) -> bytes:
    """A field of bytes, as protocol buffers have it."""
    size, prefix = len(data), bytearray([number << 3 | 2])
    while size > 127:
        prefix.append(size & 127 | 128)
        size >>= 7
    return bytes([*prefix, size]) + data


def _deeper(data: bytes, depth: int) -> bytes:
    """A model whose graph holds graphs, deeper than protocol buffers are read."""
    inner = b""
    for _ in range(depth):
        inner = _field(1, _field(4, b"If") + _field(5, _field(6, inner)))
    return data + _field(7, inner)


_CHANGES: tuple[Change, ...] = (
    _metadata, _metadata, _metadata, _shape, _type, _name, _weights, _weights, _operator, _wires,
    _nodes, _versions, _huge, _deep,
)  # fmt: skip


def _colorizer(rng: random.Random, material: Material, folder: Path) -> Case:
    """An image colorizer that is damaged, with `--key auto`."""
    data = material.colorizers[rng.choice(list(material.colorizers))]
    path = folder / "colorizer.onnx"
    path.write_bytes(data)
    if rng.random() < 0.5:
        path.write_bytes(damage(data, rng, others=list(material.colorizers.values())))
    else:
        _edit(rng, path, rng.choice([c for c in _CHANGES if c is not _metadata] + [_weights]))
    case = _color("colorizer")
    case.arguments[3] = "auto"
    case.arguments[-1] = str(TOY / "bundle")
    return Case([*case.arguments, "--colorizer", "colorizer.onnx"], "out.mkv", case.check)
