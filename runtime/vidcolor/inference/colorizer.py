"""Image colorizers: an ONNX graph that colours a single gray frame, ours or a user's own.

Three kinds are understood, told apart by their channels; one input, one output, float32 or float16:

========  ===========================================  =======================================
kind      input                                        output
========  ===========================================  =======================================
planes    ``luma`` [1, 1, h, w] in [0, 1]              ``chroma`` [1, 2, h, w], Cb and Cr in ±0.5
ab        [1, 3, h, w] R'G'B' in [0, 1], all three     [1, 2, h, w], a and b in CIE Lab's own
          the gray frame                               units (±110): DDColor's exports
rgb       the same                                     [1, 3, h, w] R'G'B' in [0, 1]
========  ===========================================  =======================================

*Planes* is our own kind and carries the metadata of `vidcolor.contract`; the planes are BT.601's.
A graph of fixed height and width is given the frame scaled to them; any other one the frame as it
is, its edges repeated up to a multiple of `MULTIPLE` pixels, or of what our metadata say. Whatever
comes out, only the chroma is taken: the luma is the clip's.
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
from vidcolor.inference import contract
from vidcolor.inference.providers import first_line, open_graph, start
from vidcolor.planes import Key, Plane, check_luma

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

DEFAULT_COLORIZER = "stills"
"""The shipped colorizer that is used when none is named."""
COLORIZERS = Path(__file__).parents[1] / "colorizers"

MULTIPLE = 32
"""Heights and widths that a user's own graph is given, where it does not fix them, are multiples
of so many pixels: what encoders that halve the size five times need."""

_MATRIX = "bt601"
"""Of the planes that our own graphs are trained on."""
_KINDS = {(1, 2): "planes", (3, 2): "ab", (3, 3): "rgb"}
_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16}
_ACCEPTED = (
    "accepted are [1, 1, h, w] luma to [1, 2, h, w] chroma, [1, 3, h, w] gray RGB to "
    "[1, 2, h, w] ab, and [1, 3, h, w] gray RGB to [1, 3, h, w] RGB"
)
_RGB_LIMIT = 1.5
"""No R'G'B' in [0, 1] goes beyond this, however much a network overshoots."""

Image = NDArray[np.float32]
"""[h, w, c]."""


@dataclass(frozen=True)
class Colorizer:
    """A loaded image colorizer; `Colorizer.load` makes one. Threads may share it."""

    path: Path
    kind: str
    """'planes', 'ab' or 'rgb'."""
    provider: str
    """Where it runs: 'cpu' or 'cuda'."""
    size: tuple[int, int] | None
    """Height and width in pixels where the graph fixes them."""
    multiple: int
    """Else of what heights and widths have to be multiples."""
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

        colorizer: a shipped one's name, or the path of an ONNX file or of an exported folder.
        provider, device_id, threads: as in `Session.load`.

        Raises BundleNotFoundError, BundleError, ProviderError, ArgumentError.
        """
        if threads is not None:
            check_whole("threads", threads, least=1)
        path = find_colorizer(colorizer)

        def opened(provider: str) -> Colorizer:
            graph = open_graph(path, provider=provider, device_id=device_id, threads=threads)
            kind, size = _recognise(path, graph)
            return cls(path, kind, provider, size, _multiple(path, kind, graph), graph)

        return start(provider, device_id, opened)

    def color(self, luma: Plane, *, matrix: str = _MATRIX) -> Plane:
        """The chroma [2, h, w] in ±0.5 that the colorizer gives a frame.

        luma: [h, w] float32 in [0, 1], best at the working size. matrix: the clip's.
        Raises ArgumentError for another shape or type, BundleError when the graph fails.
        """
        try:
            check_luma(luma)
        except ValueError as error:
            raise ArgumentError(str(error)) from None
        painted = self._paint(luma)
        if self.kind == "planes":
            chroma: Plane = np.ascontiguousarray(np.moveaxis(painted, -1, 0).clip(-0.5, 0.5))
            if matrix == _MATRIX:
                return chroma
            painted = key_to_rgb(Key(luma, chroma), _MATRIX)
        elif self.kind == "ab":
            painted = _ab_to_rgb(luma, painted)
        return rgb_to_key(np.clip(painted, 0, 1), matrix).chroma

    def _paint(self, luma: Plane) -> Image:
        """What the graph makes of a frame [h, w]: [h, w, 2 or 3], of the frame's size."""
        height, width = luma.shape
        if self.size is not None:
            return _resize(self._run(_resize(luma, self.size)), (height, width))
        below, right = -height % self.multiple, -width % self.multiple
        padded = np.pad(luma, ((0, below), (0, right)), mode="edge")
        return _resize(self._run(padded), padded.shape)[:height, :width]

    def _run(self, luma: Plane) -> Image:
        (given,), (painted,) = self._graph.get_inputs(), self._graph.get_outputs()
        planes = 1 if self.kind == "planes" else 3
        frame = np.repeat(luma[None, None], planes, axis=1).astype(_TYPES[given.type])
        try:
            (output,) = self._graph.run([painted.name], {given.name: frame})
        except Exception as error:  # onnxruntime's own classes share no other base
            raise BundleError(f"{self.path} failed: {first_line(error)}") from error
        image: Image = np.moveaxis(output[0].astype(np.float32), 0, -1)
        if not np.isfinite(image).all():
            raise BundleError(f"{self.path}: {painted.name} holds values that are no numbers")
        if self.kind == "rgb" and np.abs(image).max() > _RGB_LIMIT:
            raise BundleError(
                f"{self.path}: {painted.name} goes up to {np.abs(image).max():.4g}, "
                "R'G'B' in [0, 1] is needed"
            )
        return image


