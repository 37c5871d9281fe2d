"""Runs of a model's graphs on planes of the host and on tensors that stay where they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vidcolor.errors import BundleError, is_out_of_memory
from vidcolor.inference import running
from vidcolor.inference.io_binding import Array, Shapes, StagingBuffer
from vidcolor.inference.providers import FATAL, first_line, onnxruntime

if TYPE_CHECKING:
    from onnxruntime import InferenceSession, OrtValue

Tensors = Mapping[str, "OrtValue"]
"""State or memory by the contract's names without prefix (``state.``, ``next.``, ``memory.``)."""


@dataclass(frozen=True)
class Runner:
    """Runs graphs of one model. It keeps nothing between runs, so threads may share it."""

    model: str
    """Its name, for errors."""
    memory: str = "cpu"
    """Where tensors stay: 'cpu', or 'cuda' for a provider that has its memory there."""
    device_id: int = 0
    """Which device's memory; 0 on the CPU."""
    verbosity: int = FATAL
    """The least severity that onnxruntime writes to stderr in a run, 0 to 4."""

    def run(
        self, graph: InferenceSession, planes: Mapping[str, Array], feeds: Tensors, shapes: Shapes
    ) -> tuple[dict[str, Array], dict[str, OrtValue]]:
        """Run a graph once.

        Args:
            graph: The graph.
            planes: Inputs on the host, float32, by name.
            feeds: The other inputs, in this runner's memory.
            shapes: Of the outputs that are wanted on the host, by name.

        Returns:
            The outputs named in `shapes`, and all others, which stay in this runner's memory.

        Raises:
            BundleError: The graph failed.
            MemoryError: There was not enough memory.
        """
        binding = graph.io_binding()
        for name, tensor in feeds.items():
            binding.bind_ortvalue_input(name, tensor)
        buffer = StagingBuffer(
            binding, self.memory, self.device_id, inputs=planes, output_shapes=shapes
        )
        kept = [tensor.name for tensor in graph.get_outputs() if tensor.name not in shapes]
        for name in kept:
            binding.bind_output(name, self.memory, self.device_id)
        self.call(graph, binding)
        # In the order in which they were bound.
        outputs = dict(zip([*shapes, *kept], binding.get_outputs(), strict=True))
        return buffer.fetch(), {name: outputs[name] for name in kept}

    def call(self, graph: InferenceSession, binding: Any) -> None:
        """Run a graph on what is bound to it; raises as `run` does."""
        try:
            running.run(
                lambda options: graph.run_with_iobinding(binding, options),
                verbosity=self.verbosity,
            )
        except Exception as error:  # onnxruntime's own classes share no other base
            if is_out_of_memory(error):
                raise MemoryError from error
            raise BundleError(f"model {self.model!r} failed: {first_line(error)}") from error

    def tensor(self, array: NDArray[Any]) -> OrtValue:
        """A copy of an array in this runner's memory."""
        array = np.ascontiguousarray(array)
        return onnxruntime().OrtValue.ortvalue_from_numpy(array, self.memory, self.device_id)
