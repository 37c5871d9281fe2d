"""What a model has to beat: ways to carry a key's colour that need no training.

Each takes the clip's luma [T, h, w] as 8-bit codes and the key's chroma [2, h, w] in ±0.5, the key
being frame 0, and yields the chroma [2, h, w] of frames 1, 2, ... T-1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray

from evaluation.clips import Codes
from vidcolor.inference.contract import FLOW_TRACK
from vidcolor.motion.frame_inputs import EVEN, half_size, prepare_clip
from vidcolor.motion.optical_flow import flow
from vidcolor.planes import Plane


def gray(luma: Codes, key: Plane) -> Iterator[Plane]:
    """No colour at all."""
    for _ in luma[1:]:
        yield np.zeros_like(key)


def hold(luma: Codes, key: Plane) -> Iterator[Plane]:
    """The key's chroma, unmoved."""
    for _ in luma[1:]:
        yield key


def flow_chain(luma: Codes, key: Plane) -> Iterator[Plane]:
    """Chroma warped from frame to frame; errors add up."""
    chroma = key
    for before, here in pairwise(luma):
        chroma = warp(chroma, dis(here, before))
        yield chroma


def fine_chain(luma: Codes, key: Plane) -> Iterator[Plane]:
    """As `flow_chain`, along the flow that models are given: what of theirs is flow alone."""
    chroma = key
    for before, here in pairwise(luma):
        chroma = warp(chroma, flow(here, before))
        yield chroma


def flow_direct(luma: Codes, key: Plane) -> Iterator[Plane]:
    """Chroma warped from the key straight to each frame; fails where the flow is too long."""
    for here in luma[1:]:
        yield warp(key, dis(here, luma[0]))


def tracked(luma: Codes, key: Plane) -> Iterator[Plane]:
    """Chroma warped from the key along its track (`vidcolor.motion.track`), as models get it."""
    height, width = luma.shape[1:]
    first = half_size(luma[0], EVEN)
    frames = (codes.astype(np.float32) / np.float32(255) for codes in luma[1:])
    for seen in prepare_clip(
        frames,
        asks=frozenset({FLOW_TRACK}),
        multiple=EVEN,
        previous=luma[0],
        keys=(first,),
        tracks=(np.zeros((2, *first.shape), np.float32),),
    ):
        yield warp(key, seen.flows[FLOW_TRACK][0, :, :height, :width])


def dis(here: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Where each pixel of `here` lies in `other`: [2, h, w], x then y, in pixels.

    OpenCV's DIS at its medium preset, as anybody has it; `vidcolor.motion.optical_flow` has
    settings of ours.
    """
    motion = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(here, other, None)
    return np.moveaxis(np.asarray(motion, np.float32), 2, 0)


def warp(chroma: Plane, motion: NDArray[np.float32]) -> Plane:
    """Chroma [2, h, w] fetched from where each pixel was: p + motion(p), in pixels [2, h, w].

    Bilinear; beyond the frame its edge is repeated.
    """
    height, width = motion.shape[1:]
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    x, y = columns + motion[0], rows + motion[1]
    return np.stack([
        cv2.remap(plane, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        for plane in chroma
    ])  # fmt: skip


BASELINES: MappingProxyType[str, Callable[[Codes, Plane], Iterator[Plane]]] = MappingProxyType(
    {
        "gray": gray,
        "hold": hold,
        "flow chain": flow_chain,
        "fine chain": fine_chain,
        "flow direct": flow_direct,
        "tracked": tracked,
    }
)
