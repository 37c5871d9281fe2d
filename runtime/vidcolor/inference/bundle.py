"""Where a model bundle lies, and whether its graphs keep the contract (`inference.contract`)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from vidcolor.errors import BundleError, BundleNotFoundError
from vidcolor.files import named_errors
from vidcolor.inference import contract
from vidcolor.inference.graph import Graph, check_contract

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

DEFAULT_MODEL = "vidcolor-2"
"""The shipped bundle that is used when none is named."""

ALIASES = {"flagship": DEFAULT_MODEL, "seeds": "unet-2019"}
"""Other names of shipped bundles: 'flagship' is always the newest one, 'seeds' an earlier name."""

MODELS = Path(__file__).parents[1] / "models"


def find_bundle(model: str | os.PathLike[str]) -> Path:
    """The folder of a bundle.

    Args:
        model: The name of a shipped bundle, or the path of any folder.

    Raises:
        BundleNotFoundError: There is neither, or no graph in the folder.
        BundleError: It cannot be read.
    """
    with named_errors(f"model: {os.fspath(model)} cannot be read", BundleError):
        shipped = sorted(path.name for path in MODELS.glob("*") if path.is_dir())
        name = ALIASES.get(os.fspath(model), os.fspath(model))
        if name in shipped:
            return MODELS / name
        if name and Path(model).is_dir() and _holds_a_graph(model):
            return Path(model)
    raise BundleNotFoundError(
        f"model is {os.fspath(model)!r}, accepted are a shipped model's name "
        f"({', '.join(shipped) or 'none is installed'}) or the path of a folder with a bundle"
    )


def _holds_a_graph(folder: str | os.PathLike[str]) -> bool:
    """Raises OSError where the folder cannot be read, which `Path.glob` would not."""
    return any(path.suffix == ".onnx" for path in Path(folder).iterdir())


def check_bundle(
    bundle: Path, precision: str, graphs: Mapping[str, InferenceSession]
) -> contract.Metadata:
    """Check the loaded graphs of a bundle against the contract.

    Args:
        bundle: The bundle's folder, for error messages.
        precision: Of the graphs.
        graphs: Sessions of its graphs, by their names in the contract.

    Returns:
        The metadata that all carry. The name of a shipped bundle is that which it ships under:
        one that was exported under another name has kept that in its graphs.

    Raises:
        BundleError: They break the contract; the message names the file and the fault.
    """
    try:
        metadata = check_contract(
            *(
                Graph.of_session(str(contract.graph_path(bundle, name, precision)), graphs[name])
                for name in (*contract.GRAPHS, contract.OF_LUMA)
                if name in graphs
            )
        )
    except contract.ContractError as error:
        raise BundleError(str(error)) from None
    return replace(metadata, name=bundle.name) if bundle.parent == MODELS else metadata
