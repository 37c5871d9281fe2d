"""Image colorizers: an ONNX graph that colours a single gray frame, ours or a user's own.

A colorizer has one input and one output, float32 or float16. Its channels say of which kind it is:

========  ===========================================  =======================================
kind      input                                        output
========  ===========================================  =======================================
planes    ``luma`` [1, 1, h, w] in [0, 1]              ``chroma`` [1, 2, h, w], Cb and Cr in ±0.5
ab        [1, 3, h, w] R'G'B' in [0, 1], all three     [1, 2, h, w], a and b in CIE Lab's own
          the gray frame                               units (±110): DDColor's exports
rgb       the same                                     [1, 3, h, w] R'G'B' in [0, 1]
========  ===========================================  =======================================

*Planes* is our own kind and has the metadata of `vidcolor.inference.contract`; its matrix is
BT.601. A graph of fixed height and width gets the frame scaled to them. Any other graph gets the
frame with its edges repeated up to a multiple of `MULTIPLE` pixels, or of the metadata's size
multiple. Only the chroma of the output is used: the luma is the clip's.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidcolor.checks import check_whole
from vidcolor.color import key_to_rgb, rgb_to_key
from vidcolor.errors import ArgumentError, BundleError, BundleNotFoundError
from vidcolor.files import named_errors
from vidcolor.inference import contract, running
from vidcolor.inference.graph import Graph
from vidcolor.inference.known_providers import OWN
from vidcolor.inference.providers import first_line, open_graph, start
from vidcolor.planes import Key, Plane, check_luma

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

DEFAULT_COLORIZER = "stills-2"
"""The shipped colorizer that is used when none is named."""
COLORIZERS = Path(__file__).parents[1] / "colorizers"

MULTIPLE = 32
"""Pixels. A user's own graph whose size is not fixed gets heights and widths that are multiples of
this: encoders that halve the size five times need it."""

_MATRIX = "bt601"
"""The matrix of our own graphs' planes."""
_KINDS = {(1, 2): "planes", (3, 2): "ab", (3, 3): "rgb"}
_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16}
_ACCEPTED = (
    "accepted are [1, 1, h, w] luma to [1, 2, h, w] chroma, [1, 3, h, w] gray RGB to "
    "[1, 2, h, w] ab, and [1, 3, h, w] gray RGB to [1, 3, h, w] RGB"
)
_LIMITS = {
    "planes": (0.75, "Cb and Cr in [-0.5, 0.5]"),
    "ab": (165, "a and b in CIE Lab's units, up to 110,"),
    "rgb": (1.5, "R'G'B' in [0, 1]"),
}
"""The largest absolute value of an output of each kind, half as much again as is needed: a network
may overshoot. And what is needed, in words."""

Image = NDArray[np.float32]
"""An image [h, w, c]."""


@dataclass(frozen=True)
class Colorizer:
    """A loaded image colorizer; `Colorizer.load` makes one. Threads may share it."""

    path: Path
    kind: str
    """'planes', 'ab' or 'rgb'."""
    provider: str
    """Where it runs: 'cpu' or 'cuda'."""
    size: tuple[int, int] | None
    """Height and width in pixels if the graph fixes them."""
    multiple: int
    """If not, heights and widths are multiples of this, in pixels."""
    _graph: InferenceSession = field(repr=False)

    @classmethod
    def load(
        cls,
        colorizer: str | os.PathLike[str] = DEFAULT_COLORIZER,
        *,
        provider: str = "auto",
        device_id: int = 0,
        threads: int | None = None,
    ) -> Colorizer:
        """Load a colorizer and find out of which kind it is.

        Args:
            colorizer: The name of a shipped one, or the path of an ONNX file or of an exported
                folder.
            provider: As in `Session.load`. But only the CPU and CUDA colour; in place of another
                it is the CPU, which is enough for single frames.
            device_id: As in `Session.load`.
            threads: As in `Session.load`.

        Raises:
            BundleNotFoundError: There is no such colorizer.
            BundleError: It is damaged or of no known kind.
            ProviderError: The provider is not available.
            ArgumentError: Another argument has a value that is not accepted.
        """
        if threads is not None:
            check_whole("threads", threads, least=1)
        path = find_colorizer(colorizer)

        def opened(provider: str) -> Colorizer:
            provider = provider if provider in OWN else "cpu"
            graph = open_graph(path, provider=provider, device_id=device_id, threads=threads)
            kind, size = _recognise(path, graph)
            return cls(path, kind, provider, size, _multiple(path, kind, graph), graph)

        return start(provider, device_id, opened)

    def color(self, luma: Plane, *, matrix: str = _MATRIX) -> Plane:
        """Colour a frame.

        Args:
            luma: [h, w] float32 in [0, 1], best at the working size.
            matrix: The clip's, one of `vidcolor.color.MATRICES`.

        Returns:
            Chroma [2, h, w] float32 in [-0.5, 0.5].

        Raises:
            ArgumentError: `luma` has another shape or type, or is not in [0, 1].
            BundleError: The graph failed, or gave values that are no colours.
        """
        try:
            check_luma(luma)
        except ValueError as error:
            raise ArgumentError(str(error)) from None
        output = self._output_at_size(luma)
        if self.kind == "planes":
            chroma: Plane = np.ascontiguousarray(np.moveaxis(output, -1, 0).clip(-0.5, 0.5))
            if matrix == _MATRIX:
                return chroma
            output = key_to_rgb(Key(luma, chroma), _MATRIX)
        elif self.kind == "ab":
            output = _ab_to_rgb(luma, output)
        return rgb_to_key(np.clip(output, 0, 1), matrix).chroma

    def _output_at_size(self, luma: Plane) -> Image:
        """The graph's output for luma [h, w], at the same size: [h, w, 2 or 3]."""
        height, width = luma.shape
        if self.size is not None:
            return _resize(self._run(_resize(luma, self.size)), (height, width))
        below, right = -height % self.multiple, -width % self.multiple
        padded = np.pad(luma, ((0, below), (0, right)), mode="edge")
        return _resize(self._run(padded), padded.shape)[:height, :width]

    def _run(self, luma: Plane) -> Image:
        """The graph's output for luma of a size that it accepts: [h, w, 2 or 3]."""
        (graph_input,), (graph_output,) = self._graph.get_inputs(), self._graph.get_outputs()
        channels = 1 if self.kind == "planes" else 3
        frame = np.repeat(luma[None, None], channels, axis=1).astype(_TYPES[graph_input.type])
        try:
            (output,) = running.run(
                lambda options: self._graph.run(
                    [graph_output.name], {graph_input.name: frame}, options
                )
            )
        except Exception as error:  # onnxruntime's own classes share no other base
            raise BundleError(f"{self.path} failed: {first_line(error)}") from error
        image: Image = np.moveaxis(output[0].astype(np.float32), 0, -1)
        if not np.isfinite(image).all():
            raise BundleError(f"{self.path}: {graph_output.name} holds values that are no numbers")
        limit, needed = _LIMITS[self.kind]
        if (most := np.abs(image).max()) > limit:
            raise BundleError(
                f"{self.path}: {graph_output.name} goes up to {most:.4g}, {needed} is needed"
            )
        return image


