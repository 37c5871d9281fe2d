"""Runs of a model's graphs on planes of the host and on tensors that stay where they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vidcolor.errors import BundleError, VidcolorError, is_out_of_memory
from vidcolor.inference import running
from vidcolor.inference.io_binding import Array, Shapes, StagingBuffer
from vidcolor.inference.providers import FATAL, first_line, onnxruntime

if TYPE_CHECKING:
    from onnxruntime import InferenceSession, OrtValue

Tensors = Mapping[str, "OrtValue"]
"""State or memory by the contract's names without prefix (``state.``, ``next.``, ``memory.``)."""

Planes = Mapping[str, Array]
"""Inputs of a graph on the host, float32, by name."""

Outputs = tuple[dict[str, Array], dict[str, "OrtValue"]]
"""Those outputs of a graph that were wanted on the host, and all others, by name."""

Run = Callable[[Planes, Tensors, Shapes], Outputs]
"""Runs a graph on planes and tensors; the shapes are of the outputs that are wanted on the host."""


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
        self, graph: InferenceSession, planes: Planes, feeds: Tensors, shapes: Shapes
    ) -> Outputs:
        """Run a graph once.

        Args:
            graph: The graph.
            planes: Its inputs on the host.
            feeds: Its other inputs, in this runner's memory, by name.
            shapes: Of the outputs that are wanted on the host, by name.

        Returns:
            The outputs named in `shapes`, and all others, which stay in this runner's memory.

        Raises:
            BundleError: The graph failed.
            MemoryError: There was not enough memory.
        """

        def run(options: Any) -> Outputs:
            binding = graph.io_binding()
            for name, tensor in feeds.items():
                binding.bind_ortvalue_input(name, tensor)
            buffer = StagingBuffer(
                binding, self.memory, self.device_id, inputs=planes, output_shapes=shapes
            )
            kept = [tensor.name for tensor in graph.get_outputs() if tensor.name not in shapes]
            for name in kept:
                binding.bind_output(name, self.memory, self.device_id)
            graph.run_with_iobinding(binding, options)
            # In the order in which they were bound.
            outputs = dict(zip([*shapes, *kept], binding.get_outputs(), strict=True))
            return buffer.fetch(), {name: outputs[name] for name in kept}

        return self.in_turn(run)

    def tensor(self, array: NDArray[Any]) -> OrtValue:
        """A copy of an array in this runner's memory."""
        array = np.ascontiguousarray(array)
        make = onnxruntime().OrtValue.ortvalue_from_numpy
        return self.in_turn(lambda _: make(array, self.memory, self.device_id))

    def arrays(self, tensors: Tensors) -> dict[str, NDArray[Any]]:
        """The values of tensors, by name; on the CPU they are views."""
        return self.in_turn(lambda _: {name: tensor.numpy() for name, tensor in tensors.items()})

    def in_turn[Result](self, call: Callable[[Any], Result]) -> Result:
        """Do something with a device while no other thread of this process does anything with one.

        Args:
            call: Does it, with the `onnxruntime.RunOptions` that it is given.

        Raises:
            BundleError: Onnxruntime failed.
            MemoryError: There was not enough memory.
        """
        try:
            return running.run(call, verbosity=self.verbosity, in_turn=self.memory != "cpu")
        except VidcolorError:
            raise
        except Exception as error:  # onnxruntime's own classes share no other base
            if is_out_of_memory(error):
                raise MemoryError from error
            raise BundleError(f"model {self.model!r} failed: {first_line(error)}") from error
