"""Chroma of a segment as a file: without loss, and the same bytes each time."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, Self, cast

import av
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

from vidcolor.color import Codes
from vidcolor.film.confidence_map import Cells
from vidcolor.media.names import url_of
from vidcolor.media.pictures import plane_codes

_MAGICYUV = ("gray", "magicyuv", {"pred": "median"})
"""Format, codec and options of 8 bits: sooner done than FFV1, for somewhat more bytes."""
_FFV1 = ("gray16le", "ffv1", {"level": "3", "slices": "4", "slicecrc": "1"})
"""Above, where MagicYUV has no gray."""
_REPRODUCIBLE = {"fflags": "+bitexact"}
"""The same chroma makes the same file."""


class ChromaWriter:
    """Chroma being written: both planes of a frame, one above the other in a gray picture.

    Use it as a context: leaving it completes the file, unless by an exception.
    """

    def __init__(self, path: Path, bits: int) -> None:
        self._form, codec, options = _MAGICYUV if bits == 8 else _FFV1
        self._container = av.open(url_of(path), "w", format="nut", container_options=_REPRODUCIBLE)
        stream = self._container.add_stream(codec, rate=25, options=options)
        self._stream = cast(VideoStream, stream)
        self._stream.codec_context.thread_type = "AUTO"
        self._stream.pix_fmt = self._form
        self.confidences: list[float] = []
        """Of the frames written so far."""
        self._maps: list[Cells] = []

    def __enter__(self) -> Self:
        return self

    def add(self, u: Codes, v: Codes, confidence: float, cells: Cells | None = None) -> None:
        """Write a frame's planes [h, w], the mean of its confidence, and the map of it."""
        height, width = u.shape
        if not self.confidences:
            self._stream.height, self._stream.width = 2 * height, width
        frame = av.VideoFrame(width, 2 * height, self._form)
        codes: NDArray[np.generic] = plane_codes(frame, 0)
        codes[:height], codes[height:] = u, v
        frame.pts, frame.time_base = len(self.confidences), Fraction(1, 25)
        self.confidences.append(confidence)
        if cells is not None:
            self._maps.append(cells)
        self._container.mux(self._stream.encode(frame))

    def confidence_table(self) -> NDArray[Any]:
        """A row for each frame: its mean, and its map if every frame was given one."""
        if not self._maps or len(self._maps) != len(self.confidences):
            return np.array(self.confidences)
        kind = np.dtype([("mean", np.float64), ("map", np.uint8, self._maps[0].shape)])
        table = np.empty(len(self._maps), kind)
        table["mean"], table["map"] = self.confidences, self._maps
        return table

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            # An encoder that could not be opened, for want of memory, must not be asked for more.
            if self.confidences and kind is None:
                self._container.mux(self._stream.encode())
        finally:
            self._container.close()


def read_chroma(path: Path) -> Iterator[tuple[Codes, Codes]]:
    """Both chroma planes [h, w] of each frame of a file that `ChromaWriter` wrote."""
    with av.open(url_of(path), format="nut") as container:
        for frame in container.decode(video=0):
            codes = plane_codes(frame, 0)
            half = len(codes) // 2
            yield codes[:half], codes[half:]