def find_colorizer(colorizer: str | os.PathLike[str]) -> Path:
    """The ONNX file of a colorizer.

    Args:
        colorizer: The name of a shipped one, or the path of an ONNX file or of an exported folder.

    Raises:
        BundleNotFoundError: There is no such colorizer.
        BundleError: It cannot be read.
    """
    with named_errors(f"colorizer: {os.fspath(colorizer)} cannot be read", BundleError):
        shipped = sorted(path.name for path in COLORIZERS.glob("*") if path.is_dir())
        is_name = os.fspath(colorizer) in shipped
        folder = COLORIZERS / colorizer if is_name else Path(colorizer)
        graph = contract.graph_path(folder, contract.COLORIZE, "float32")
        for path in (graph, folder) if os.fspath(colorizer) else ():
            if path.is_file():
                return path
    raise BundleNotFoundError(
        f"colorizer is {os.fspath(colorizer)!r}, accepted are a shipped colorizer's name "
        f"({', '.join(shipped) or 'none is installed'}), or the path of an ONNX file or of a "
        "folder that holds colorize.float32.onnx"
    )


def _recognise(path: Path, graph: InferenceSession) -> tuple[str, tuple[int, int] | None]:
    """The graph's kind, and its height and width if they are fixed.

    Raises:
        BundleError: It is no image colorizer.
    """
    inputs, outputs = graph.get_inputs(), graph.get_outputs()
    try:
        Graph.of_session(str(path), graph)
    except contract.ContractError as error:
        raise BundleError(str(error)) from None
    if len(inputs) != 1 or len(outputs) != 1:
        raise BundleError(
            f"{path} is no image colorizer: it has {len(inputs)} inputs and {len(outputs)} "
            "outputs, one of each is needed"
        )
    image, colors = inputs[0], outputs[0]
    ranks = {len(image.shape), len(colors.shape)}
    kind = _KINDS.get((image.shape[1], colors.shape[1])) if ranks == {4} else None
    if kind is None or {image.type, colors.type} - _TYPES.keys() or _batch(image.shape) != 1:
        raise BundleError(
            f"{path} is no image colorizer: it takes {_describe(image)} and gives "
            f"{_describe(colors)}; {_ACCEPTED}, in float32 or float16"
        )
    fixed = [side for side in image.shape[2:] if isinstance(side, int)]
    if len(fixed) == 1:
        raise BundleError(
            f"{path}: {_describe(image)} fixes one of height and width; both or none may be fixed"
        )
    return kind, (fixed[0], fixed[1]) if fixed else None


def _batch(shape: list[int | str | None]) -> int:
    """How many frames the graph takes at a time."""
    return shape[0] if isinstance(shape[0], int) else 1


def _describe(tensor: Any) -> str:
    shape = ", ".join("?" if side is None else str(side) for side in tensor.shape)
    return f"{tensor.name} {tensor.type} [{shape}]"


def _multiple(path: Path, kind: str, graph: InferenceSession) -> int:
    """The size multiple in pixels; raises BundleError for planes without our metadata."""
    if kind != "planes":
        return MULTIPLE
    try:
        properties = graph.get_modelmeta().custom_metadata_map
        return contract.Metadata.from_properties(properties).size_multiple
    except contract.ContractError as error:
        raise BundleError(
            f"{path} takes one channel and gives two, as vidcolor's own colorizers do, "
            f"but is none of them: {error}"
        ) from None


def _ab_to_rgb(luma: Plane, ab: Image) -> Image:
    """R'G'B' [h, w, 3] of a gray frame's lightness and of a and b [h, w, 2] in CIE Lab's units."""
    gray = cv2.cvtColor(cv2.merge([luma, luma, luma]), cv2.COLOR_RGB2LAB)
    lab = np.dstack((gray[..., 0], ab))
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), np.float32)


def _resize(image: Plane | Image, size: tuple[int, int]) -> Image:
    """An image [h, w] or [h, w, c] at another height and width: linear, or means if smaller."""
    if image.shape[:2] == size:
        return image
    shrinks = size[0] <= image.shape[0] and size[1] <= image.shape[1]
    way = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, size[::-1], interpolation=way), np.float32)
