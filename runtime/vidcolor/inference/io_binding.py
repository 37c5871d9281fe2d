"""Planes to the device and back with one copy each way, however many planes there are.

The planes lie behind each other in one staging buffer, and the graph's inputs and outputs are bound
to places within it. On CUDA each copy waits for the one before, so fewer copies are faster.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vidcolor.inference.page_locked import host_buffer
from vidcolor.inference.providers import onnxruntime

if TYPE_CHECKING:
    from onnxruntime import IOBinding, OrtValue

Array = NDArray[np.float32]
Shapes = Mapping[str, tuple[int, ...]]

_BYTES = np.dtype(np.float32).itemsize


class StagingBuffer:
    """The float32 planes of one run of a graph. It owns their memory and must outlive the run."""

    def __init__(
        self,
        binding: IOBinding,
        device: str,
        device_id: int,
        *,
        inputs: Mapping[str, Array],
        output_shapes: Shapes,
    ) -> None:
        """Copy inputs to the device and bind them, and bind space for outputs.

        Args:
            binding: Of the run.
            device: 'cpu' or 'cuda'.
            device_id: Which CUDA device; 0 on the CPU.
            inputs: Planes of the host by the names of the graph's inputs, at least one.
            output_shapes: Shapes of the outputs that `fetch` brings to the host, by name.
        """
        values, self._output_shapes = onnxruntime().OrtValue, output_shapes
        self._device, self._device_id = device, device_id
        self._packed: Array | None = None
        packed = np.concatenate([plane.ravel() for plane in inputs.values()])
        self._inputs: OrtValue = values.ortvalue_from_numpy(packed, device, device_id)
        for name, shape, start, _ in _places({name: p.shape for name, p in inputs.items()}):
            pointer = self._inputs.data_ptr() + start * _BYTES
            binding.bind_input(name, device, device_id, np.float32, shape, pointer)
        self._outputs: OrtValue | None = None
        if output_shapes:
            size = [sum(map(prod, output_shapes.values()))]
            outputs = values.ortvalue_from_shape_and_type(size, np.float32, device, device_id)
            for name, shape, start, _ in _places(output_shapes):
                pointer = outputs.data_ptr() + start * _BYTES
                binding.bind_output(name, device, device_id, np.float32, shape, pointer)
            self._outputs = outputs

    def fill(self, inputs: Mapping[str, Array]) -> None:
        """Copy other inputs of the same names and shapes to where the first ones are.

        They are packed in page-locked memory where there is any: a copy to a CUDA device from
        anywhere else goes through such memory of the driver's, piece by piece.
        """
        planes = [plane.ravel() for plane in inputs.values()]
        if self._packed is None:
            length = sum(plane.size for plane in planes)
            self._packed = host_buffer(length, self._device, self._device_id)
        self._inputs.update_inplace(np.concatenate(planes, out=self._packed))

    def fetch(self) -> dict[str, Array]:
        """Copy the outputs to the host: float32 planes of the given shapes, by name."""
        if self._outputs is None:
            return {}
        packed = self._outputs.numpy()
        places = _places(self._output_shapes)
        return {name: packed[start:end].reshape(shape) for name, shape, start, end in places}


def _places(shapes: Shapes) -> Iterator[tuple[str, tuple[int, ...], int, int]]:
    """Each name and shape, with its first index in the buffer and the one after its last."""
    start = 0
    for name, shape in shapes.items():
        yield name, shape, start, start + prod(shape)
        start += prod(shape)
