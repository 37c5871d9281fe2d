"""Whether a key belongs to its frame. It depends on luma alone, whatever colours are on the key.

Two pictures are compared by the normalised cross-correlation (NCC) of their local structure: luma
less its mean around each pixel, over its standard deviation there. Structure is hardly changed by a
grade, a tint, noise and most of what a painter does. It is changed by another frame, a flip, a
shift or a crop. On footage of many kinds the NCC of a frame and its key is 0.4 to 1, also when a
third of it is painted over; that of two shots stays below 0.12
(tests/runtime/key/test_matching.py). Parts where the key is flat have no structure and do not
count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from vidcolor.planes import Plane

MATCHING = 0.3
"""NCC from which a key belongs to a frame; 1 is the frame itself."""

_SIDE = 144
"""Short side, in pixels, of the pictures that are compared."""
_BLUR, _AROUND = 0.8, 2.25
"""In those pixels, the sigmas of two Gaussians: against fine noise, and of the local mean."""
_NOISE = 0.01
"""Local standard deviation of luma, of a range of 1, below which it is mostly noise."""
_LEAST_STRUCTURE = 0.02
"""Share of a picture that must have structure, or the check says nothing."""
_GRADED = 0.04
"""Mean difference of luma, of a range of 1, from which a key has another grade."""
_FOUND = 0.5
"""NCC from which a key counts as found at another place of the frame. A search over thousands of
places finds up to 0.3 by chance."""
_SCALES = tuple(0.97**n for n in range(1, 24))
"""Sizes to look for a cropped picture at, as shares of the whole: down to half."""
_INNER = 0.8
"""Share of the key's sides that is looked for when it may be shifted."""

_FLIPS: dict[str, Callable[[Plane], Plane]] = {
    "is flipped left to right": lambda key: key[:, ::-1],
    "is flipped upside down": lambda key: key[::-1],
    "is turned by 180 degrees": lambda key: key[::-1, ::-1],
}


@dataclass(frozen=True)
class Verdict:
    """Whether a key belongs to a frame. The texts are the rest of a sentence about the key."""

    ncc: float
    """-1 to 1; 1 also where there is no structure to compare."""
    fault: str | None = None
    """Why it does not belong, such as 'is flipped left to right'; None if it does."""
    warning: str | None = None
    """What is unusual about a key that belongs, such as 'has another grade'; None if nothing is."""


class Best(NamedTuple):
    """The frame that matches a key best."""

    frame: int
    ncc: float


class _Structure(NamedTuple):
    """The local structure of a picture, [h, w] each."""

    values: Plane
    """Luma less its local mean, over its local standard deviation: about -2 to 2."""
    weight: Plane
    """The share of the local variance that is more than noise: 0 to 1."""


def check_key(luma_of_key: Plane, luma_of_frame: Plane) -> Verdict:
    """Check that a key shows the frame that it should colour.

    Args:
        luma_of_key: [h, w] float32 in [0, 1], of any size, of the aspect of the frame.
        luma_of_frame: [h, w] float32 in [0, 1].

    Returns:
        The verdict. A picture without structure belongs to every frame.
    """
    height, width = _size(luma_of_frame)
    frame, key = (_shrink(luma, height, width) for luma in (luma_of_frame, luma_of_key))
    of_frame, of_key = _structure(frame), _structure(key)
    if min(of_frame.weight.mean(), of_key.weight.mean()) < _LEAST_STRUCTURE:
        return Verdict(ncc=1.0)
    ncc = _ncc(of_key, of_frame)
    if ncc < MATCHING:
        fault = _flip(key, of_frame, ncc) or _move(of_key, of_frame)
        return Verdict(ncc, fault=fault or "shows another frame")
    difference = float(np.abs(key - frame).mean())
    if difference <= _GRADED:
        return Verdict(ncc)
    return Verdict(
        ncc,
        warning=f"has another grade than the frame, by {difference:.0%} of luma in the mean; "
        "only its colours are used",
    )


