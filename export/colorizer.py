"""An image colorizer written as one graph that has proved itself, or nothing written at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import ModelProto
from torch import Tensor, nn

from export.bundle import CARD, appearing, check_target
from export.card import colorizer_card
from export.graphs import COLUMNS, INVALID, ROWS, TRACED, ExportError, Input, trace
from export.parity import TOLERANCES, ParityError, made_up_scene
from training.checkpoint import Config
from training.models.base import ImageColorizer
from vidcolor.inference import contract
from vidcolor.inference.colorizer import Colorizer
from vidcolor.inference.graph import Graph, check_planes

METHOD_PROPERTY = "vidcolor.method"

_SIZES = ((48, 80), (70, 50))
"""Heights and widths that parity is measured at; the second needs padding."""


class ColorizeGraph(nn.Module):
    """A colorizer's `forward` for one frame."""

    def __init__(self, network: ImageColorizer) -> None:
        super().__init__()
        self.network = network

    def forward(self, *planes: Tensor) -> tuple[Tensor]:
        """Luma [1, 1, h, w] -> chroma [1, 2, h, w]."""
        return (self.network(*planes),)


def write_colorizer(
    network: ImageColorizer,
    target: Path,
    *,
    metadata: contract.Metadata,
    config: Config,
    notes: str = "",
    overwrite: bool = False,
) -> float:
    """Export, check and compare, then let the folder `target` appear, complete.

    Returns how far chroma lies apart from PyTorch's at most; raises ExportError and ParityError.
    """
    check_target(target, overwrite=overwrite)
    graph = export_colorizer(network, metadata)
    with appearing(target) as folder:
        path = contract.graph_path(folder, contract.COLORIZE, "float32")
        path.write_bytes(graph.SerializeToString(deterministic=True))
        apart = check_colorizer(network, folder)
        card = colorizer_card(
            network,
            metadata=metadata,
            config=config,
            apart=apart,
            size=path.stat().st_size,
            notes=notes,
        )
        (folder / CARD).write_text(card, encoding="utf-8")
    return apart


def export_colorizer(network: ImageColorizer, metadata: contract.Metadata) -> ModelProto:
    """The float32 graph, checked. Raises ExportError when it cannot be traced or is not valid."""
    multiple = network.size_multiple
    rows, columns = (multiple * cells for cells in TRACED)
    luma = Input(
        contract.LUMA,
        torch.zeros(1, 1, rows, columns),
        {2: multiple * ROWS, 3: multiple * COLUMNS},
    )
    graph = trace(ColorizeGraph(network), [luma], [contract.CHROMA], metadata)
    graph.metadata_props.add(key=METHOD_PROPERTY, value=network.method)
    try:
        onnx.checker.check_model(graph, full_check=True)
        check_planes(Graph.of_model(contract.COLORIZE, graph))
    except INVALID as error:
        raise ExportError(f"the exported graph is not valid: {error}") from error
    return graph


def check_colorizer(network: ImageColorizer, folder: Path) -> float:
    """The largest difference between the exported graph's chroma and PyTorch's, at two sizes.

    Raises ParityError above float32's tolerance, or for anything that is no number.
    """
    colorizer = Colorizer.load(folder, provider="cpu")
    worst = 0.0
    for height, width in _SIZES:
        (luma,), _ = made_up_scene(height, width, frames=1)
        below, right = (-side % network.size_multiple for side in luma.shape)
        padded = torch.from_numpy(np.pad(luma, ((0, below), (0, right)), mode="edge"))
        with torch.no_grad():
            wanted = network.eval()(padded[None, None])[0, :, :height, :width].numpy()
        apart = float(np.abs(colorizer.color(luma) - wanted).max())
        if not apart <= TOLERANCES["float32"].chroma:  # also when it is no number
            raise ParityError(
                f"chroma of the graph is {apart:.2g} from PyTorch's at {width}x{height} pixels, "
                f"accepted is {TOLERANCES['float32'].chroma:g}"
            )
        worst = max(worst, apart)
    return worst
