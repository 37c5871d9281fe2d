"""Whether a graph computes what it computes elsewhere, seen from its first runs.

A provider can load a graph and give numbers that have nothing to do with it, without an error:
OpenVINO's of onnxruntime-openvino 1.24.1 does so for graphs with inputs that no node reads. A
recorded run may replay what was meant for another frame. So the first runs of either are done a
second time, in a way that is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidcolor.errors import ProviderError
from vidcolor.inference.io_binding import Shapes
from vidcolor.inference.runner import Outputs, Planes, Run, Runner, Tensors

SHARE, LEAST = 5e-3, 5e-4
"""The mean difference of an output may be this share of its largest value, and this much besides:
an eighth of a code of 8 bits. Rounding in 16 bits makes a tenth of it."""


class CheckedRun:
    """Runs a graph, and compares its first runs; threads may share it."""

    def __init__(self, run: Run, right: Run, runner: Runner, *, times: int, fault: str) -> None:
        """Compare the first results of a run.

        Args:
            run: What is used.
            right: What its first results are compared with.
            runner: Whose tensors both give.
            times: How many of them.
            fault: What to say where they differ.
        """
        self._run, self._right, self._runner = run, right, runner
        self._left, self._fault = times, fault

    def __call__(self, planes: Planes, feeds: Tensors, shapes: Shapes) -> Outputs:
        """As `Run`; raises ProviderError where a result is not the same but for rounding."""
        found = self._run(planes, feeds, shapes)
        if self._left > 0:
            right = self._right(planes, feeds, shapes)
            wanted, given = self._values(right), self._values(found)
            for name in wanted:
                if not is_close(given[name], wanted[name]):
                    raise ProviderError(f"{self._fault}: {name} differs by more than rounding")
            self._left -= 1
        return found

    def _values(self, outputs: Outputs) -> Mapping[str, NDArray[Any]]:
        fetched, tensors = outputs
        return {**fetched, **self._runner.arrays(tensors)}


def is_close(found: NDArray[Any], wanted: NDArray[Any]) -> bool:
    """Whether two results of the same graph differ by no more than rounding in 16 bits."""
    numbers = np.isfinite(wanted)
    if found.shape != wanted.shape or not np.array_equal(np.isfinite(found), numbers):
        return False
    wanted, found = wanted[numbers].astype(np.float32), found[numbers].astype(np.float32)
    allowed = LEAST + SHARE * np.abs(wanted).max(initial=0)
    return wanted.size == 0 or bool(np.abs(found - wanted).mean() <= allowed)
