"""Does a key belong to its frame? Told by luma alone, whatever colours were painted over it.

What is compared is structure: luma less its mean around each pixel, over its deviation there. A
grade, a tint, noise and most of what a painter does leave it as it is; another frame, a flip, a
shift or a crop does not. On footage of many kinds the likeness of a frame and its key is 0.4 to 1,
also when a third of it is painted over; that of two shots stays below 0.12
(tests/runtime/key/test_matching.py). Where the key is flat, it has nothing to compare, and such
parts do not count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from vidcolor.planes import Plane

ALIKE = 0.3
"""Likeness from which a key belongs to a frame; 1 is the frame itself."""

_SIDE = 144
"""Short side, in pixels, of the pictures that are compared."""
_BLUR, _AROUND = 0.8, 2.25
"""In those pixels: what fine noise is blurred by, and how far 'around a pixel' reaches."""
_NOISE = 0.01
"""Deviation of luma around a pixel, of a range of 1, below which it is mostly noise."""
_LEAST_STRUCTURE = 0.02
"""Share of a picture that must have structure, or nothing can be said of it."""
_GRADED = 0.04
"""Mean difference of luma, of a range of 1, from which a key has another grade."""
_FOUND = 0.5
"""Likeness from which a key counts as found in another place of the frame; a search over thousands
of places finds up to 0.3 by chance."""
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
    """Whether a key belongs to a frame, in words that go on from 'the key'."""

    likeness: float
    """-1 to 1; 1 also where there is nothing to compare."""
    fault: str | None = None
    """Why it does not: 'is flipped left to right', ...; None when it belongs."""
    warning: str | None = None
    """What is odd about a key that belongs: 'has another grade ...'; None when nothing is."""


class Best(NamedTuple):
    """The frame that a key is most like."""

    frame: int
    likeness: float


class _Structure(NamedTuple):
    """What is compared of a picture: [h, w] each."""

    values: Plane
    """Luma less its mean around each pixel, over its deviation: about -2 to 2."""
    weight: Plane
    """How much of that deviation is more than noise: 0 to 1."""


def check_key(luma_of_key: Plane, luma_of_frame: Plane) -> Verdict:
    """Hold a key against the frame that it is said to colour.

    luma_of_key, luma_of_frame: [h, w] float32 in [0, 1], each of any size; both are taken to show
    the whole picture, so that their aspects should be the same.
    """
    height, width = _size(luma_of_frame)
    frame, key = (_shrink(luma, height, width) for luma in (luma_of_frame, luma_of_key))
    of_frame, of_key = _structure(frame), _structure(key)
    if min(of_frame.weight.mean(), of_key.weight.mean()) < _LEAST_STRUCTURE:
        return Verdict(likeness=1.0)
    likeness = _likeness(of_key, of_frame)
    if likeness < ALIKE:
        fault = _flip(key, of_frame, likeness) or _move(of_key, of_frame)
        return Verdict(likeness, fault=fault or "shows another frame")
    difference = float(np.abs(key - frame).mean())
    if difference <= _GRADED:
        return Verdict(likeness)
    return Verdict(
        likeness,
        warning=f"has another grade than the frame, by {difference:.0%} of luma in the mean; "
        "only its colours are used",
    )


def best_frame(luma_of_key: Plane, lumas: Iterable[Plane]) -> Best | None:
    """The one of a clip's frames that the key is most like; None when it is like none.

    lumas: [h, w] float32 in [0, 1], all of one size.
    """
    best, of_key = Best(-1, ALIKE), None
    for number, luma in enumerate(lumas):
        height, width = _size(luma)
        of_key = of_key or _structure(_shrink(luma_of_key, height, width))
        likeness = _likeness(of_key, _structure(_shrink(luma, height, width)))
        best = max(best, Best(number, likeness), key=lambda found: found.likeness)
    return None if best.frame < 0 else best


def _size(luma: Plane) -> tuple[int, int]:
    """Height and width to compare a frame at."""
    height, width = luma.shape
    scale = min(1.0, _SIDE / min(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def _shrink(luma: Plane, height: int, width: int) -> Plane:
    finer = luma.shape[0] * luma.shape[1] > height * width
    way = cv2.INTER_AREA if finer else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(luma, (width, height), interpolation=way), np.float32)


def _structure(luma: Plane) -> _Structure:
    luma = _blur(luma, _BLUR)
    rest = luma - _blur(luma, _AROUND)
    variance = _blur(rest * rest, _AROUND)
    return _Structure(
        values=np.divide(rest, np.sqrt(variance + np.float32(_NOISE**2)), dtype=np.float32),
        weight=variance / (variance + np.float32(_NOISE**2)),
    )


def _blur(plane: Plane, sigma: float) -> Plane:
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma), np.float32)


def _likeness(key: _Structure, frame: _Structure) -> float:
    """Correlation of what two pictures show, where the key shows anything: -1 to 1."""
    together = float((key.weight * key.values * frame.values).sum())
    alone = [float((key.weight * picture.values**2).sum()) for picture in (key, frame)]
    return together / max(1e-6, float(np.sqrt(alone[0] * alone[1])))


def _flip(key: Plane, frame: _Structure, likeness: float) -> str | None:
    """How the key is flipped or turned, if it is; or that it is a negative."""
    if likeness <= -ALIKE:
        return "is a negative of the frame"
    found = {how: _likeness(_structure(flip(key)), frame) for how, flip in _FLIPS.items()}
    how = max(found, key=lambda name: found[name])
    return f"{how}: turn it back" if found[how] >= ALIKE else None


def _move(key: _Structure, frame: _Structure) -> str | None:
    """How the key is shifted, cropped or padded, if it is."""
    height, width = frame.values.shape
    down, right = (round(side * (1 - _INNER) / 2) for side in (height, width))
    inner = key.values[down : height - down, right : width - right]
    likeness, row, column = _find(inner, frame.values)
    if likeness >= _FOUND:
        return _shift((right - column) / width, (down - row) / height)
    part, share = _part(key.values, frame.values)
    if part >= _FOUND:
        return f"shows only a part of the frame, {share:.0%} of its sides: it must show all of it"
    more, share = _part(frame.values, key.values)
    if more >= _FOUND:
        return f"shows more than the frame, which is {share:.0%} of its sides: crop it"
    return None


def _shift(right: float, down: float) -> str:
    """A key that lies so far right and down, as shares of the frame's width and height."""
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
    """How much alike `part`, which is as large, and a part of `whole` are, and what share."""
    found = []
    for scale in _SCALES:
        size = round(part.shape[1] * scale), round(part.shape[0] * scale)
        smaller = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.float32)
        found.append((_find(smaller, whole)[0], scale))
    return max(found)


def _find(part: Plane, whole: Plane) -> tuple[float, int, int]:
    """Where in `whole` is what is most like `part`: likeness, row, column."""
    scores = cv2.matchTemplate(whole, part, cv2.TM_CCOEFF_NORMED)
    row, column = np.unravel_index(int(scores.argmax()), scores.shape)
    return float(scores[row, column]), int(row), int(column)
