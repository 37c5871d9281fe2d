"""A run's planes to where it runs and back: one copy each way, however many planes there are.

They lie behind each other in one piece of memory, and the graph's inputs and outputs are bound to
places within it. It is for CUDA, where each copy waits for the one before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vidcolor.inference.providers import onnxruntime

if TYPE_CHECKING:
    from onnxruntime import IOBinding, OrtValue

Array = NDArray[np.float32]
Shapes = Mapping[str, tuple[int, ...]]

_BYTES = np.dtype(np.float32).itemsize


class Freight:
    """The float32 planes of one run of a graph. It must outlive the run: it owns their memory."""

    def __init__(
        self,
        binding: IOBinding,
        device: str,
        number: int,
        *,
        there: Mapping[str, Array],
        back: Shapes,
    ) -> None:
        """Copy the planes of `there` to the device, bind them, and room for those of `back`."""
        values, self._back = onnxruntime().OrtValue, back
        packed = np.concatenate([plane.ravel() for plane in there.values()])
        self._sent: OrtValue = values.ortvalue_from_numpy(packed, device, number)
        for name, shape, start, _ in _places({name: plane.shape for name, plane in there.items()}):
            pointer = self._sent.data_ptr() + start * _BYTES
            binding.bind_input(name, device, number, np.float32, shape, pointer)
        self._room: OrtValue | None = None
        if back:
            size = [sum(map(prod, back.values()))]
            room = values.ortvalue_from_shape_and_type(size, np.float32, device, number)
            for name, shape, start, _ in _places(back):
                pointer = room.data_ptr() + start * _BYTES
                binding.bind_output(name, device, number, np.float32, shape, pointer)
            self._room = room

    def fetch(self) -> dict[str, Array]:
        """What the run wrote, on the host, each [1, c, h, w]."""
        if self._room is None:
            return {}
        packed = self._room.numpy()
        return {n: packed[start:end].reshape(shape) for n, shape, start, end in _places(self._back)}


def _places(shapes: Shapes) -> Iterator[tuple[str, tuple[int, ...], int, int]]:
    """Each name and shape, with the places of its first number and the one after its last."""
    start = 0
    for name, shape in shapes.items():
        yield name, shape, start, start + prod(shape)
        start += prod(shape)
