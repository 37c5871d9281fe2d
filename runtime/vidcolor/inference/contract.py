"""The contract between a model and the runtime: tensor names, shapes, metadata, version.

`export` writes it, `vidcolor.inference.session` checks it, nothing retypes it. A bundle is a folder
that holds, for each precision, two ONNX graphs:

``remember``   what the model keeps of a key frame, computed once per key
    in   ``key.luma``    [1, 1, h, w]  luma in [0, 1]
         ``key.chroma``  [1, 2, h, w]  Cb, Cr in [-0.5, 0.5]
    out  ``memory.*``    [1, ...]      stacked over keys along the first axis by the runtime
         ``next.*``      [1, ...]      the state right after a frame whose colours are the key's

``propagate``  one frame
    in   ``luma``        [1, 1, h, w]
         ``state.*``     [1, ...]      the ``next.*`` of the frame before; all zeros mean 'no past'
         ``memory.*``    [k, ...]      of k >= 1 keys
         ``flow.previous``  [1, 2, h, w], optional: frame t to frame t-1; zeros without a past
         ``flow.key``       [k, 2, h, w], optional: frame t straight to each key
         ``flow.track``     [k, 2, h, w], optional: the same, followed from frame to frame
    out  ``chroma``      [1, 2, h, w]  in [-0.5, 0.5], checked at every frame
         ``confidence``  [1, 1, h, w]  in [0, 1], checked at every frame
         ``next.*``      same names and shapes as ``state.*``

A colorizer of single frames, which carries nothing, is a folder with a graph of its own:

``colorize``   a frame without any key
    in   ``luma``        [1, 1, h, w]
    out  ``chroma``      [1, 2, h, w]

Height and width are dynamic multiples of `Metadata.size_multiple`; the runtime pads. Flow is in
pixels at working size, x then y: the pixel p of frame t lies at p + flow(p) in the other frame.
Flow to keys is found at half that size (`vidcolor.motion.track`): models that ask for it have an
even `Metadata.size_multiple`.
Luma, chroma, confidence and flow are float32 in both precisions, so that callers never convert;
``state.*`` and ``memory.*`` have whatever type the graph says, and only pass through.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Self

VERSION = 1
GRAPHS = ("remember", "propagate")
COLORIZE = "colorize"
PRECISIONS = ("float32", "float16")
"""Every bundle has both."""
INT8 = "int8"
"""A bundle may have a third propagate graph, for CPUs, with convolutions in 8 bits. Its inputs and
outputs are those of the float32 one, and it is used with the float32 remember graph."""

LUMA = "luma"
CHROMA = "chroma"
CONFIDENCE = "confidence"
KEY_LUMA = "key.luma"
KEY_CHROMA = "key.chroma"
FLOW_PREVIOUS = "flow.previous"
FLOW_KEY = "flow.key"
FLOW_TRACK = "flow.track"
FLOWS_TO_KEYS = frozenset({FLOW_KEY, FLOW_TRACK})
FLOWS = frozenset({FLOW_PREVIOUS}) | FLOWS_TO_KEYS
STATE = "state."
NEXT = "next."
MEMORY = "memory."

PLANES: Mapping[str, tuple[int | None, ...]] = {
    KEY_LUMA: (1, 1, None, None),
    KEY_CHROMA: (1, 2, None, None),
    LUMA: (1, 1, None, None),
    CHROMA: (1, 2, None, None),
    CONFIDENCE: (1, 1, None, None),
    FLOW_PREVIOUS: (1, 2, None, None),
    FLOW_KEY: (None, 2, None, None),
    FLOW_TRACK: (None, 2, None, None),
}
"""Shape of every plane that crosses the contract; None is dynamic. All of them are float32."""

LARGEST_MULTIPLE = 4096
"""Pixels. A frame padded to a larger size multiple would not fit into memory."""

_PROPERTY = "vidcolor."
_PROPERTY_OF = {"color_space": "colour_space"}
"""Metadata whose property in the file has another name than its field."""
_LONGEST = 40
"""Characters of a faulty value that an error message shows."""
_MOST_NAMES = 8
"""Faulty names that an error message shows."""
_LONGEST_NAME = 200
"""Characters of a model's name."""
_ELEMENT_TYPES = {1: "float", 2: "uint8", 3: "int8", 7: "int64", 10: "float16", 11: "double"}
"""ONNX's numbers of element types and onnxruntime's names for them."""


class ContractError(ValueError):
    """A graph's names, types, shapes or metadata break this contract."""


def graph_path(bundle: Path, graph: str, precision: str) -> Path:
    """Where a bundle keeps one of its graphs."""
    if precision == INT8 and graph != "propagate":
        precision = "float32"
    return bundle / f"{graph}.{precision}.onnx"


def has_int8(bundle: Path) -> bool:
    """Whether a bundle has a propagate graph in 8 bits."""
    return graph_path(bundle, "propagate", INT8).exists()


