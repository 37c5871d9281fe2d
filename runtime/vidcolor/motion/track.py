"""Where a key's pixels went: flow to the key that is followed from frame to frame.

Flow straight to a key is lost where motion is large. The flows of all frames since, composed, are
not, but drift: each adds its error. A track is both. It is composed by one frame at a time; put
right, at each, by a search in the key itself that begins there; and begun anew where flow straight
to the key explains the frame much better, as after something was hidden.

All of it depends on luma alone, and is done at half size: planes are [h, w] uint8, flow is
[2, h, w] float32, x then y, in pixels of that size.
"""

from __future__ import annotations

import cv2
import numpy as np

from vidcolor.motion.optical_flow import Flow, Luma8, flow

Tracks = tuple[Flow, ...]
"""One for each key."""

_WINDOW = 5
"""Side in pixels of the window in which two planes are compared."""
_RIGHTED = 0.9, 0.25
"""A track is put right where the search leaves less than this share of what it leaves unexplained,
and less by this many codes of luma; where all explain the frame alike, the smooth one is nearer."""
_ANEW = 0.5, 1.5
"""The same for beginning it anew along flow straight to the key."""


def halve(luma8: Luma8) -> Luma8:
    """Half the height and width, which are even."""
    height, width = luma8.shape
    half = cv2.resize(luma8, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    return np.asarray(half, np.uint8)


def halve_flow(motion: Flow) -> Flow:
    """Flow of the full size as flow of half size."""
    _, height, width = motion.shape
    size = width // 2, height // 2
    halves = [cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in motion]
    return np.asarray(np.stack(halves) / 2, np.float32)


def enlarge_flow(motion: Flow, out: Flow) -> Flow:
    """Flow of half size as flow of the full size, written to `out`."""
    _, height, width = out.shape
    for plane, full in zip(motion, out, strict=True):
        cv2.resize(plane, (width, height), dst=full)
    out *= 2
    return out


def follow(here: Luma8, key: Luma8, *, direct: Flow, step: Flow, before: Flow | None) -> Flow:
    """The track of `here`: where each of its pixels lies in `key`.

    direct: flow from `here` straight to `key`. step: flow from `here` to the frame before.
    before: that frame's track; None where there is no such frame.
    """
    if before is None:
        return direct
    track = composed = step + _fetch(before, step)
    searched = flow(here, key, guess=composed)
    unexplained = _unexplained(here, key, track)
    for other, (share, margin) in ((searched, _RIGHTED), (direct, _ANEW)):
        left = _unexplained(here, key, other)
        better = left < unexplained * share - margin
        track = np.where(better, other, track)
        unexplained = np.where(better, left, unexplained)
    return track


def _unexplained(here: Luma8, key: Luma8, motion: Flow) -> Flow:
    """Mean difference [h, w] in codes, around each pixel, from where `motion` leads."""
    apart = cv2.absdiff(here, _fetch(key[None], motion)[0])
    mean = cv2.boxFilter(apart, cv2.CV_32F, (_WINDOW, _WINDOW))
    return np.asarray(mean, np.float32)


def _fetch[T: (Luma8, Flow)](planes: T, motion: Flow) -> T:
    """Planes [c, h, w] fetched from where `motion` leads; beyond the frame its edge is repeated."""
    height, width = planes.shape[1:]
    x = motion[0] + np.arange(width, dtype=np.float32)
    y = motion[1] + np.arange(height, dtype=np.float32)[:, None]
    fetched = [
        cv2.remap(plane, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        for plane in planes
    ]
    return np.stack(fetched).astype(planes.dtype, copy=False)
