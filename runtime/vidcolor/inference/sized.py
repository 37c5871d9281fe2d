"""A graph for each size of its inputs: what it computes of sizes alone is computed once, at load.

A graph whose sizes are open reads them from its inputs at every run, in dozens of small operators,
which run on the CPU with a copy from the device for each. onnxruntime folds them where it is told
the sizes before it optimises the graph. A run of fixed sizes can also be recorded.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Protocol

from vidcolor.inference.agreement import CheckedRun
from vidcolor.inference.fallback import Fallback
from vidcolor.inference.recording import RecordedRun
from vidcolor.inference.runner import Run, Runner

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

Sizes = Mapping[str, int]
"""Symbolic axes of a graph by name, and how long they are."""
MOST = 4
"""Graphs that are kept: each holds the weights once more."""


class SizedGraphs:
    """The same graph for several sizes; any number of threads can use it."""

    def __init__(self, graph: InferenceSession, reopen: Callable[[Sizes], Run]) -> None:
        """graph: with open sizes. reopen: opens it once more, for some, and gives what runs it."""
        self._axes = {tensor.name: tensor.shape for tensor in graph.get_inputs()}
        self._reopen = reopen
        self._lock = threading.Lock()
        self._runs: OrderedDict[tuple[tuple[str, int], ...], Run] = OrderedDict()

    def get(self, shapes: Mapping[str, tuple[int, ...]]) -> Run:
        """What runs the graph for inputs of these shapes; the one used longest ago is let go."""
        sizes = self.sizes(shapes)
        with self._lock:
            key = tuple(sorted(sizes.items()))
            if key not in self._runs:
                self._runs[key] = self._reopen(sizes)
            self._runs.move_to_end(key)
            if len(self._runs) > MOST:
                self._runs.popitem(last=False)
            return self._runs[key]

    def sizes(self, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, int]:
        """How long the symbolic axes are in inputs of these shapes, by name."""
        return {
            axis: size
            for name, shape in shapes.items()
            for axis, size in zip(self._axes[name], shape, strict=True)
            if isinstance(axis, str)
        }


class _Open(Protocol):
    """Opens the graph on its provider for some sizes; record: so that runs can be recorded."""

    def __call__(self, sizes: Sizes, *, record: bool = False) -> InferenceSession: ...


def sized_graphs(
    graph: InferenceSession, reopen: _Open, runner: Runner, provider: str
) -> SizedGraphs:
    """A graph on a provider that is not the CPU, for several sizes.

    Args:
        graph: With open sizes, on the CPU or CUDA: what it gives is right.
        reopen: Opens it on the provider.
        runner: Runs both.
        provider: On CUDA runs are recorded. Of another one the first run of each size is compared.

    Returns:
        The graphs; none is opened yet.
    """
    right = partial(runner.run, graph)
    fallback = Fallback("CUDA graphs are not used, which makes small frames slower")

    def plain(sizes: Sizes) -> Run:
        return partial(runner.run, runner.in_turn(lambda _: reopen(sizes)))

    def opened(sizes: Sizes) -> Run:
        if provider == "cuda":
            record = partial(reopen, sizes, record=True)
            return RecordedRun(record, partial(plain, sizes), right, runner, fallback)
        fault = f"use another provider: {provider!r} does not compute what the model says"
        return CheckedRun(plain(sizes), right, runner, times=1, fault=fault)

    return SizedGraphs(graph, opened)
