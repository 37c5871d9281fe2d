"""Tracks: optical flow from a frame to a key, continued from frame to frame.

Direct flow to the key fails where motion is large. The composition of all flows since the key does
not, but drifts: each flow adds its error. A track has the best of both. At each frame it is

1. continued: composed with the flow to the frame before,
2. corrected: searched again in the key itself, starting from there,
3. restarted: replaced by the direct flow where that explains the frame much better, for example
   after something was hidden.

All of it depends only on luma and is computed at half size: planes are [h, w] uint8, flow is
[2, h, w] float32, x then y, in pixels of that size.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from vidcolor.motion.exposure import as_bright
from vidcolor.motion.optical_flow import Flow, Luma8, flow

Tracks = tuple[Flow, ...]
"""One flow [2, h, w] for each key."""

STRIDE = 6
"""Pixels from one patch to the next in flow to keys. With fewer, flow is rougher, and colours that
are fetched along it are worse (training/EXPERIMENTS.md, 17)."""
_WINDOW = 5
"""Side, in pixels, of the window in which two planes are compared."""
_CORRECTED = 0.9, 0.25
"""Replace the track by the searched flow where its residual is below 0.9 times that of the track,
and at least 0.25 codes lower. On a tie the track stays: it is smoother."""
_RESTARTED = 0.5, 1.5
"""The same for replacing it by the direct flow."""


def half_size(luma8: Luma8, multiple: int) -> Luma8:
    """Luma codes at the size that tracks are computed at.

    Args:
        luma8: [h, w] uint8.
        multiple: The model's size multiple in pixels, which is even.

    Returns:
        [H/2, W/2] uint8: `luma8` padded to multiples of `multiple`, then halved.
    """
    height, width = luma8.shape
    around = ((0, -height % multiple), (0, -width % multiple))
    return halve(np.pad(luma8, around, mode="edge"))


def halve(luma8: Luma8) -> Luma8:
    """[h, w] uint8, both even, as [h/2, w/2]: the mean of each 2x2 pixels."""
    height, width = luma8.shape
    half = cv2.resize(luma8, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    return np.asarray(half, np.uint8)


def halve_flow(motion: Flow) -> Flow:
    """Flow [2, h, w] as flow of half size [2, h/2, w/2], in pixels of that size."""
    _, height, width = motion.shape
    size = width // 2, height // 2
    halves = [cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in motion]
    return np.asarray(np.stack(halves) / 2, np.float32)


def enlarge_flow(motion: Flow, out: Flow) -> Flow:
    """Flow of half size as flow of full size in `out` [2, 2h, 2w], which is returned."""
    _, height, width = out.shape
    for plane, full in zip(motion, out, strict=True):
        cv2.resize(plane, (width, height), dst=full)
    out *= 2
    return out


def first_tracks(here: Luma8, keys: Sequence[Luma8]) -> Tracks:
    """The tracks of a frame whose earlier frames are not known: the direct flow to each key.

    Every chain of tracks begins with this, in the runtime, in training and in evaluation.

    Args:
        here: [h, w] uint8, as `half_size` makes it.
        keys: The keys' luma codes, of the same size.

    Returns:
        One flow [2, h, w] for each key.
    """
    return tuple(direct_flow(here, key) for key in keys)


def direct_flow(here: Luma8, key: Luma8) -> Flow:
    """The flow [2, h, w] straight to a key, of luma codes as `half_size` makes them."""
    return flow(here, key, stride=STRIDE)


def follow(
    here: Luma8, key: Luma8, *, direct: Flow, to_previous: Flow, previous_track: Flow
) -> Flow:
    """The track of a frame, continued from that of the frame before.

    Args:
        here: [h, w] uint8.
        key: [h, w] uint8.
        direct: Flow [2, h, w] from `here` straight to `key`.
        to_previous: Flow [2, h, w] from `here` to the frame before.
        previous_track: The track [2, h, w] of the frame before.

    Returns:
        [2, h, w]: where each pixel of `here` lies in `key`.
    """
    track = composed = to_previous + _fetch(previous_track, to_previous)
    here = as_bright(here, _fetch(key[None], composed)[0])
    searched = flow(here, key, guess=composed, stride=STRIDE)
    track_residual = _residual(here, key, track)
    for other, (share, margin) in ((searched, _CORRECTED), (direct, _RESTARTED)):
        residual = _residual(here, key, other)
        better = residual < track_residual * share - margin
        track = np.where(better, other, track)
        track_residual = np.where(better, residual, track_residual)
    return track


def _residual(here: Luma8, key: Luma8, motion: Flow) -> Flow:
    """Mean absolute difference [h, w], in codes, of `here` and `key` warped by `motion`."""
    difference = cv2.absdiff(here, _fetch(key[None], motion)[0])
    mean = cv2.boxFilter(difference, cv2.CV_32F, (_WINDOW, _WINDOW))
    return np.asarray(mean, np.float32)


def _fetch[T: (Luma8, Flow)](planes: T, motion: Flow) -> T:
    """Planes [c, h, w] sampled where `motion` points; beyond the frame its edge is repeated."""
    height, width = planes.shape[1:]
    x = motion[0] + np.arange(width, dtype=np.float32)
    y = motion[1] + np.arange(height, dtype=np.float32)[:, None]
    fetched = [
        cv2.remap(plane, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        for plane in planes
    ]
    return np.stack(fetched).astype(planes.dtype, copy=False)
