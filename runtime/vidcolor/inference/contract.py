"""The contract between a model and the runtime: tensor names, shapes, metadata, version.

`export` writes it, `vidcolor.inference.graph` checks it, nothing retypes it. A bundle is a folder
that holds, for each precision, two ONNX graphs, or three:

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
         ``features.*``  optional: what the features graph gave for this frame
    out  ``chroma``      [1, 2, h, w]  in [-0.5, 0.5], checked at every frame
         ``confidence``  [1, 1, h, w]  in [0, 1], checked at every frame
         ``next.*``      same names and shapes as ``state.*``

``features``   optional: what ``propagate`` needs of luma alone, for which no frame has to wait
    in   ``luma``        [1, 1, h, w]
    out  ``features.*``  any

A colorizer of single frames, which carries nothing, is a folder with a graph of its own:

``colorize``   a frame without any key
    in   ``luma``        [1, 1, h, w]
    out  ``chroma``      [1, 2, h, w]

Height and width are dynamic multiples of `Metadata.size_multiple`; the runtime pads. Flow is in
pixels at working size, x then y: the pixel p of frame t lies at p + flow(p) in the other frame.
Flow to keys is found at half that size (`vidcolor.motion.track`): models that ask for it have an
even `Metadata.size_multiple`.
Luma, chroma, confidence and flow are float32 in both precisions, so that callers never convert;
``state.*``, ``memory.*`` and ``features.*`` have whatever type the graph says, and only pass
through.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Self

VERSION = 1
GRAPHS = ("remember", "propagate")
"""Those that every bundle has."""
OF_LUMA = "features"
"""The optional graph."""
COLORIZE = "colorize"
PRECISIONS = ("float32", "float16")
"""Every bundle has both."""
INT8 = "int8"
"""A bundle may have a third propagate graph, for CPUs, with convolutions in 8 bits. But for
``features.*`` its inputs and outputs are those of the float32 one, and it is used with the float32
remember graph."""

LUMA = "luma"
CHROMA = "chroma"
CONFIDENCE = "confidence"
KEY_LUMA = "key.luma"
KEY_CHROMA = "key.chroma"
FLOW_PREVIOUS = "flow.previous"
FLOW_KEY = "flow.key"
FLOW_TRACK = "flow.track"
FLOWS_WITH_PREVIOUS = frozenset({FLOW_PREVIOUS, FLOW_TRACK})
"""Those that are found with the frame before."""
FLOWS_TO_KEYS = frozenset({FLOW_KEY, FLOW_TRACK})
FLOWS = frozenset({FLOW_PREVIOUS}) | FLOWS_TO_KEYS
STATE = "state."
NEXT = "next."
MEMORY = "memory."
FEATURES = "features."

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
LONGEST = 40
"""Characters of a faulty value that an error message shows."""
_LONGEST_NAME = 200
"""Characters of a model's name."""


class ContractError(ValueError):
    """A graph's names, types, shapes or metadata break this contract."""


def graph_path(bundle: Path, graph: str, precision: str) -> Path:
    """Where a bundle keeps one of its graphs."""
    if precision == INT8 and graph == "remember":
        precision = "float32"
    return bundle / f"{graph}.{precision}.onnx"


def graph_paths(bundle: Path, precision: str) -> dict[str, Path]:
    """Where a bundle keeps the graphs of a precision, by name, the optional one if it is there."""
    paths = {name: graph_path(bundle, name, precision) for name in (*GRAPHS, OF_LUMA)}
    return {name: path for name, path in paths.items() if name in GRAPHS or path.exists()}


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
                f"metadata vidcolor.contract is {shown(properties['vidcolor.contract'])}, "
                f"this vidcolor reads {VERSION}"
            )
        values["size_multiple"] = _number(values["size_multiple"])
        if not 1 <= values["size_multiple"] <= LARGEST_MULTIPLE:
            raise ContractError(
                "metadata vidcolor.size_multiple is "
                f"{shown(properties['vidcolor.size_multiple'])}, accepted are whole numbers of "
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


def shown(text: str) -> str:
    """A faulty value as an error shows it: quoted, and cut where it is longer than `LONGEST`."""
    return repr(text if len(text) <= LONGEST else text[:LONGEST] + "...")
