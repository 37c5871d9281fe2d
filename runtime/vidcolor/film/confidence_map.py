"""Where in the picture the model was sure: a coarse map of each frame, small enough to be kept.

A map has one number for each of some hundred cells of the picture: the mean confidence there. The
maps of a film are kept as differences between frames, compressed, in its report: about 200 bytes
for a frame, 17 MB for an hour.
"""

from __future__ import annotations

import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from vidcolor.planes import Plane

LONG_SIDE = 32
"""Cells along the longer side of the picture."""
LEVELS = 32
"""Steps of confidence that the maps of a report tell apart, 0 and 1 among them."""

Cells = NDArray[np.uint8]
"""[h, w] or [n, h, w]: confidence of each cell, of 255."""


class Confidence(NamedTuple):
    """How sure the model was of the frames of a film."""

    means: list[float]
    """Of each frame, in [0, 1]."""
    maps: PackedMaps | None
    """None where parts of the film were coloured before there were maps."""


@dataclass(frozen=True)
class PackedMaps:
    """The maps of a film's frames as text. Each has `height` by `width` cells."""

    height: int
    width: int
    data: str
    """Base64 of zlib's stream of one byte for each cell: its level, of `LEVELS`, less the level in
    the frame before, modulo 256. Cells go row by row, frame by frame."""

    def __post_init__(self) -> None:
        if not 1 <= self.height <= LONG_SIDE or not 1 <= self.width <= LONG_SIDE:
            raise ValueError(f"maps must have 1 to {LONG_SIDE} cells a side")

    def unpack(self, count: int) -> Cells:
        """The maps [count, height, width].

        Raises:
            ValueError: The data is damaged, or is not of as many frames.
        """
        size = count * self.height * self.width
        try:
            stream = zlib.decompressobj()
            given = stream.decompress(b64decode(self.data, validate=True), size + 1)
        except zlib.error as error:
            raise ValueError(str(error)) from error
        if len(given) != size or not stream.eof:
            raise ValueError(f"maps are not those of {count} frames")
        steps = np.frombuffer(given, np.uint8).reshape(count, self.height, self.width)
        levels = np.add.accumulate(steps, axis=0, dtype=np.uint8)
        if levels.size and levels.max() >= LEVELS:
            raise ValueError(f"maps must hold levels below {LEVELS}")
        return np.round(levels * (255 / (LEVELS - 1))).astype(np.uint8)


def cells_of(confidence: Plane) -> Cells:
    """The map of one frame.

    Args:
        confidence: [h, w] in [0, 1].

    Returns:
        Its means over cells, `LONG_SIDE` along the longer side.
    """
    height, width = confidence.shape
    longest = max(height, width)
    shape = (max(1, round(LONG_SIDE * side / longest)) for side in (width, height))
    means = cv2.resize(confidence, tuple(shape), interpolation=cv2.INTER_AREA)
    return np.round(255 * means.clip(0, 1)).astype(np.uint8)


def pack_maps(maps: Iterable[Cells]) -> PackedMaps | None:
    """Pack the maps of a film; `PackedMaps.unpack` gives them back to 1/62 of confidence.

    Args:
        maps: [n, h, w], of frames one after the other.

    Returns:
        The packed maps; None if there is no frame.
    """
    stream = zlib.compressobj(9)
    pieces: list[bytes] = []
    last: Cells | None = None
    for cells in maps:
        levels = np.round(cells * ((LEVELS - 1) / 255)).astype(np.uint8)
        before = np.zeros_like(levels[:1]) if last is None else last
        # Unsigned bytes: differences below 0 wrap around, as they do again when they are added up.
        steps = np.diff(levels, axis=0, prepend=before)
        pieces.append(stream.compress(steps.tobytes()))
        last = levels[-1:]
    if last is None:
        return None
    pieces.append(stream.flush())
    return PackedMaps(last.shape[1], last.shape[2], b64encode(b"".join(pieces)).decode("ascii"))
