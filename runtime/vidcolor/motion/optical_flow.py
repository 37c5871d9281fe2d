"""Dense optical flow between two luma planes, for models that have flow inputs."""

from __future__ import annotations

import threading
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from vidcolor.planes import Plane

Luma8 = NDArray[np.uint8]
"""Luma codes [h, w] that flow is computed on."""
Flow = NDArray[np.float32]
"""[2, h, w], x then y, in pixels. The pixel p of one frame lies at p + flow(p) in the other."""

STRIDE = 5
"""Pixels from one patch to the next, unless said otherwise."""
_LEAST_SIDE = 16
"""Pixels. DIS refuses sides shorter than its patches, so smaller planes are padded."""
_LEAST_REUSED = 64
"""Pixels. On smaller planes a DIS object changes its own patches and scales for good."""
_NEAR = 1
"""The coarsest scale (2^-n) of a search around a guess; coarser scales lose its detail."""


def to_uint8(luma: Plane) -> Luma8:
    """Luma [h, w] float32 in [0, 1] as the 8-bit codes [h, w] that `flow` is computed on."""
    with np.errstate(invalid="ignore"):  # what is no number is told where luma is checked
        return np.rint(np.clip(luma, 0, 1) * 255).astype(np.uint8)


def flow(
    here: Luma8,
    other: Luma8,
    out: Flow | None = None,
    *,
    guess: Flow | None = None,
    stride: int = STRIDE,
) -> Flow:
    """Compute the flow from one frame to another.

    The method is DIS (Kroeger et al. 2016), down to the full size. OpenCV's medium preset ends at
    half size and then refines by variation. Compared with it, colours carried from frame to frame
    lose less (training/EXPERIMENTS.md, 4 and 17).

    Args:
        here: Luma codes [h, w].
        other: Luma codes [h, w].
        out: Array [2, h, w] float32 to write to.
        guess: A flow [2, h, w] to search around, instead of everywhere.
        stride: Pixels from one patch to the next. The fewer, the longer it takes.

    Returns:
        [2, h, w] float32: where each pixel of `here` lies in `other`. It is `out` if that is given.
    """
    height, width = here.shape
    out = np.empty((2, height, width), np.float32) if out is None else out
    below, right = max(0, _LEAST_SIDE - height), max(0, _LEAST_SIDE - width)
    if below or right:
        here, other = (np.pad(p, ((0, below), (0, right)), mode="edge") for p in (here, other))
    begin = cast("Flow", None)  # OpenCV's stubs do not know that it may be
    if guess is not None:
        around = ((0, 0), (0, below), (0, right))
        begin = np.ascontiguousarray(np.moveaxis(np.pad(guess, around, mode="edge"), 0, 2))
    dis = _dis(here.shape, stride=stride, near=guess is not None)
    motion = dis.calc(here, other, begin)[:height, :width]
    out[...] = np.moveaxis(motion, 2, 0)
    return out


class _PerThread(threading.local):
    """A thread's own DIS objects, by their stride and whether they search near a guess."""

    def __init__(self) -> None:
        self.size: dict[tuple[int, bool], tuple[int, ...]] = {}
        self.dis: dict[tuple[int, bool], cv2.DISOpticalFlow] = {}


_per_thread = _PerThread()


def _dis(size: tuple[int, ...], *, stride: int, near: bool) -> cv2.DISOpticalFlow:
    """A DIS object for planes of this size.

    A used object has its buffers already, which saves up to a fifth of the time. But it remembers
    the coarsest scale of the smallest planes that it saw, so it is used for one size only.
    """
    if min(size) < _LEAST_REUSED:
        return new_dis(stride=stride, near=near)
    kind = stride, near
    if _per_thread.size.get(kind) != size:
        _per_thread.dis[kind] = new_dis(stride=stride, near=near)
        _per_thread.size[kind] = size
    return _per_thread.dis[kind]


def new_dis(*, stride: int = STRIDE, near: bool = False) -> cv2.DISOpticalFlow:
    """A new DIS object with the settings of `flow`; near: for a search around a guess."""
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    dis.setFinestScale(0)
    dis.setPatchStride(stride)
    dis.setGradientDescentIterations(12)
    dis.setVariationalRefinementIterations(0)
    if near:
        dis.setCoarsestScale(_NEAR)
    return dis
