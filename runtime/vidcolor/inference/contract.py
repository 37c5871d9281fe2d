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
    out  ``chroma``      [1, 2, h, w]
         ``confidence``  [1, 1, h, w]  in [0, 1]
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

VERSION = 1
GRAPHS = ("remember", "propagate")
COLORIZE = "colorize"
PRECISIONS = ("float32", "float16")
"""That every bundle has."""
INT8 = "int8"
"""A propagate graph that a bundle may have besides: for CPUs, with convolutions in 8 bits. It takes
and gives what the float32 one does, and goes with the float32 remember graph."""

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

_PROPERTY = "vidcolor."


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
    """What a graph says of itself, carried as ONNX metadata under ``vidcolor.*``."""

    name: str
    size_multiple: int
    """Height and width of every plane given to the graphs are multiples of this, in pixels."""
    colour_space: str
    """The space the model thinks in ('Lab', 'YCbCr'); it converts inside its graph."""
    licence: str
    training_data: str
    metrics: str
    contract: int = VERSION

    def to_properties(self) -> dict[str, str]:
        """As ONNX metadata properties; `from_properties` is the inverse."""
        return {_PROPERTY + key: str(value) for key, value in asdict(self).items()}

    @classmethod
    def from_properties(cls, properties: Mapping[str, str]) -> Metadata:
        """Read back what `to_properties` wrote; ContractError names what is missing or off."""
        missing = [f.name for f in fields(cls) if _PROPERTY + f.name not in properties]
        if missing:
            raise ContractError(f"metadata lacks {', '.join(_PROPERTY + name for name in missing)}")
        text = {f.name: properties[_PROPERTY + f.name] for f in fields(cls)}
        if not (text["contract"].isdigit() and int(text["contract"]) == VERSION):
            raise ContractError(
                f"metadata vidcolor.contract is {text['contract']}, this vidcolor reads {VERSION}"
            )
        if not (text["size_multiple"].isdigit() and int(text["size_multiple"]) > 0):
            raise ContractError(
                f"metadata vidcolor.size_multiple is {text['size_multiple']!r}, "
                "a positive whole number of pixels is needed"
            )
        return cls(
            name=text["name"],
            size_multiple=int(text["size_multiple"]),
            colour_space=text["colour_space"],
            licence=text["licence"],
            training_data=text["training_data"],
            metrics=text["metrics"],
        )


def suffixes(names: Iterable[str], prefix: str) -> frozenset[str]:
    """The parts after `prefix` of those names that begin with it."""
    return frozenset(name[len(prefix) :] for name in names if name.startswith(prefix))


def check_remember(inputs: Iterable[str], outputs: Iterable[str]) -> None:
    """Raise ContractError unless these are the input and output names of a ``remember`` graph."""
    _check_names("remember inputs", inputs, {KEY_LUMA, KEY_CHROMA}, set(), ())
    _check_names("remember outputs", outputs, set(), set(), (MEMORY, NEXT))


def check_propagate(inputs: Iterable[str], outputs: Iterable[str]) -> None:
    """Raise ContractError unless these are the input and output names of a ``propagate`` graph."""
    inputs, outputs = tuple(inputs), tuple(outputs)
    _check_names("propagate inputs", inputs, {LUMA}, FLOWS, (STATE, MEMORY))
    _check_names("propagate outputs", outputs, {CHROMA, CONFIDENCE}, set(), (NEXT,))
    state, following = suffixes(inputs, STATE), suffixes(outputs, NEXT)
    if state != following:
        raise ContractError(
            f"propagate takes state {sorted(state)} but returns next {sorted(following)}; "
            "they must be the same"
        )


def check_flows(inputs: Iterable[str], metadata: Metadata) -> None:
    """Raise ContractError where a ``propagate`` graph of these inputs asks for flow in vain."""
    if metadata.size_multiple % 2 and (to_keys := FLOWS_TO_KEYS.intersection(inputs)):
        raise ContractError(
            f"propagate asks for {', '.join(sorted(to_keys))}, which takes an even size_multiple; "
            f"it is {metadata.size_multiple}"
        )


def check_pair(remember_outputs: Iterable[str], propagate_inputs: Iterable[str]) -> None:
    """Raise ContractError unless what ``remember`` returns is what ``propagate`` takes."""
    outputs, inputs = tuple(remember_outputs), tuple(propagate_inputs)
    for given, taken, what in ((NEXT, STATE, "state"), (MEMORY, MEMORY, "memory")):
        have, want = suffixes(outputs, given), suffixes(inputs, taken)
        if have != want:
            raise ContractError(
                f"remember returns {what} {sorted(have)} but propagate takes {sorted(want)}; "
                "they must be the same"
            )


def _check_names(
    where: str,
    names: Iterable[str],
    required: Set[str],
    optional: Set[str],
    prefixes: tuple[str, ...],
) -> None:
    names = set(names)
    if missing := required - names:
        raise ContractError(f"{where} lack {', '.join(sorted(missing))}")
    unknown = {n for n in names - required - optional if not n.startswith(prefixes or ("\0",))}
    if unknown:
        raise ContractError(f"{where} hold unknown {', '.join(sorted(unknown))}")
