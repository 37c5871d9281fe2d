"""Chroma of the clip's size: made on the device that a session runs on, where there is one.

There the luma's codes go up once, as they are, and the chroma's codes come down once. Between them
is the graph `enlarge`, which `python -m export.enlarge` makes: `decode_luma`,
`WorkingSize.upsample` and `encode_chroma`, in float32, whatever the model's graphs compute in. It
has no weights. On a CPU it takes many times as long as `WorkingSize.upsample_codes`, which gives
the same as these three.

Whether a device is used is decided before the first frame of a size, by a frame that is made up. So
it depends on the machine alone, and not on the order in which frames are asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vidcolor.color import Codes, Coding, decode_luma, encode_chroma
from vidcolor.enlarge_geometry import enlarge_geometry
from vidcolor.errors import BundleError, ProviderError
from vidcolor.grid import Grid
from vidcolor.inference.agreement import is_close
from vidcolor.inference.fallback import Fallback
from vidcolor.inference.providers import open_graph
from vidcolor.inference.runner import Runner, Tensors
from vidcolor.inference.running import was_ended
from vidcolor.planes import Plane
from vidcolor.working_size import WorkingSize, check_shape

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

LUMA_TYPES = ("uint8", "uint16", "float32")
"""Of the luma that a graph takes; half floats are made single ones first."""
FULL, CODES = "full", "codes"
"""The graph's outputs: chroma [2, h, w] float32, and where luma is an integer chroma's codes, of
the same type."""

_GRAPHS = Path(__file__).parents[1] / "graphs"


def graph_path(luma: str) -> Path:
    """The file of the graph for luma of one of `LUMA_TYPES`."""
    return _GRAPHS / f"enlarge.{luma}.onnx"


@dataclass(frozen=True)
class Guide:
    """The luma of a frame, whose edges its colours follow."""

    codes: Codes
    """[height, width], as the clip has them."""
    coding: Coding
    """What they mean."""
    small: Plane
    """[working_height, working_width] float32: `WorkingSize.downsample_codes`."""

    @property
    def luma(self) -> Plane:
        """[height, width] float32 in [0, 1]."""
        return decode_luma(self.codes, self.coding)

    @property
    def kind(self) -> str:
        """Which of `LUMA_TYPES` holds the codes."""
        return "float32" if self.coding.is_float else self.codes.dtype.name


class Enlarger:
    """Brings chroma of working size to the clip's size; any number of threads can use it."""

    def __init__(self, working_size: WorkingSize, runner: Runner | None = None) -> None:
        """Nothing is opened yet.

        Args:
            working_size: The clip's.
            runner: Of the session's device, `Session.device_runner`; None leaves it to the CPU.
        """
        self._working_size = working_size
        self._device = None if runner is None else Device(working_size, runner)

    def planes(self, chroma: Plane, guide: Guide, grid: Grid) -> Plane:
        """Chroma on the clip's grid, as `WorkingSize.upsample` makes it.

        Args:
            chroma: [2, working_height, working_width] float32 in [-0.5, 0.5].
            guide: The frame's luma.
            grid: Of the clip's chroma.

        Returns:
            [2, *grid.shape] float32, clipped to [-0.5, 0.5].

        Raises:
            ArgumentError: A plane has another shape.
            BundleError: The device failed after it had been tried.
            MemoryError: There was not enough memory.
        """
        graph = self._graph(guide.kind, grid)
        if graph is None:
            return _upsample(self._working_size, chroma, guide, grid)
        self._check(chroma, guide)
        return graph.run(chroma, guide)

    def codes(
        self, chroma: Plane, guide: Guide, grid: Grid, output: Coding | None = None
    ) -> tuple[Codes, Codes]:
        """The codes of what `planes` gives, Cb and Cr, as `encode_chroma` makes them.

        Args:
            chroma: As in `planes`.
            guide: As in `planes`.
            grid: As in `planes`.
            output: What the chroma's codes mean; None: as the luma's do.

        Returns:
            Two planes [*grid.shape] of `output.dtype`.

        Raises:
            ArgumentError: As in `planes`.
            BundleError: As in `planes`.
            MemoryError: As in `planes`.
        """
        output = output or guide.coding
        is_float = guide.coding.is_float or output.is_float
        # The wider of two integer types holds the codes of both.
        kind = guide.kind if is_float else max(guide.codes.dtype, output.dtype).name
        graph = self._graph(kind, grid)
        if graph is None:
            fit = self._working_size
            return fit.upsample_codes(chroma, guide.small, guide.codes, guide.coding, grid, output)
        self._check(chroma, guide)
        if is_float:
            return encode_chroma(graph.run(chroma, guide), output)
        u, v = graph.run(chroma, guide, output).astype(output.dtype, copy=False)
        return u, v

    def _graph(self, kind: str, grid: Grid) -> Graph | None:
        return None if self._device is None else self._device.graph(kind, grid)

    def _check(self, chroma: Plane, guide: Guide) -> None:
        """Raise ArgumentError for what `WorkingSize.upsample` refuses."""
        fit = self._working_size
        check_shape("chroma", chroma, (2, *fit.working.shape))
        check_shape("small", guide.small, fit.working.shape)
        check_shape("luma", guide.codes, (fit.height, fit.width))