def find_colorizer(colorizer: str | os.PathLike[str]) -> Path:
    """The file of a colorizer: a shipped one by name, or a file or an exported folder by path.

    Raises BundleNotFoundError.
    """
    if os.fspath(colorizer):
        for folder in (COLORIZERS / colorizer, Path(colorizer)):
            graph = contract.graph_path(folder, contract.COLORIZE, "float32")
            for path in (graph, folder):
                if path.is_file():
                    return path
    shipped = sorted(path.name for path in COLORIZERS.glob("*") if path.is_dir())
    raise BundleNotFoundError(
        f"colorizer is {os.fspath(colorizer)!r}, accepted are a shipped colorizer's name "
        f"({', '.join(shipped) or 'none is installed'}), or the path of an ONNX file or of a "
        "folder that holds colorize.float32.onnx"
    )


def _recognise(path: Path, graph: InferenceSession) -> tuple[str, tuple[int, int] | None]:
    """The graph's kind, and its height and width if it fixes them; BundleError if it is none."""
    inputs, outputs = graph.get_inputs(), graph.get_outputs()
    if len(inputs) != 1 or len(outputs) != 1:
        raise BundleError(
            f"{path} is no image colorizer: it has {len(inputs)} inputs and {len(outputs)} "
            "outputs, one of each is needed"
        )
    given, painted = inputs[0], outputs[0]
    ranks = {len(given.shape), len(painted.shape)}
    kind = _KINDS.get((given.shape[1], painted.shape[1])) if ranks == {4} else None
    if kind is None or {given.type, painted.type} - _TYPES.keys() or _batch(given.shape) != 1:
        raise BundleError(
            f"{path} is no image colorizer: it takes {_describe(given)} and gives "
            f"{_describe(painted)}; {_ACCEPTED}, in float32 or float16"
        )
    fixed = [side for side in given.shape[2:] if isinstance(side, int)]
    if len(fixed) == 1:
        raise BundleError(
            f"{path}: {_describe(given)} fixes one of height and width; both or none may be fixed"
        )
    return kind, (fixed[0], fixed[1]) if fixed else None


def _batch(shape: list[int | str | None]) -> int:
    """How many frames the graph wants at a time."""
    return shape[0] if isinstance(shape[0], int) else 1


def _describe(tensor: Any) -> str:
    shape = ", ".join("?" if side is None else str(side) for side in tensor.shape)
    return f"{tensor.name} {tensor.type} [{shape}]"


def _multiple(path: Path, kind: str, graph: InferenceSession) -> int:
    """Of what heights and widths have to be multiples; BundleError for planes not of ours."""
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
    """R'G'B' [h, w, 3] of a gray frame's lightness with a and b [h, w, 2] in Lab's units."""
    gray = cv2.cvtColor(cv2.merge([luma, luma, luma]), cv2.COLOR_RGB2LAB)
    lab = np.dstack((gray[..., 0], ab))
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), np.float32)


def _resize(image: Plane | Image, size: tuple[int, int]) -> Image:
    """[h, w] or [h, w, c] at another height and width: linear, or means where it shrinks."""
    if image.shape[:2] == size:
        return image
    shrinks = size[0] <= image.shape[0] and size[1] <= image.shape[1]
    way = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, size[::-1], interpolation=way), np.float32)
