"""Whether an execution provider computes what the CPU or CUDA computes, seen from its first run.

A provider can load a graph and give numbers that have nothing to do with it, without an error:
OpenVINO's of onnxruntime-openvino 1.24.1 does so for graphs with inputs that no node reads. So the
first run of each graph of a provider that vidcolor is not made for is done there as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from weakref import WeakSet

import numpy as np
from numpy.typing import NDArray

from vidcolor.errors import ProviderError

SHARE, LEAST = 5e-3, 5e-4
"""The mean difference of an output may be this share of its largest value, and this much besides:
an eighth of a code of 8 bits. Rounding in 16 bits makes a tenth of it."""


class Agreement:
    """Compares the first results of a provider's graphs; threads may share it."""

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._seen: WeakSet[Any] = WeakSet()

    def is_seen(self, graph: Any) -> bool:
        """Whether a graph was compared before."""
        return graph in self._seen

    def check(
        self, graph: Any, expected: Mapping[str, NDArray[Any]], found: Mapping[str, NDArray[Any]]
    ) -> None:
        """Compare a graph's outputs, and remember that this was done.

        Args:
            graph: The provider's session of the graph.
            expected: What is right, by the names of outputs.
            found: What the provider gave, likewise.

        Raises:
            ProviderError: They are not the same but for rounding.
        """
        for name, wanted in expected.items():
            given = found[name]
            if given.shape != wanted.shape or not _is_close(given, wanted):
                raise ProviderError(
                    f"provider {self._provider!r} does not compute what the model says "
                    f"({name} differs by more than rounding); use another provider"
                )
        self._seen.add(graph)


def _is_close(found: NDArray[Any], wanted: NDArray[Any]) -> bool:
    wanted, found = wanted.astype(np.float32), found.astype(np.float32)
    allowed = LEAST + SHARE * np.abs(wanted).max(initial=0)
    return bool(np.abs(found - wanted).mean() <= allowed)  # not for NaN
