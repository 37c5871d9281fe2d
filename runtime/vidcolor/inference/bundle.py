"""Where a model bundle lies, and whether its graphs keep the contract of `vidcolor.contract`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vidcolor.errors import BundleError, BundleNotFoundError
from vidcolor.inference import contract

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

DEFAULT_MODEL = "flagship"
"""The shipped bundle that is used when none is named."""

MODELS = Path(__file__).parents[1] / "models"

_FLOAT32 = "tensor(float)"
_PLANES = {
    contract.KEY_LUMA: 1,
    contract.KEY_CHROMA: 2,
    contract.LUMA: 1,
    contract.CHROMA: 2,
    contract.CONFIDENCE: 1,
    contract.FLOW_PREVIOUS: 2,
    contract.FLOW_KEY: 2,
    contract.FLOW_TRACK: 2,
}
"""Channels of every float32 [n, channels, h, w] plane that crosses the contract."""


def find_bundle(model: str | os.PathLike[str]) -> Path:
    """The folder of a bundle: a shipped one by name, or any by path. Raises BundleNotFoundError."""
    for folder in (MODELS / model, Path(model)):
        if os.fspath(model) and folder.is_dir():
            return folder
    shipped = sorted(path.name for path in MODELS.glob("*") if path.is_dir())
    raise BundleNotFoundError(
        f"model is {os.fspath(model)!r}, accepted are a shipped model's name "
        f"({', '.join(shipped) or 'none is installed'}) or the path of a folder with a bundle"
    )


def check_bundle(
    bundle: Path, precision: str, graphs: Mapping[str, InferenceSession]
) -> contract.Metadata:
    """Hold the two loaded graphs against the contract and each other; returns their metadata.

    Raises BundleError, which names the file and the fault.
    """
    paths = {name: contract.graph_path(bundle, name, precision) for name in contract.GRAPHS}
    remember, propagate = (_read(paths[name], graphs[name]) for name in contract.GRAPHS)
    with _blame(remember.path):
        contract.check_remember(remember.inputs, remember.outputs)
    with _blame(propagate.path):
        contract.check_propagate(propagate.inputs, propagate.outputs)
        contract.check_flows(propagate.inputs, propagate.metadata)
        contract.check_pair(remember.outputs, propagate.inputs)
    for graph in (remember, propagate):
        _check_planes(graph)
    _check_carried(remember, propagate)
    if remember.metadata != propagate.metadata:
        raise BundleError(f"{propagate.path}: its metadata differ from those of {remember.path}")
    return propagate.metadata


@dataclass(frozen=True)
class _Tensor:
    type: str
    shape: tuple[int | str | None, ...]
    """A dynamic dimension is a name or None."""

    def __str__(self) -> str:
        return f"{self.type} [{', '.join(str(size) for size in self.shape)}]"


@dataclass(frozen=True)
class _Graph:
    """What a loaded graph says of itself."""

    path: Path
    inputs: dict[str, _Tensor]
    outputs: dict[str, _Tensor]
    metadata: contract.Metadata


@contextmanager
def _blame(path: Path) -> Iterator[None]:
    """Turns a ContractError into a BundleError that names the file."""
    try:
        yield
    except contract.ContractError as error:
        raise BundleError(f"{path}: {error}") from None


def _read(path: Path, graph: InferenceSession) -> _Graph:
    inputs, outputs = (
        {tensor.name: _Tensor(tensor.type, tuple(tensor.shape)) for tensor in tensors}
        for tensors in (graph.get_inputs(), graph.get_outputs())
    )
    with _blame(path):
        properties = graph.get_modelmeta().custom_metadata_map
        metadata = contract.Metadata.from_properties(properties)
    return _Graph(path=path, inputs=inputs, outputs=outputs, metadata=metadata)


def _check_planes(graph: _Graph) -> None:
    for name, tensor in (graph.inputs | graph.outputs).items():
        if name not in _PLANES:
            continue
        channels = _PLANES[name]
        if (
            tensor.type != _FLOAT32
            or len(tensor.shape) != 4
            or tensor.shape[1] != channels
            or any(isinstance(size, int) for size in tensor.shape[2:])
        ):
            raise BundleError(
                f"{graph.path}: {name} is {tensor}, {_FLOAT32} [1, {channels}, h, w] "
                "with dynamic h and w is needed"
            )


def _check_carried(remember: _Graph, propagate: _Graph) -> None:
    """State and memory must have one type and rank wherever they appear."""
    carried = (
        (remember.outputs, contract.NEXT, propagate.inputs, contract.STATE),
        (propagate.outputs, contract.NEXT, propagate.inputs, contract.STATE),
        (remember.outputs, contract.MEMORY, propagate.inputs, contract.MEMORY),
    )
    for given, given_prefix, taken, taken_prefix in carried:
        for suffix in contract.suffixes(taken, taken_prefix):
            out, into = given[given_prefix + suffix], taken[taken_prefix + suffix]
            if out.type != into.type or len(out.shape) != len(into.shape):
                raise BundleError(
                    f"{propagate.path}: {taken_prefix + suffix} is {into}, "
                    f"but {given_prefix + suffix} is given as {out}"
                )
            if taken_prefix == contract.MEMORY and isinstance(into.shape[0], int):
                raise BundleError(
                    f"{propagate.path}: {taken_prefix + suffix} is {into}, "
                    "a dynamic number of keys is needed"
                )
