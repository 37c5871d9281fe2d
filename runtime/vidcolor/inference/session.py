"""A model bundle in onnxruntime: its two graphs as functions, tensors in and tensors out.

Knows tensors and devices, nothing of video. Nothing is kept between calls, so that one `Session`
serves any number of threads. On CUDA, state and memory are born on the device and stay there.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vidcolor.checks import check_choice, check_whole
from vidcolor.errors import ArgumentError, BundleError
from vidcolor.inference import contract
from vidcolor.inference.bundle import DEFAULT_MODEL, check_bundle, find_bundle
from vidcolor.inference.io_binding import Array, Freight, Shapes
from vidcolor.inference.providers import ERRORS, FATAL, first_line, onnxruntime, open_graph, start

if TYPE_CHECKING:
    from onnxruntime import InferenceSession, OrtValue

PRECISIONS = ("auto", *contract.PRECISIONS, contract.INT8)

Tensors = Mapping[str, "OrtValue"]
"""By their names in the contract, without the prefix (``state.``, ``next.``, ``memory.``)."""


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
    """Which of the contract's optional flow inputs the propagate graph asks for."""
    _remember: InferenceSession = field(repr=False)
    _propagate: InferenceSession = field(repr=False)

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
        """Load a bundle and hold it against the contract.

        model: the name of a shipped bundle, or the path of a bundle's folder.
        provider: 'cpu', 'cuda', or 'auto': CUDA where it works, else the CPU.
        device_id: which CUDA device, from 0.
        precision: 'float32', 'float16', 'int8' (on the CPU, for bundles that have it), or 'auto':
        float16 on CUDA; on the CPU int8 where the bundle has it, else float32.
        threads: CPU threads that share the work of one frame; None leaves it to onnxruntime.
        verbosity: how much onnxruntime says on stderr, 0, everything, to 4, fatal errors only.

        Raises BundleNotFoundError, BundleError, ProviderError, ArgumentError.
        """
        check_choice("precision", precision, PRECISIONS)
        if threads is not None:
            check_whole("threads", threads, least=1)
        if verbosity not in range(FATAL + 1):
            raise ArgumentError(f"verbosity is {verbosity!r}, accepted are 0 to {FATAL}")
        bundle = find_bundle(model)
        return start(
            provider,
            device_id,
            lambda provider: cls._open(bundle, provider, device_id, precision, threads, verbosity),
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
        graphs = {
            name: open_graph(
                contract.graph_path(bundle, name, precision),
                provider=provider,
                device_id=device_id,
                threads=threads,
                verbosity=verbosity,
            )
            for name in contract.GRAPHS
        }
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
        )

    def remember(self, luma: Array, chroma: Array) -> tuple[Tensors, Tensors]:
        """Run the remember graph on a key: luma [1, 1, h, w], chroma [1, 2, h, w], padded.

        Returns (memory, state).
        """
        planes = {contract.KEY_LUMA: luma, contract.KEY_CHROMA: chroma}
        _, outputs = self._run(self._remember, planes, {}, {})
        return _strip(outputs, contract.MEMORY), _strip(outputs, contract.NEXT)

    def propagate(
        self, luma: Array, state: Tensors, memory: Tensors, flows: Mapping[str, Array]
    ) -> tuple[Array, Array, Tensors]:
        """Run the propagate graph on one frame: luma [1, 1, h, w], padded.

        flows: the inputs named in `self.flows` at least, [1, 2, h, w] and [k, 2, h, w].
        Returns (chroma [1, 2, h, w], confidence [1, 1, h, w], next state).
        """
        planes = {contract.LUMA: luma, **{name: flows[name] for name in self.flows}}
        feeds = {contract.STATE + name: tensor for name, tensor in state.items()}
        feeds |= {contract.MEMORY + name: tensor for name, tensor in memory.items()}
        _, _, height, width = luma.shape
        wanted = {
            contract.CHROMA: (1, 2, height, width),
            contract.CONFIDENCE: (1, 1, height, width),
        }
        made, outputs = self._run(self._propagate, planes, feeds, wanted)
        return made[contract.CHROMA], made[contract.CONFIDENCE], _strip(outputs, contract.NEXT)

    def stack(self, memories: Iterable[Tensors]) -> Tensors:
        """The memories of several keys as one: each tensor concatenated along its first axis.

        Goes over the host; it is done once for a segment, not for a frame.
        """
        first, *others = memories
        if not others:
            return first
        return {
            name: self._tensor(np.concatenate([m[name].numpy() for m in (first, *others)]))
            for name in first
        }

    def zeros(self, like: Tensors) -> Tensors:
        """All-zero tensors of the same names, shapes and types: as a state, 'no past'."""
        return {name: self._tensor(np.zeros_like(t.numpy())) for name, t in like.items()}

    def _tensor(self, array: NDArray[Any]) -> OrtValue:
        array = np.ascontiguousarray(array)
        return onnxruntime().OrtValue.ortvalue_from_numpy(array, self.provider, self.device_id)

    def _run(
        self, graph: InferenceSession, planes: Mapping[str, Array], feeds: Tensors, wanted: Shapes
    ) -> tuple[dict[str, Array], dict[str, OrtValue]]:
        """Run `graph` on planes of the host and on tensors that are where the session runs.

        Returns the planes that are wanted, on the host, and all other outputs, which stay there.
        """
        binding, device = graph.io_binding(), (self.provider, self.device_id)
        for name, tensor in feeds.items():
            binding.bind_ortvalue_input(name, tensor)
        freight = Freight(binding, *device, there=planes, back=wanted)
        kept = [tensor.name for tensor in graph.get_outputs() if tensor.name not in wanted]
        for name in kept:
            binding.bind_output(name, *device)
        try:
            graph.run_with_iobinding(binding)
        except Exception as error:  # onnxruntime's own classes share no other base
            raise BundleError(
                f"model {self.metadata.name!r} failed: {first_line(error)}"
            ) from error
        # In the order in which they were bound.
        outputs = dict(zip([*wanted, *kept], binding.get_outputs(), strict=True))
        return freight.fetch(), {name: outputs[name] for name in kept}


def _precision(bundle: Path, provider: str) -> str:
    """What 'auto' stands for."""
    if provider == "cuda":
        return "float16"
    return contract.INT8 if contract.has_int8(bundle) else "float32"


def _strip(tensors: Tensors, prefix: str) -> Tensors:
    return {name[len(prefix) :]: t for name, t in tensors.items() if name.startswith(prefix)}
