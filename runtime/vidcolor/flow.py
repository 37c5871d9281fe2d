"""Dense optical flow between two luma planes, for models that ask for it (`vidcolor.contract`).

It is DIS (Kroeger 2016) with patches on every fourth pixel of the planes' own size. OpenCV's medium
preset ends at half size and then refines by variation; colours carried along it from frame to frame
lose more (`python -m training evaluate` has both: "fine chain" and "flow chain").
"""

from __future__ import annotations

import threading
from typing import Literal, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from vidcolor.planes import Plane

Luma8 = NDArray[np.uint8]
"""Luma [h, w] as flow compares it."""
Flow = NDArray[np.float32]
"""[2, h, w], x then y, in pixels."""

Search = Literal["step", "straight", "near"]
"""To the frame before; to a key, wherever in it; to a key, near a guess."""

_LEAST = 16
"""Pixels; DIS refuses sides of less than its patches, so smaller planes are padded."""
_LEAST_REUSED = 64
"""Pixels; on smaller planes DIS changes its own patches and scales, for good."""
_NEAR = 1
"""The coarsest scale (2^-n) of a search around a guess; coarser ones forget its detail."""
_BLUR = 0.7
"""Standard deviation in pixels: luma is softened so for steps, as noise leads astray."""
_DARK = 16
"""Codes; darker pixels do not tell by what factor light has changed."""
_FLICKER = 0.015
"""Factors nearer to one are taken for one."""
_MOST_FLICKER = 2.0


def quantise(luma: Plane) -> Luma8:
    """Luma [h, w] in [0, 1] as the 8-bit plane that `flow` compares."""
    return np.rint(np.clip(luma, 0, 1) * 255).astype(np.uint8)


def step_flow(here: Luma8, before: Luma8, out: Flow | None = None) -> Flow:
    """Where each pixel of a frame lies in the frame before: [2, h, w], x then y, in pixels.

    As `flow`, for two frames that are alike but for motion: luma is compared as it is, softened,
    after the frame before was made as bright as this one, against flicker. A step found so carries
    colours further than one found as `flow` does, which compares patches less their means, as it
    must where light may have changed in any way (training/EXPERIMENTS.md, 10).
    """
    alike = cv2.convertScaleAbs(before, alpha=_brighter(here, before))
    return _search("step", _soften(here), _soften(np.asarray(alike, np.uint8)), out, None)


def flow(here: Luma8, other: Luma8, out: Flow | None = None, *, guess: Flow | None = None) -> Flow:
    """Where each pixel of `here` lies in `other`: [2, h, w], x then y, in pixels.

    The pixel p of `here` lies at p + flow(p) in `other`. Both are [h, w] uint8. out: where to
    write it, and what is returned then. guess: a flow to search around, instead of everywhere.
    """
    return _search("straight" if guess is None else "near", here, other, out, guess)


def _search(kind: Search, here: Luma8, other: Luma8, out: Flow | None, guess: Flow | None) -> Flow:
    height, width = here.shape
    out = np.empty((2, height, width), np.float32) if out is None else out
    below, right = max(0, _LEAST - height), max(0, _LEAST - width)
    if below or right:
        here, other = (np.pad(p, ((0, below), (0, right)), mode="edge") for p in (here, other))
    begin = cast("Flow", None)  # OpenCV's stubs do not know that it may be
    if guess is not None:
        around = ((0, 0), (0, below), (0, right))
        begin = np.ascontiguousarray(np.moveaxis(np.pad(guess, around, mode="edge"), 0, 2))
    motion = _dis(here.shape, kind).calc(here, other, begin)[:height, :width]
    out[...] = np.moveaxis(motion, 2, 0)
    return out


def _soften(luma8: Luma8) -> Luma8:
    return np.asarray(cv2.GaussianBlur(luma8, (0, 0), _BLUR), np.uint8)


def _brighter(here: Luma8, before: Luma8) -> float:
    """By what factor `here` is brighter than `before`: that of most of its pixels."""
    now, then = here[::2, ::2], before[::2, ::2]
    lit = then > _DARK
    if not lit.any():
        return 1.0
    factor = float(np.median(now[lit].astype(np.float32) / then[lit]))
    if abs(factor - 1) < _FLICKER:
        return 1.0
    return min(max(factor, 1 / _MOST_FLICKER), _MOST_FLICKER)


class _Mine(threading.local):
    """A thread's own DIS objects, one for each kind of search."""

    def __init__(self) -> None:
        self.size: dict[Search, tuple[int, ...]] = {}
        self.dis: dict[Search, cv2.DISOpticalFlow] = {}


_mine = _Mine()


def _dis(size: tuple[int, ...], kind: Search) -> cv2.DISOpticalFlow:
    """DIS for planes of this size.

    A used object has its buffers already, which saves up to a fifth of the time, but remembers the
    coarsest scale of the smallest planes it saw: it serves planes of one size only.
    """
    if min(size) < _LEAST_REUSED:
        return new_dis(kind)
    if _mine.size.get(kind) != size:
        _mine.dis[kind] = new_dis(kind)
        _mine.size[kind] = size
    return _mine.dis[kind]


def new_dis(kind: Search) -> cv2.DISOpticalFlow:
    """DIS with the settings that this kind of search has."""
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    dis.setFinestScale(0)
    dis.setPatchStride(4)
    dis.setGradientDescentIterations(25 if kind == "step" else 12)
    dis.setVariationalRefinementIterations(0)
    dis.setUseMeanNormalization(kind != "step")
    if kind == "near":
        dis.setCoarsestScale(_NEAR)
    return dis
