"""A bundle's graphs opened in onnxruntime: on which provider, in which precision, by the contract.

The CPU runs graphs whose sizes are open. Other providers get a propagate graph for each size, see
`vidcolor.inference.sized`. CUDA records its runs, see `vidcolor.inference.recording`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

from vidcolor.errors import ArgumentError
from vidcolor.inference import contract
from vidcolor.inference.bundle import check_bundle
from vidcolor.inference.known_providers import KNOWN
from vidcolor.inference.providers import ERRORS, FATAL, open_graph
from vidcolor.inference.runner import Runner
from vidcolor.inference.sized import SizedGraphs, Sizes, sized_graphs

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


@dataclass(frozen=True)
class OpenBundle:
    """A bundle whose graphs are open, and keep the contract; `open` makes one."""

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
    def open(
        cls,
        bundle: Path,
        *,
        provider: str,
        device_id: int,
        precision: str,
        threads: int | None,
        verbosity: int,
    ) -> Self:
        """Open the graphs and check them.

        Args:
            bundle: The folder.
            provider: One of `vidcolor.inference.known_providers.KNOWN`.
            device_id: As in `vidcolor.inference.session.Session.load`, and so is all that follows.
            precision: Likewise.
            threads: Likewise.
            verbosity: Likewise.

        Raises:
            BundleError: The bundle is damaged, incomplete or breaks the contract.
            ProviderError: The provider is not available, or not able to run the model.
            ArgumentError: The provider does not compute in this precision.
        """
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
        reopen = partial(opened, "propagate", provider)
        return cls(
            metadata=metadata,
            provider=provider,
            precision=precision,
            flows=contract.FLOWS & {tensor.name for tensor in propagate.get_inputs()},
            _runner=runner,
            _graphs=graphs,
            _sized=(
                None if provider == "cpu" else sized_graphs(propagate, reopen, runner, provider)
            ),
        )

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


def _precision(bundle: Path, provider: str) -> str:
    """The precision that 'auto' stands for."""
    if provider == "cpu" and contract.has_int8(bundle):
        return contract.INT8
    return KNOWN[provider].precision
