"""A graph for each size of its inputs: what it computes of sizes alone is computed once, at load.

A graph whose sizes are open reads them from its inputs at every run, in dozens of small operators,
which run on the CPU with a copy from the device for each. onnxruntime folds them where it is told
the sizes before it optimises the graph.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

Sizes = Mapping[str, int]
"""Symbolic axes of a graph by name, and how long they are."""
MOST = 4
"""Graphs that are kept: each holds the weights once more."""


class SizedGraphs:
    """The same graph for several sizes; any number of threads can use it."""

    def __init__(
        self, graph: InferenceSession, reopen: Callable[[Sizes], InferenceSession]
    ) -> None:
        """graph: with open sizes. reopen: opens it once more, for some."""
        self._axes = {tensor.name: tensor.shape for tensor in graph.get_inputs()}
        self._reopen = reopen
        self._lock = threading.Lock()
        self._graphs: OrderedDict[tuple[tuple[str, int], ...], InferenceSession] = OrderedDict()

    def get(self, shapes: Mapping[str, tuple[int, ...]]) -> InferenceSession:
        """The graph for inputs of these shapes, by name; the one used longest ago is let go."""
        sizes = self.sizes(shapes)
        with self._lock:
            key = tuple(sorted(sizes.items()))
            if key not in self._graphs:
                self._graphs[key] = self._reopen(sizes)
            self._graphs.move_to_end(key)
            if len(self._graphs) > MOST:
                self._graphs.popitem(last=False)
            return self._graphs[key]

    def sizes(self, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, int]:
        """How long the symbolic axes are in inputs of these shapes, by name."""
        return {
            axis: size
            for name, shape in shapes.items()
            for axis, size in zip(self._axes[name], shape, strict=True)
            if isinstance(axis, str)
        }
