"""A model bundle in onnxruntime: its graphs as functions from tensors to tensors.

A session knows tensors and devices and nothing of video. It keeps nothing between calls, so any
number of threads can use one. On CUDA, state and memory are created on the device and stay there.
How graphs are opened is told in `vidcolor.inference.open_bundle`.

Of providers that vidcolor is not made for, `vidcolor.inference.agreement` compares the first
results with what the CPU or CUDA gives; keys, once each, are remembered there.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidcolor.checks import check_choice, check_whole
from vidcolor.errors import ArgumentError, BundleError
from vidcolor.files import named_errors
from vidcolor.inference import contract
from vidcolor.inference.bundle import DEFAULT_MODEL, find_bundle
from vidcolor.inference.io_binding import Array, Shapes
from vidcolor.inference.known_providers import OWN
from vidcolor.inference.open_bundle import OpenBundle
from vidcolor.inference.providers import ERRORS, FATAL, start
from vidcolor.inference.runner import Outputs, Tensors

PRECISIONS = ("auto", *contract.PRECISIONS, contract.INT8)

_ROUNDING = 1e-3
"""How far chroma and confidence may be out of range: rounding in 8 or 16 bits."""


@dataclass(frozen=True)
class Session(OpenBundle):
    """A loaded bundle; `Session.load` makes one."""

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

        def opened(provider: str) -> Session:
            session = cls.open(
                bundle,
                provider=provider,
                device_id=device_id,
                precision=precision,
                threads=threads,
                verbosity=verbosity,
            )
            if provider not in OWN:
                session._try()
            return session

        with named_errors(f"model: {bundle} cannot be read", BundleError):
            return start(provider, device_id, opened)

    def _try(self) -> None:
        """Colour a small frame: raises what `propagate` raises, before work begins."""
        rng, side = np.random.default_rng(0), 2 * self.metadata.size_multiple
        planes = rng.random((8, side, side), np.float32)
        planes[4:] *= side / 4  # flow is in pixels
        memory, state = self.remember(planes[None, :1], planes[None, 1:3] - 0.5)
        flows = {name: planes[None, n : n + 2] for n, name in enumerate(sorted(self.flows), 4)}
        luma = planes[None, 3:4]
        self.propagate(luma, state, memory, flows, self.features(luma))

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


def _strip(tensors: Tensors, prefix: str) -> Tensors:
    return {name[len(prefix) :]: t for name, t in tensors.items() if name.startswith(prefix)}