@dataclass(frozen=True)
class Metadata:
    """What a graph says of itself, stored as ONNX metadata properties named ``vidcolor.*``."""

    name: str
    size_multiple: int
    """Height and width of every plane given to the graphs are multiples of this, in pixels."""
    color_space: str
    """The colour space that the model computes in ('Lab', 'YCbCr'); it converts inside its graph.
    Its property is ``vidcolor.colour_space``."""
    licence: str
    training_data: str
    metrics: str
    contract: int = VERSION

    def to_properties(self) -> dict[str, str]:
        """The ONNX metadata properties; `from_properties` is the inverse."""
        return {_property(field): str(value) for field, value in asdict(self).items()}

    @classmethod
    def from_properties(cls, properties: Mapping[str, str]) -> Self:
        """Read the properties of a graph, which may be anybody's.

        Raises:
            ContractError: A property is missing or has a value that is not accepted.
        """
        names = [field.name for field in fields(cls)]
        if missing := [_property(name) for name in names if _property(name) not in properties]:
            raise ContractError(f"metadata lacks {', '.join(missing)}")
        values: dict[str, Any] = {name: properties[_property(name)] for name in names}
        values["contract"] = _number(values["contract"])
        if values["contract"] != VERSION:
            raise ContractError(
                f"metadata vidcolor.contract is {_shown(properties['vidcolor.contract'])}, "
                f"this vidcolor reads {VERSION}"
            )
        values["size_multiple"] = _number(values["size_multiple"])
        if not 1 <= values["size_multiple"] <= LARGEST_MULTIPLE:
            raise ContractError(
                "metadata vidcolor.size_multiple is "
                f"{_shown(properties['vidcolor.size_multiple'])}, accepted are whole numbers of "
                f"pixels from 1 to {LARGEST_MULTIPLE}"
            )
        if len(values["name"]) > _LONGEST_NAME:
            raise ContractError(
                f"metadata vidcolor.name has {len(values['name'])} characters, accepted are up to "
                f"{_LONGEST_NAME}"
            )
        return cls(**values)


def _property(field: str) -> str:
    return _PROPERTY + _PROPERTY_OF.get(field, field)


def _number(text: str) -> int:
    """A whole number in up to ten plain digits; -1 for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 10 else -1


def _shown(text: str) -> str:
    return repr(text if len(text) <= _LONGEST else text[:_LONGEST] + "...")


def _listed(names: Iterable[str]) -> str:
    """Names as an error shows them: a graph is anybody's, and may have any number of any names."""
    first = sorted(names)
    shown = [
        name if name.isprintable() and len(name) <= _LONGEST else _shown(name) for name in first
    ]
    more = [f"and {len(first) - _MOST_NAMES} more"] if len(first) > _MOST_NAMES else []
    return ", ".join([*shown[:_MOST_NAMES], *more])


@dataclass(frozen=True)
class Tensor:
    """Type and shape of a graph's input or output."""

    dtype: str
    """The element type in onnxruntime's words: 'float', 'float16', ..."""
    shape: tuple[int | None, ...]
    """None where an axis is dynamic."""

    def __str__(self) -> str:
        axes = ("?" if size is None else str(size) for size in self.shape)
        return f"{self.dtype} [{', '.join(axes)}]"


@dataclass(frozen=True)
class Graph:
    """What a graph says of itself; read from a loaded session or from an ONNX model."""

    name: str
    """What errors call it: its path, or 'remember' or 'propagate'."""
    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]
    properties: Mapping[str, str]
    """ONNX metadata properties."""

    @classmethod
    def of_session(cls, name: str, session: Any) -> Self:
        """Read it from an `onnxruntime.InferenceSession`.

        Raises:
            ContractError: Names or metadata are no UTF-8 text.
        """
        try:
            inputs, outputs = (
                {tensor.name: _tensor_of(tensor) for tensor in tensors}
                for tensors in (session.get_inputs(), session.get_outputs())
            )
            properties = dict(session.get_modelmeta().custom_metadata_map)
        except UnicodeDecodeError:
            raise ContractError(f"{name}: its names or metadata are no UTF-8 text") from None
        return cls(name, inputs, outputs, properties)

    @classmethod
    def of_model(cls, name: str, model: Any) -> Self:
        """Read it from an `onnx.ModelProto`."""
        inputs, outputs = (
            {value.name: _tensor_of_value(value) for value in values}
            for values in (model.graph.input, model.graph.output)
        )
        return cls(name, inputs, outputs, {p.key: p.value for p in model.metadata_props})

    def metadata(self) -> Metadata:
        """Its metadata. Raises ContractError as `Metadata.from_properties` does."""
        try:
            return Metadata.from_properties(self.properties)
        except ContractError as error:
            raise ContractError(f"{self.name}: {error}") from None