@dataclass(frozen=True)
class Graph:
    """The graph for one type of luma and one grid of chroma, on a device."""

    runner: Runner
    kind: str
    """One of `LUMA_TYPES`."""
    session: InferenceSession
    geometry: Tensors
    """Those of its inputs that are the same for all frames, on the device."""

    @classmethod
    def open(cls, runner: Runner, kind: str, geometry: Mapping[str, NDArray[Any]]) -> Graph:
        """On the runner's device; raises as `open_graph` does."""
        session = runner.in_turn(
            lambda _: open_graph(
                graph_path(kind),
                provider=runner.memory,
                device_id=runner.device_id,
                threads=None,
                verbosity=runner.verbosity,
            )
        )
        placed = {name: runner.tensor(array) for name, array in geometry.items()}
        return cls(runner, kind, session, placed)

    def run(self, chroma: Plane, guide: Guide, output: Coding | None = None) -> NDArray[Any]:
        """Chroma [2, h, w] of a frame: float32, or where the output's coding is given its codes."""
        zero, span = guide.coding.luma_scale
        chroma_zero, chroma_span = (output or guide.coding).chroma_scale
        top = (1 << (output or guide.coding).bits) - 1
        # Numbers are cut off to codes: with a half more they are rounded.
        scale = np.array([zero, span, chroma_zero + 0.5, chroma_span, top], np.float32)
        luma = self.runner.tensor(guide.codes.astype(self.kind, copy=False))
        planes = {"chroma": chroma, "small": guide.small, "scale": scale}
        _, made = self.runner.run(self.session, planes, {"luma": luma, **self.geometry}, {})
        wanted = FULL if output is None else CODES
        return self.runner.arrays({wanted: made[wanted]})[wanted]


class Device:
    """Opens graphs on a device, and tries each before it is used; threads may share it."""

    def __init__(self, working_size: WorkingSize, runner: Runner) -> None:
        self._working_size, self._runner = working_size, replace(runner, model="enlarge")
        self._lock = Lock()
        self._graphs: dict[tuple[str, Grid], Graph | None] = {}
        self._fallback = Fallback("full-size chroma is made on the CPU, which takes longer")

    def graph(self, kind: str, grid: Grid) -> Graph | None:
        """The graph for a type of luma and a grid of chroma; None leaves it to the CPU.

        So it is where nothing is guided by luma, which is little work; and with a warning, the
        first time, where the device cannot run the graph or gives something else than the CPU.
        """
        with self._lock:
            if (kind, grid) not in self._graphs:
                self._graphs[kind, grid] = self._open(kind, grid)
            return self._graphs[kind, grid]

    def _open(self, kind: str, grid: Grid) -> Graph | None:
        geometry = enlarge_geometry(self._working_size.working, grid)
        if geometry is None:
            return None
        try:
            graph = Graph.open(self._runner, kind, geometry)
            self._try(graph, grid)
        except (BundleError, ProviderError) as error:
            if was_ended(error):
                raise
            self._fallback.take(error)
            return None
        return graph

    def _try(self, graph: Graph, grid: Grid) -> None:
        """Enlarge a made-up frame; raises ProviderError if the CPU makes something else of it."""
        working_size, rng = self._working_size, np.random.default_rng(0)
        bits, is_float = np.dtype(graph.kind).itemsize * 8, graph.kind == "float32"
        coding = Coding("bt709", full_range=False, bits=bits, is_float=is_float)
        codes = rng.random((working_size.height, working_size.width), np.float32)
        if not is_float:
            codes = (codes * (1 << bits)).astype(graph.kind)
        small = working_size.downsample_codes(codes, coding)
        chroma = rng.random((2, *small.shape), np.float32) - np.float32(0.5)
        guide = Guide(codes, coding, small)
        wanted = _upsample(working_size, chroma, guide, grid)
        found = [(graph.run(chroma, guide), wanted)]
        if not is_float:
            found += zip(
                graph.run(chroma, guide, coding), encode_chroma(wanted, coding), strict=True
            )
        if not all(is_close(*pair) for pair in found):
            raise ProviderError("the device does not compute what the CPU computes")


def _upsample(working_size: WorkingSize, chroma: Plane, guide: Guide, grid: Grid) -> Plane:
    return working_size.upsample(chroma, guide.small, guide.luma, grid.subsampling, grid.siting)
