"""Memory of the host that a CUDA device reads directly, as its pages stay where they are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vidcolor.inference.known_providers import KNOWN
from vidcolor.inference.providers import onnxruntime


def host_buffer(length: int, device: str, device_id: int) -> NDArray[np.float32]:
    """Room for numbers on their way to a device.

    Args:
        length: How many numbers.
        device: Where they go: 'cpu' or 'cuda'.
        device_id: Which CUDA device; 0 on the CPU.

    Returns:
        [length] float32, not initialised. It is page-locked where onnxruntime has such memory for
        the device, and ordinary memory where not: that is slower to copy from.
    """
    locked = None if device == "cpu" else _page_locked(length, device, device_id)
    return np.empty(length, np.float32) if locked is None else locked


def _page_locked(length: int, device: str, device_id: int) -> NDArray[np.float32] | None:
    """[length] float32 of page-locked memory; None where there is none."""
    runtime = onnxruntime()
    try:
        for found in runtime.get_ep_devices():
            if found.ep_name != KNOWN[device].execution_provider:
                continue
            memory = found.memory_info(runtime.OrtDeviceMemoryType.HOST_ACCESSIBLE)
            if memory is None or memory.device_id != device_id:
                continue
            value = runtime.OrtValue.ortvalue_from_shape_and_type(
                [length], np.float32, memory_info=memory
            )
            array: NDArray[np.float32] = value.numpy()
            if array.ctypes.data == value.data_ptr():  # a view, and no copy in ordinary memory
                return array
    except Exception:  # older ones lack this; what fails at it has no common class
        return None
    return None
