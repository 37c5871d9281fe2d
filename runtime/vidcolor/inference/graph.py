"""What a graph takes, gives and says of itself, and whether those of a bundle keep the contract.

The contract itself is `vidcolor.inference.contract`. Graphs are anybody's: a fault of theirs is a
`ContractError`, which names the graph.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Any, Self

from vidcolor.inference.contract import (
    CHROMA,
    CONFIDENCE,
    FEATURES,
    FLOWS,
    FLOWS_TO_KEYS,
    KEY_CHROMA,
    KEY_LUMA,
    LONGEST,
    LUMA,
    MEMORY,
    NEXT,
    PLANES,
    STATE,
    ContractError,
    Metadata,
    shown,
)

_MOST_NAMES = 8
"""Faulty names that an error message shows."""
_ELEMENT_TYPES = {1: "float", 2: "uint8", 3: "int8", 7: "int64", 10: "float16", 11: "double"}
"""ONNX's numbers of element types and onnxruntime's names for them."""


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
    """What errors call it: its path, or its name in the contract."""
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


def check_contract(remember: Graph, propagate: Graph, features: Graph | None = None) -> Metadata:
    """Check the graphs of a bundle, each by itself and against each other.

    Args:
        remember: The graph that is run once for each key.
        propagate: The graph that is run once for each frame.
        features: The graph that is run once for each frame ahead of `propagate`, if there is one.

    Returns:
        The metadata that all carry.

    Raises:
        ContractError: They break the contract; the message names the graph and the fault.
    """
    _check_names(remember, "inputs", required={KEY_LUMA, KEY_CHROMA})
    _check_names(remember, "outputs", prefixes=(MEMORY, NEXT))
    prefixes = (STATE, MEMORY) if features is None else (STATE, MEMORY, FEATURES)
    _check_names(propagate, "inputs", required={LUMA}, optional=FLOWS, prefixes=prefixes)
    _check_names(propagate, "outputs", required={CHROMA, CONFIDENCE}, prefixes=(NEXT,))
    for graph in (remember, propagate):
        check_planes(graph)
        _check_carried(graph, NEXT, propagate, STATE)
    _check_carried(remember, MEMORY, propagate, MEMORY)
    metadata = propagate.metadata()
    others = [remember]
    if features is not None:
        _check_names(features, "inputs", required={LUMA})
        _check_names(features, "outputs", prefixes=(FEATURES,))
        check_planes(features)
        _check_carried(features, FEATURES, propagate, FEATURES)
        others.append(features)
    for other in others:
        if other.metadata() != metadata:
            raise ContractError(f"{propagate.name}: its metadata differ from those of {other.name}")
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

    They must have the same type and shape on both sides, memory but for its first axis: that is
    dynamic in the taker, which gets several keys stacked.
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


def _listed(names: Iterable[str]) -> str:
    """Names as an error shows them: a graph is anybody's, and may have any number of any names."""
    plain = [
        name if name.isprintable() and len(name) <= LONGEST else shown(name)
        for name in sorted(names)
    ]
    more = [f"and {len(plain) - _MOST_NAMES} more"] if len(plain) > _MOST_NAMES else []
    return ", ".join([*plain[:_MOST_NAMES], *more])
