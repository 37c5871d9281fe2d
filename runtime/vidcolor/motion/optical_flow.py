"""Dense optical flow between two luma planes, for models that ask for it (`vidcolor.contract`)."""

from __future__ import annotations

import threading
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from vidcolor.planes import Plane

Luma8 = NDArray[np.uint8]
"""Luma [h, w] as flow compares it."""
Flow = NDArray[np.float32]
"""[2, h, w], x then y, in pixels."""

_LEAST = 16
"""Pixels; DIS refuses sides of less than its patches, so smaller planes are padded."""
_LEAST_REUSED = 64
"""Pixels; on smaller planes DIS changes its own patches and scales, for good."""


_NEAR = 1
"""The coarsest scale (2^-n) of a search around a guess; coarser ones forget its detail."""


def to_uint8(luma: Plane) -> Luma8:
    """Luma [h, w] in [0, 1] as the 8-bit plane that `flow` compares."""
    return np.rint(np.clip(luma, 0, 1) * 255).astype(np.uint8)


def flow(here: Luma8, other: Luma8, out: Flow | None = None, *, guess: Flow | None = None) -> Flow:
    """Where each pixel of `here` lies in `other`: [2, h, w], x then y, in pixels.

    The pixel p of `here` lies at p + flow(p) in `other`. Both are [h, w] uint8. out: where to
    write it, and what is returned then. guess: a flow to search around, instead of everywhere.
    DIS (Kroeger 2016) with patches on every fourth pixel of the planes' own size. Against OpenCV's
    medium preset, which ends at half size and then refines by variation, colours carried from frame
    to frame lose half a decibel less, for a third more time (training/EXPERIMENTS.md).
    """
    height, width = here.shape
    out = np.empty((2, height, width), np.float32) if out is None else out
    below, right = max(0, _LEAST - height), max(0, _LEAST - width)
    if below or right:
        here, other = (np.pad(p, ((0, below), (0, right)), mode="edge") for p in (here, other))
    begin = cast("Flow", None)  # OpenCV's stubs do not know that it may be
    if guess is not None:
        around = ((0, 0), (0, below), (0, right))
        begin = np.ascontiguousarray(np.moveaxis(np.pad(guess, around, mode="edge"), 0, 2))
    motion = _dis(here.shape, near=guess is not None).calc(here, other, begin)[:height, :width]
    out[...] = np.moveaxis(motion, 2, 0)
    return out


class _Mine(threading.local):
    """A thread's own DIS objects, for searches everywhere and near a guess."""

    def __init__(self) -> None:
        self.size: dict[bool, tuple[int, ...]] = {}
        self.dis: dict[bool, cv2.DISOpticalFlow] = {}


_mine = _Mine()


def _dis(size: tuple[int, ...], *, near: bool) -> cv2.DISOpticalFlow:
    """DIS for planes of this size.

    A used object has its buffers already, which saves up to a fifth of the time, but remembers the
    coarsest scale of the smallest planes it saw: it serves planes of one size only.
    """
    if min(size) < _LEAST_REUSED:
        return new_dis(near=near)
    if _mine.size.get(near) != size:
        _mine.dis[near] = new_dis(near=near)
        _mine.size[near] = size
    return _mine.dis[near]


def new_dis(*, near: bool = False) -> cv2.DISOpticalFlow:
    """DIS with the settings that `flow` has; `near` a guess or not."""
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    dis.setFinestScale(0)
    dis.setPatchStride(4)
    dis.setGradientDescentIterations(12)
    dis.setVariationalRefinementIterations(0)
    if near:
        dis.setCoarsestScale(_NEAR)
    return dis
