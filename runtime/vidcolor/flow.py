"""Dense optical flow between two luma planes, for models that ask for it (`vidcolor.contract`)."""

from __future__ import annotations

import threading
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from vidcolor.planes import Plane

_LEAST = 16
"""Pixels; DIS refuses sides of less than its patches, so smaller planes are padded."""
_LEAST_REUSED = 64
"""Pixels; on smaller planes DIS changes its own patches and scales, for good."""


def quantise(luma: Plane) -> NDArray[np.uint8]:
    """Luma [h, w] in [0, 1] as the 8-bit plane that `flow` compares."""
    return np.rint(np.clip(luma, 0, 1) * 255).astype(np.uint8)


def flow(
    here: NDArray[np.uint8], other: NDArray[np.uint8], out: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """Where each pixel of `here` lies in `other`: [2, h, w], x then y, in pixels.

    The pixel p of `here` lies at p + flow(p) in `other`. Both are [h, w] uint8. out: where to
    write it, and what is returned then.
    DIS (Kroeger 2016) with patches on every fourth pixel of the planes' own size. Against OpenCV's
    medium preset, which ends at half size and then refines by variation, colours carried from frame
    to frame lose half a decibel less, for a third more time (training/EXPERIMENTS.md).
    """
    height, width = here.shape
    out = np.empty((2, height, width), np.float32) if out is None else out
    below, right = max(0, _LEAST - height), max(0, _LEAST - width)
    if below or right:
        here, other = (np.pad(p, ((0, below), (0, right)), mode="edge") for p in (here, other))
    no_guess = cast("NDArray[np.float32]", None)
    motion = _dis(here.shape).calc(here, other, no_guess)[:height, :width]
    out[...] = np.moveaxis(motion, 2, 0)
    return out


class _Mine(threading.local):
    """A thread's own DIS object, with the size of the planes it saw."""

    size: tuple[int, ...] = ()
    dis: cv2.DISOpticalFlow


_mine = _Mine()


def _dis(size: tuple[int, ...]) -> cv2.DISOpticalFlow:
    """DIS for planes of this size.

    A used object has its buffers already, which saves up to a fifth of the time, but remembers the
    coarsest scale of the smallest planes it saw: it serves planes of one size only.
    """
    if min(size) < _LEAST_REUSED:
        return new_dis()
    if _mine.size != size:
        _mine.dis = new_dis()
        _mine.size = size
    return _mine.dis


def new_dis() -> cv2.DISOpticalFlow:
    """DIS with the settings that `flow` has."""
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    dis.setFinestScale(0)
    dis.setPatchStride(4)
    dis.setGradientDescentIterations(12)
    dis.setVariationalRefinementIterations(0)
    return dis
