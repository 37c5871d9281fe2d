"""A model bundle in onnxruntime: its two graphs as functions from tensors to tensors.

A session knows tensors and devices and nothing of video. It keeps nothing between calls, so any
number of threads can use one. On CUDA, state and memory are created on the device and stay there.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vidcolor.checks import check_choice, check_whole
from vidcolor.errors import ArgumentError, BundleError, is_out_of_memory
from vidcolor.files import named_errors
from vidcolor.inference import contract, running
from vidcolor.inference.bundle import DEFAULT_MODEL, check_bundle, find_bundle
from vidcolor.inference.io_binding import Array, Shapes, StagingBuffer
from vidcolor.inference.providers import ERRORS, FATAL, first_line, onnxruntime, open_graph, start
from vidcolor.inference.sized import SizedGraphs, Sizes

if TYPE_CHECKING:
    from onnxruntime import InferenceSession, OrtValue

PRECISIONS = ("auto", *contract.PRECISIONS, contract.INT8)

_ROUNDING = 1e-3
"""How far chroma and confidence may be out of range: rounding in 8 or 16 bits."""

Tensors = Mapping[str, "OrtValue"]
"""State or memory by the contract's names without prefix (``state.``, ``next.``, ``memory.``)."""


@dataclass(frozen=True)
class Session:
    """A loaded bundle; `Session.load` makes one."""

    metadata: contract.Metadata
    provider: str
    """Where it runs: 'cpu' or 'cuda'."""
    device_id: int
    """Which CUDA device; 0 on the CPU."""
    precision: str
    """'float32', 'float16' or 'int8'."""
    flows: frozenset[str]
    """Which of the contract's optional flow inputs the propagate graph has."""
    _remember: InferenceSession = field(repr=False)
    _propagate: InferenceSession = field(repr=False)
    _sized: SizedGraphs | None = field(default=None, repr=False)
    """The propagate graph for each size; None where sizes that are read at each run cost nothing,
    as on the CPU."""
    _verbosity: int = field(default=FATAL, repr=False)
    """Of runs. An error of a run is raised, and written only to who asked for more than errors."""

    @classmethod
    def load(
        cls,
        model: str | os.PathLike[str] = DEFAULT_MODEL,
        *,
        provider: str = "auto",
        device_id: int = 0,
        precision: str = "auto",
        threads: int | None = None,
        verbosity: int = ERRORS,
    ) -> Session:
        """Load a bundle and check it against the contract.

        Args:
            model: The name of a shipped bundle, or the path of a bundle's folder.
            provider: 'cpu', 'cuda', or 'auto': CUDA where it works, else the CPU.
            device_id: Which CUDA device, from 0.
            precision: 'float32', 'float16', 'int8' (on the CPU, for bundles that have it), or
                'auto': float16 on CUDA; on the CPU int8 where the bundle has it, else float32.
            threads: CPU threads that share the work of one frame; None leaves it to onnxruntime.
            verbosity: How much onnxruntime writes to stderr, from 0, everything, to 4, fatal
                errors only.

        Raises:
            BundleNotFoundError: There is no such bundle.
            BundleError: The bundle is damaged, incomplete or breaks the contract.
            ProviderError: The provider is not available.
            ArgumentError: Another argument has a value that is not accepted.
        """
        check_choice("precision", precision, PRECISIONS)
        if threads is not None:
            check_whole("threads", threads, least=1)
        if verbosity not in range(FATAL + 1):
            raise ArgumentError(f"verbosity is {verbosity!r}, accepted are 0 to {FATAL}")
        bundle = find_bundle(model)
        with named_errors(f"model: {bundle} cannot be read", BundleError):
            return start(
                provider,
                device_id,
                lambda provider: cls._open(
                    bundle, provider, device_id, precision, threads, verbosity
                ),
            )

    @classmethod
    def _open(
        cls,
        bundle: Path,
        provider: str,
        device_id: int,
        precision: str,
        threads: int | None,
        verbosity: int,
    ) -> Session:
        if precision == "auto":
            precision = _precision(bundle, provider)
        if precision == contract.INT8 and provider == "cuda":
            raise ArgumentError(
                "precision is 'int8', which is for the CPU; accepted on CUDA are "
                f"auto, {', '.join(contract.PRECISIONS)}"
            )

        def opened(name: str, sizes: Sizes | None = None) -> InferenceSession:
            return open_graph(
                contract.graph_path(bundle, name, precision),
                provider=provider,
                device_id=device_id,
                threads=threads,
                verbosity=verbosity,
                sizes=sizes,
            )

        graphs = {name: opened(name) for name in contract.GRAPHS}
        metadata = check_bundle(bundle, precision, graphs)
        names = {tensor.name for tensor in graphs["propagate"].get_inputs()}
        return cls(
            metadata=metadata,
            provider=provider,
            device_id=device_id if provider == "cuda" else 0,
            precision=precision,
            flows=contract.FLOWS & names,
            _remember=graphs["remember"],
            _propagate=graphs["propagate"],
            _sized=(
                SizedGraphs(graphs["propagate"], partial(opened, "propagate"))
                if provider == "cuda"
                else None
            ),
            _verbosity=FATAL if verbosity == ERRORS else verbosity,
        )

    @property
    def remembers(self) -> bool:
        """Whether the model keeps anything of a key but the state right after it."""
        names = (tensor.name for tensor in self._propagate.get_inputs())
        return any(name.startswith(contract.MEMORY) for name in names)

    def remember(self, luma: Array, chroma: Array) -> tuple[Tensors, Tensors]:
        """Run the remember graph on a key.

        Args:
            luma: [1, 1, h, w] float32 in [0, 1], h and w being multiples of the size multiple.
            chroma: [1, 2, h, w] float32 in [-0.5, 0.5].

        Returns:
            The memory of the key, and the state right after it.

        Raises:
            BundleError: The graph failed.
        """
        planes = {contract.KEY_LUMA: luma, contract.KEY_CHROMA: chroma}
        _, outputs = self._run(self._remember, planes, {}, {})
        return _strip(outputs, contract.MEMORY), _strip(outputs, contract.NEXT)

    def propagate(
        self, luma: Array, state: Tensors, memory: Tensors, flows: Mapping[str, Array]
    ) -> tuple[Array, Array, Tensors]:
        """Run the propagate graph on one frame.

        Args:
            luma: [1, 1, h, w] float32 in [0, 1], h and w being multiples of the size multiple.
            state: Of the frame before.
            memory: Of k keys, as `stack` gives it.
            flows: At least the inputs named in `self.flows`, [1, 2, h, w] or [k, 2, h, w].

        Returns:
            Chroma [1, 2, h, w] in [-0.5, 0.5], confidence [1, 1, h, w] in [0, 1], and the state
            after the frame.

        Raises:
            BundleError: The graph failed, or gave values that are no numbers or out of range.
        """
        planes = {contract.LUMA: luma, **{name: flows[name] for name in self.flows}}
        feeds = {contract.STATE + name: tensor for name, tensor in state.items()}
        feeds |= {contract.MEMORY + name: tensor for name, tensor in memory.items()}
        _, _, height, width = luma.shape
        shapes = {
            contract.CHROMA: (1, 2, height, width),
            contract.CONFIDENCE: (1, 1, height, width),
        }
        graph = self._propagate
        if self._sized is not None:
            given = {name: tensor.shape() for name, tensor in feeds.items()}
            graph = self._sized.get(given | {name: plane.shape for name, plane in planes.items()})
        fetched, outputs = self._run(graph, planes, feeds, shapes)
        chroma, confidence = fetched[contract.CHROMA], fetched[contract.CONFIDENCE]
        self._check_range(contract.CHROMA, chroma, -0.5, 0.5)
        self._check_range(contract.CONFIDENCE, confidence, 0, 1)
        return chroma, confidence, _strip(outputs, contract.NEXT)

    def _check_range(self, name: str, planes: Array, low: float, high: float) -> None:
        """Raise BundleError for values that mean nothing; clip what is out of range by rounding."""
        least, most = planes.min(), planes.max()
        if low <= least and most <= high:
            return
        if not (low - _ROUNDING <= least and most <= high + _ROUNDING):  # also for NaN
            what = (
                f"holds values from {least:.4g} to {most:.4g}"
                if np.isfinite(least) and np.isfinite(most)
                else "holds values that are no numbers"
            )
            raise BundleError(
                f"model {self.metadata.name!r}: {name} {what}, numbers from {low:g} to {high:g} "
                "are needed"
            )
        np.clip(planes, low, high, out=planes)

    def stack(self, memories: Iterable[Tensors]) -> Tensors:
        """The memory of several keys: each tensor concatenated along its first axis.

        This goes over the host. It is done once for a pass, not once for a frame.
        """
        first, *others = memories
        if not others:
            return first
        return {
            name: self._tensor(np.concatenate([m[name].numpy() for m in (first, *others)]))
            for name in first
        }

    def zeros(self, like: Tensors) -> Tensors:
        """Zeros with the names, shapes and types of `like`. As a state this means 'no past'."""
        return {name: self._tensor(np.zeros_like(t.numpy())) for name, t in like.items()}

    def _tensor(self, array: NDArray[Any]) -> OrtValue:
        array = np.ascontiguousarray(array)
        return onnxruntime().OrtValue.ortvalue_from_numpy(array, self.provider, self.device_id)

    def _run(
        self, graph: InferenceSession, planes: Mapping[str, Array], feeds: Tensors, shapes: Shapes
    ) -> tuple[dict[str, Array], dict[str, OrtValue]]:
        """Run a graph on planes of the host and on tensors of the session's device.

        Returns the outputs named in `shapes`, on the host, and all others, on the device.
        """
        binding = graph.io_binding()
        for name, tensor in feeds.items():
            binding.bind_ortvalue_input(name, tensor)
        buffer = StagingBuffer(
            binding, self.provider, self.device_id, inputs=planes, output_shapes=shapes
        )
        kept = [tensor.name for tensor in graph.get_outputs() if tensor.name not in shapes]
        for name in kept:
            binding.bind_output(name, self.provider, self.device_id)
        try:
            running.run(
                lambda options: graph.run_with_iobinding(binding, options),
                verbosity=self._verbosity,
            )
        except Exception as error:  # onnxruntime's own classes share no other base
            if is_out_of_memory(error):
                raise MemoryError from error
            raise BundleError(
                f"model {self.metadata.name!r} failed: {first_line(error)}"
            ) from error
        # In the order in which they were bound.
        outputs = dict(zip([*shapes, *kept], binding.get_outputs(), strict=True))
        return buffer.fetch(), {name: outputs[name] for name in kept}


def _precision(bundle: Path, provider: str) -> str:
    """The precision that 'auto' stands for."""
    if provider == "cuda":
        return "float16"
    return contract.INT8 if contract.has_int8(bundle) else "float32"


def _strip(tensors: Tensors, prefix: str) -> Tensors:
    return {name[len(prefix) :]: t for name, t in tensors.items() if name.startswith(prefix)}
