"""Dense optical flow between two luma planes, for models that ask for it (`vidcolor.contract`)."""

from __future__ import annotations

import threading

import cv2
import numpy as np
from numpy.typing import NDArray

from vidcolor.planes import Plane

_local = threading.local()


def quantise(luma: Plane) -> NDArray[np.uint8]:
    """Luma [h, w] in [0, 1] as the 8-bit plane that `flow` compares."""
    return np.rint(np.clip(luma, 0, 1) * 255).astype(np.uint8)


def flow(here: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Where each pixel of `here` lies in `other`: [2, h, w], x then y, in pixels.

    The pixel p of `here` lies at p + flow(p) in `other`. Both are [h, w] uint8.
    DIS (Kroeger 2016) at OpenCV's medium preset.
    """
    if not hasattr(_local, "dis"):  # the object keeps buffers, so every thread has its own
        _local.dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    motion = _local.dis.calc(here, other, None)
    return np.ascontiguousarray(np.moveaxis(motion, 2, 0))
