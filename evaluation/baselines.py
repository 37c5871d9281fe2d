"""What a model has to beat: ways to carry a key's colour that need no training.

Each takes the clip's luma [T, h, w] as 8-bit codes and the key's chroma [2, h, w] in ±0.5, the key
being frame 0, and yields the chroma [2, h, w] of frames 1, 2, ... T-1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from types import MappingProxyType
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from evaluation.clips import Codes
from vidcolor.inference.contract import FLOW_TRACK
from vidcolor.motion.clip_inputs import prepare_clip
from vidcolor.motion.pad import EVEN
from vidcolor.motion.previous import previous_flow
from vidcolor.motion.track import first_tracks, half_size
from vidcolor.planes import Plane


def gray(luma: Codes, key: Plane) -> Iterator[Plane]:
    """Yield no colour at all. For arguments see the module's text."""
    for _ in luma[1:]:
        yield np.zeros_like(key)


def hold(luma: Codes, key: Plane) -> Iterator[Plane]:
    """Yield the key's chroma, unmoved. For arguments see the module's text."""
    for _ in luma[1:]:
        yield key


def flow_chain(luma: Codes, key: Plane) -> Iterator[Plane]:
    """Yield chroma warped from frame to frame; errors add up. Arguments: see the module's text."""
    chroma = key
    for before, here in pairwise(luma):
        chroma = warp(chroma, dis(here, before))
        yield chroma


def fine_chain(luma: Codes, key: Plane) -> Iterator[Plane]:
    """Yield the same along the flow that models are given: what a model is without its network."""
    chroma = key
    for before, here in pairwise(luma):
        chroma = warp(chroma, previous_flow(here, before))
        yield chroma


def flow_direct(luma: Codes, key: Plane) -> Iterator[Plane]:
    """Yield chroma warped from the key straight to each frame; it fails where motion is large."""
    for here in luma[1:]:
        yield warp(key, dis(here, luma[0]))


def tracked(luma: Codes, key: Plane) -> Iterator[Plane]:
    """Yield chroma warped from the key along its track, as models have it (`motion.track`)."""
    height, width = luma.shape[1:]
    first = half_size(luma[0], EVEN)
    for inputs in prepare_clip(
        luma[1:],
        required_flows=frozenset({FLOW_TRACK}),
        multiple=EVEN,
        previous=luma[0],
        keys=(first,),
        tracks=first_tracks(first, (first,)),
    ):
        yield warp(key, inputs.flows[FLOW_TRACK][0, :, :height, :width])


def dis(here: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Compute optical flow by OpenCV's DIS at its medium preset, as anybody has it.

    `vidcolor.motion.optical_flow` has settings of ours.

    Args:
        here: Luma codes [h, w].
        other: The same of the other frame.

    Returns:
        Where each pixel of `here` lies in `other`: [2, h, w], x then y, in pixels.
    """
    begin = cast("NDArray[np.float32]", None)  # OpenCV's stubs do not know that it may be
    motion = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(here, other, begin)
    return np.moveaxis(np.asarray(motion, np.float32), 2, 0)


def warp(chroma: Plane, motion: NDArray[np.float32]) -> Plane:
    """Fetch chroma from where each pixel was.

    Args:
        chroma: [2, h, w].
        motion: Flow [2, h, w], x then y, in pixels: pixel p is fetched from p + motion(p).

    Returns:
        [2, h, w], bilinear; beyond the frame its edge is repeated.
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