def _tensor_of(tensor: Any) -> Tensor:
    """The tensor that an `onnxruntime.NodeArg` describes."""
    shape = tuple(size if isinstance(size, int) else None for size in tensor.shape)
    return Tensor(tensor.type.removeprefix("tensor(").removesuffix(")"), shape)


def _tensor_of_value(value: Any) -> Tensor:
    """The tensor that an `onnx.ValueInfoProto` describes."""
    tensor = value.type.tensor_type
    sizes = (size.dim_value if size.HasField("dim_value") else None for size in tensor.shape.dim)
    dtype = _ELEMENT_TYPES.get(tensor.elem_type, f"type {tensor.elem_type}")
    return Tensor(dtype, tuple(sizes))


def suffixes(names: Iterable[str], prefix: str) -> frozenset[str]:
    """The parts after `prefix` of those names that begin with it."""
    return frozenset(name[len(prefix) :] for name in names if name.startswith(prefix))


def check(remember: Graph, propagate: Graph) -> Metadata:
    """Check the two graphs of a bundle, each by itself and against each other.

    Args:
        remember: The graph that is run once for each key.
        propagate: The graph that is run once for each frame.

    Returns:
        The metadata that both carry.

    Raises:
        ContractError: They break the contract; the message names the graph and the fault.
    """
    _check_names(remember, "inputs", required={KEY_LUMA, KEY_CHROMA})
    _check_names(remember, "outputs", prefixes=(MEMORY, NEXT))
    _check_names(propagate, "inputs", required={LUMA}, optional=FLOWS, prefixes=(STATE, MEMORY))
    _check_names(propagate, "outputs", required={CHROMA, CONFIDENCE}, prefixes=(NEXT,))
    for graph in (remember, propagate):
        check_planes(graph)
        _check_carried(graph, NEXT, propagate, STATE)
    _check_carried(remember, MEMORY, propagate, MEMORY)
    metadata = propagate.metadata()
    if remember.metadata() != metadata:
        raise ContractError(f"{propagate.name}: its metadata differ from those of {remember.name}")
    if metadata.size_multiple % 2 and (to_keys := FLOWS_TO_KEYS.intersection(propagate.inputs)):
        raise ContractError(
            f"{propagate.name}: {', '.join(sorted(to_keys))} takes an even size_multiple; "
            f"it is {metadata.size_multiple}"
        )
    return metadata


def _check_names(
    graph: Graph,
    side: str,
    *,
    required: Set[str] = frozenset(),
    optional: Set[str] = frozenset(),
    prefixes: tuple[str, ...] = (),
) -> None:
    """Check the names of a graph's inputs or outputs."""
    names = set(graph.inputs if side == "inputs" else graph.outputs)
    if missing := required - names:
        raise ContractError(f"{graph.name}: {side} lack {_listed(missing)}")
    unknown = {name for name in names - required - optional if not name.startswith(prefixes)}
    if unknown:
        raise ContractError(f"{graph.name}: {side} hold unknown {_listed(unknown)}")


def check_planes(graph: Graph) -> None:
    """Raise ContractError where a plane of `PLANES` has another type or shape."""
    for name, tensor in (*graph.inputs.items(), *graph.outputs.items()):
        needed = PLANES.get(name)
        if needed is not None and not (tensor.dtype == "float" and _fits(tensor.shape, needed)):
            raise ContractError(
                f"{graph.name}: {name} is {tensor}, needed is {Tensor('float', needed)} "
                "with dynamic sizes where ? stands"
            )


def _fits(shape: tuple[int | None, ...], needed: tuple[int | None, ...]) -> bool:
    """Whether a shape is the needed one; a fixed batch size may also be dynamic."""
    batch = shape[:1] == needed[:1] or shape[:1] == (None,)
    return batch and len(shape) == len(needed) and shape[1:] == needed[1:]


def _check_carried(giver: Graph, given: str, taker: Graph, taken: str) -> None:
    """Check that outputs named with one prefix are what inputs named with another one take.

    State must have the same type and shape on both sides. So must memory, but for its first axis:
    that is dynamic in the taker, which gets several keys stacked.
    """
    what = taken.removesuffix(".")
    have, want = suffixes(giver.outputs, given), suffixes(taker.inputs, taken)
    if have != want:
        raise ContractError(
            f"{giver.name}: returns {what} [{_listed(have)}] but {taker.name} takes "
            f"[{_listed(want)}]; they must be the same"
        )
    for suffix in sorted(want):
        out, into = giver.outputs[given + suffix], taker.inputs[taken + suffix]
        stacked = int(taken == MEMORY)
        if stacked and into.shape[:1] != (None,):
            raise ContractError(
                f"{taker.name}: {taken + suffix} is {into}, a dynamic number of keys is needed"
            )
        if out.dtype != into.dtype or out.shape[stacked:] != into.shape[stacked:]:
            raise ContractError(
                f"{giver.name}: returns {given + suffix} as {out}, but {taken + suffix} of "
                f"{taker.name} is {into}; they must be the same"
            )
