"""A model bundle in onnxruntime: its graphs as functions from tensors to tensors.

A session knows tensors and devices and nothing of video. It keeps nothing between calls, so any
number of threads can use one. On CUDA, state and memory are created on the device and stay there.

The CPU runs graphs whose sizes are open. Other providers get a propagate graph for each size, see
`vidcolor.inference.sized`. CUDA records its runs, see `vidcolor.inference.recording`. Of those that
vidcolor is not made for, `vidcolor.inference.agreement` compares the first results with what the
CPU or CUDA gives; keys, once each, are remembered there.
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
from vidcolor.errors import ArgumentError, BundleError
from vidcolor.files import named_errors
from vidcolor.inference import contract
from vidcolor.inference.bundle import DEFAULT_MODEL, check_bundle, find_bundle
from vidcolor.inference.io_binding import Array, Shapes
from vidcolor.inference.known_providers import KNOWN, OWN
from vidcolor.inference.providers import ERRORS, FATAL, open_graph, start
from vidcolor.inference.runner import Outputs, Runner, Tensors
from vidcolor.inference.sized import SizedGraphs, Sizes, sized_graphs

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

PRECISIONS = ("auto", *contract.PRECISIONS, contract.INT8)

_ROUNDING = 1e-3
"""How far chroma and confidence may be out of range: rounding in 8 or 16 bits."""


@dataclass(frozen=True)
class Session:
    """A loaded bundle; `Session.load` makes one."""

    metadata: contract.Metadata
    provider: str
    """Where it runs: one of `vidcolor.inference.known_providers.KNOWN`."""
    precision: str
    """'float32', 'float16' or 'int8'."""
    flows: frozenset[str]
    """Which of the contract's optional flow inputs the propagate graph has."""
    _runner: Runner = field(repr=False)
    _graphs: Mapping[str, InferenceSession] = field(repr=False)
    """By their names in the contract, with open sizes, on the CPU or CUDA."""
    _sized: SizedGraphs | None = field(default=None, repr=False)
    """The propagate graph for each size; None on the CPU, where reading sizes at each run costs
    nothing."""

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
            provider: 'cpu', 'cuda', 'auto': CUDA where it works, else the CPU; or another of
                `vidcolor.inference.known_providers.PROVIDERS` that onnxruntime has.
            device_id: Which of the provider's devices, from 0.
            precision: 'float32', 'float16', 'int8' (on the CPU, for bundles that have it), or
                'auto': float16 on CUDA; on the CPU int8 where the bundle has it, else float32;
                on others as `KNOWN` says.
            threads: CPU threads that share the work of one frame; None leaves it to onnxruntime
                where the process may use all of the machine's cores, and else is one for each.
            verbosity: How much onnxruntime writes to stderr, from 0, everything, to 4, fatal
                errors only.

        Raises:
            BundleNotFoundError: There is no such bundle.
            BundleError: The bundle is damaged, incomplete or breaks the contract.
            ProviderError: The provider is not available, or not able to run the model.
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
        if precision == contract.INT8 and provider != "cpu":
            raise ArgumentError(
                "precision is 'int8', which is for the CPU; accepted with provider "
                f"{provider!r} are auto, {', '.join(contract.PRECISIONS)}"
            )

        def opened(
            name: str, on: str, sizes: Sizes | None = None, *, record: bool = False
        ) -> InferenceSession:
            return open_graph(
                contract.graph_path(bundle, name, precision),
                provider=on,
                device_id=device_id,
                # It is run for several frames side by side.
                threads=1 if name == contract.OF_LUMA else threads,
                verbosity=verbosity,
                sizes=sizes,
                record=record,
            )

        memory = KNOWN[provider].memory  # 'cpu' or 'cuda', as the providers are called
        graphs = {name: opened(name, memory) for name in contract.graph_paths(bundle, precision)}
        metadata = check_bundle(bundle, precision, graphs)
        runner = Runner(
            metadata.name,
            memory,
            0 if memory == "cpu" else device_id,
            FATAL if verbosity == ERRORS else verbosity,
        )
        propagate = graphs["propagate"]
        session = cls(
            metadata=metadata,
            provider=provider,
            precision=precision,
            flows=contract.FLOWS & {tensor.name for tensor in propagate.get_inputs()},
            _runner=runner,
            _graphs=graphs,
            _sized=(
                None
                if provider == "cpu"
                else sized_graphs(
                    propagate, partial(opened, "propagate", provider), runner, provider
                )
            ),
        )
        if provider not in OWN:
            session._try()
        return session

    def _try(self) -> None:
        """Colour a small frame: raises what `propagate` raises, before work begins."""
        rng, side = np.random.default_rng(0), 2 * self.metadata.size_multiple
        planes = rng.random((8, side, side), np.float32)
        planes[4:] *= side / 4  # flow is in pixels
        memory, state = self.remember(planes[None, :1], planes[None, 1:3] - 0.5)
        flows = {name: planes[None, n : n + 2] for n, name in enumerate(sorted(self.flows), 4)}
        luma = planes[None, 3:4]
        self.propagate(luma, state, memory, flows, self.features(luma))

    @property
    def is_on_device(self) -> bool:
        """Whether the graphs leave the CPU's cores to other work."""
        return KNOWN[self.provider].is_device

    @property
    def device_runner(self) -> Runner | None:
        """What runs graphs that are not the model's where state and memory stay.

        None where that is the CPU: planes of the host are best worked on there.
        """
        return None if self._runner.memory == "cpu" else self._runner

    @property
    def has_features(self) -> bool:
        """Whether a graph of its own computes what `propagate` needs of luma alone."""
        return contract.OF_LUMA in self._graphs

    @property
    def remembers(self) -> bool:
        """Whether the model keeps anything of a key but the state right after it."""
        names = (tensor.name for tensor in self._graphs["propagate"].get_inputs())
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
        _, outputs = self._runner.run(self._graphs["remember"], planes, {}, {})
        return _strip(outputs, contract.MEMORY), _strip(outputs, contract.NEXT)

    def features(self, luma: Array) -> Tensors:
        """What `propagate` needs of a frame's luma alone: it can be computed ahead of time.

        Args:
            luma: As in `propagate`.

        Returns:
            The tensors by name; none unless `has_features`.

        Raises:
            BundleError: The graph failed.
        """
        if not self.has_features:
            return {}
        _, outputs = self._runner.run(self._graphs[contract.OF_LUMA], {contract.LUMA: luma}, {}, {})
        return _strip(outputs, contract.FEATURES)

    def propagate(
        self,
        luma: Array,
        state: Tensors,
        memory: Tensors,
        flows: Mapping[str, Array],
        features: Tensors,
    ) -> tuple[Array, Array, Tensors]:
        """Run the propagate graph on one frame.

        Args:
            luma: [1, 1, h, w] float32 in [0, 1], h and w being multiples of the size multiple.
            state: Of the frame before.
            memory: Of k keys, as `stack` gives it.
            flows: At least the inputs named in `self.flows`, [1, 2, h, w] or [k, 2, h, w].
            features: Of `luma`, as `features` gives them.

        Returns:
            Chroma [1, 2, h, w] in [-0.5, 0.5], confidence [1, 1, h, w] in [0, 1], and the state
            after the frame.

        Raises:
            BundleError: The graph failed, or gave values that are no numbers or out of range.
            ProviderError: The provider cannot run the graph at this size, or not rightly.
        """
        planes = {contract.LUMA: luma, **{name: flows[name] for name in self.flows}}
        feeds = {contract.STATE + name: tensor for name, tensor in state.items()}
        feeds |= {contract.MEMORY + name: tensor for name, tensor in memory.items()}
        feeds |= {contract.FEATURES + name: tensor for name, tensor in features.items()}
        _, _, height, width = luma.shape
        shapes = {
            contract.CHROMA: (1, 2, height, width),
            contract.CONFIDENCE: (1, 1, height, width),
        }
        fetched, outputs = self._run(planes, feeds, shapes)
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
        arrays = [self._runner.arrays(memory) for memory in (first, *others)]
        return {
            name: self._runner.tensor(np.concatenate([array[name] for array in arrays]))
            for name in first
        }

    def zeros(self, like: Tensors) -> Tensors:
        """Zeros with the names, shapes and types of `like`. As a state this means 'no past'."""
        return self.tensors({name: np.zeros_like(a) for name, a in self.arrays(like).items()})

    def arrays(self, tensors: Tensors) -> dict[str, NDArray[Any]]:
        """The values of tensors, by name; on the CPU they are views."""
        return self._runner.arrays(tensors)

    def tensors(self, arrays: Mapping[str, NDArray[Any]]) -> Tensors:
        """Tensors on the session's device with the values that `arrays` gave."""
        return {name: self._runner.tensor(array) for name, array in arrays.items()}

    def _run(self, planes: Mapping[str, Array], feeds: Tensors, shapes: Shapes) -> Outputs:
        """Run the propagate graph, as `Runner.run` does."""
        if self._sized is None:
            return self._runner.run(self._graphs["propagate"], planes, feeds, shapes)
        given = {name: tuple(tensor.shape()) for name, tensor in feeds.items()}
        run = self._sized.get(given | {name: plane.shape for name, plane in planes.items()})
        return run(planes, feeds, shapes)


def _precision(bundle: Path, provider: str) -> str:
    """The precision that 'auto' stands for."""
    if provider == "cpu" and contract.has_int8(bundle):
        return contract.INT8
    return KNOWN[provider].precision


def _strip(tensors: Tensors, prefix: str) -> Tensors:
    return {name[len(prefix) :]: t for name, t in tensors.items() if name.startswith(prefix)}