def best_frame(luma_of_key: Plane, lumas: Iterable[Plane]) -> Best | None:
    """Find the frame of a clip that a key shows.

    Args:
        luma_of_key: [h, w] float32 in [0, 1], of any size.
        lumas: Luma [h, w] float32 in [0, 1] of the clip's frames, all of one size.

    Returns:
        The frame that matches best; None if none reaches `MATCHING`.
    """
    best, of_key = Best(-1, MATCHING), None
    for number, luma in enumerate(lumas):
        height, width = _size(luma)
        of_key = of_key or _structure(_shrink(luma_of_key, height, width))
        ncc = _ncc(of_key, _structure(_shrink(luma, height, width)))
        best = max(best, Best(number, ncc), key=lambda found: found.ncc)
    return None if best.frame < 0 else best


def _size(luma: Plane) -> tuple[int, int]:
    """Height and width that a frame is compared at."""
    height, width = luma.shape
    scale = min(1.0, _SIDE / min(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def _shrink(luma: Plane, height: int, width: int) -> Plane:
    finer = luma.shape[0] * luma.shape[1] > height * width
    way = cv2.INTER_AREA if finer else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(luma, (width, height), interpolation=way), np.float32)


def _structure(luma: Plane) -> _Structure:
    luma = _blur(luma, _BLUR)
    detail = luma - _blur(luma, _AROUND)
    variance = _blur(detail * detail, _AROUND)
    return _Structure(
        values=np.divide(detail, np.sqrt(variance + np.float32(_NOISE**2)), dtype=np.float32),
        weight=variance / (variance + np.float32(_NOISE**2)),
    )


def _blur(plane: Plane, sigma: float) -> Plane:
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma), np.float32)


def _ncc(key: _Structure, frame: _Structure) -> float:
    """Normalised cross-correlation, weighted by the key's structure: -1 to 1."""
    covariance = float((key.weight * key.values * frame.values).sum())
    variances = [float((key.weight * picture.values**2).sum()) for picture in (key, frame)]
    return covariance / max(1e-6, float(np.sqrt(variances[0] * variances[1])))


def _flip(key: Plane, frame: _Structure, ncc: float) -> str | None:
    """The fault of a key that is flipped, turned or a negative; None if it is not."""
    if ncc <= -MATCHING:
        return "is a negative of the frame"
    found = {how: _ncc(_structure(flip(key)), frame) for how, flip in _FLIPS.items()}
    how = max(found, key=lambda name: found[name])
    return f"{how}: turn it back" if found[how] >= MATCHING else None


def _move(key: _Structure, frame: _Structure) -> str | None:
    """The fault of a key that is shifted, cropped or padded; None if it is not."""
    height, width = frame.values.shape
    down, right = (round(side * (1 - _INNER) / 2) for side in (height, width))
    inner = key.values[down : height - down, right : width - right]
    ncc, row, column = _find(inner, frame.values)
    if ncc >= _FOUND:
        return _shift((right - column) / width, (down - row) / height)
    part, share = _part(key.values, frame.values)
    if part >= _FOUND:
        return f"shows only a part of the frame, {share:.0%} of its sides: it must show all of it"
    more, share = _part(frame.values, key.values)
    if more >= _FOUND:
        return f"shows more than the frame, which is {share:.0%} of its sides: crop it"
    return None


def _shift(right: float, down: float) -> str:
    """The fault of a key that is shifted by these shares of the frame's width and height."""
    ways = [
        f"{abs(share):.1%} of the frame's {side} {forth if share > 0 else back}"
        for share, side, forth, back in (
            (right, "width", "right", "left"),
            (down, "height", "down", "up"),
        )
        if share
    ]
    return f"is shifted by {' and '.join(ways)}: move it back" if ways else "is blurred or doubled"


def _part(part: Plane, whole: Plane) -> tuple[float, float]:
    """The best NCC of `part`, made smaller, with a part of `whole`; and how much smaller."""
    found = []
    for scale in _SCALES:
        size = round(part.shape[1] * scale), round(part.shape[0] * scale)
        smaller = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.float32)
        found.append((_find(smaller, whole)[0], scale))
    return max(found)


def _find(part: Plane, whole: Plane) -> tuple[float, int, int]:
    """Where `part` matches `whole` best: NCC, row, column."""
    scores = cv2.matchTemplate(whole, part, cv2.TM_CCOEFF_NORMED)
    row, column = np.unravel_index(int(scores.argmax()), scores.shape)
    return float(scores[row, column]), int(row), int(column)
