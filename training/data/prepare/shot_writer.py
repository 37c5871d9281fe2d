"""A shot written as two clips, in colour and in gray, and the figures that decide on it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import cv2
import numpy as np

from evaluation.clips import CODING, Codes, rgb_to_codes
from vidcolor.color import code_of
from vidcolor.media.info import FULL_RANGE
from vidcolor.planes import Plane

_GLANCE = 64
"""Width and height at which a shot is judged, in pixels; grain and blocks are averaged away."""
_MOVED = 4.0
"""How far L of Lab must be from the first frame's for a place to count as moved, of 100."""


@dataclass(frozen=True)
class ShotFigures:
    """What decides whether a shot is kept."""

    frames: int
    chroma: float
    """Mean distance from gray in Lab."""
    motion: float
    """Greatest share of a frame that is not as in the first one."""


class ShotWriter:
    """The two clips of one shot, being written. A context manager.

    They are H.264 in MP4, full-range BT.601 as `evaluation.clips` keeps its planes: colour as
    4:4:4, which loses no chroma, and luma alone. The same frames give the same bytes.
    """

    def __init__(
        self, color: Path, gray: Path, *, size: tuple[int, int], rate: Fraction, crf: int
    ) -> None:
        self._writers = [
            _Writer(color, size=size, rate=rate, crf=crf, pixel_format="yuv444p"),
            _Writer(gray, size=size, rate=rate, crf=crf, pixel_format="gray"),
        ]
        self._first: Plane | None = None
        self._chroma: list[float] = []
        self._motion = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        for writer in self._writers:
            writer.close(whole=error is None)

    def add(self, rgb: Codes) -> None:
        """Write the next frame, RGB [h, w, 3]."""
        luma, chroma = rgb_to_codes(rgb)
        for writer, planes in zip(self._writers, (np.stack((luma, *chroma)), luma), strict=True):
            writer.add(planes)
        small = cv2.resize(rgb, (_GLANCE, _GLANCE), interpolation=cv2.INTER_AREA)
        lab = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
        self._chroma.append(float(np.hypot(lab[..., 1], lab[..., 2]).mean()))
        lightness = np.asarray(lab[..., 0], np.float32)
        self._first = lightness if self._first is None else self._first
        moved = np.abs(lightness - self._first) > _MOVED
        self._motion = max(self._motion, float(moved.mean()))

    @property
    def figures(self) -> ShotFigures:
        """Return the figures of the frames so far."""
        return ShotFigures(len(self._chroma), float(np.mean(self._chroma)), self._motion)


class _Writer:
    def __init__(
        self, path: Path, *, size: tuple[int, int], rate: Fraction, crf: int, pixel_format: str
    ) -> None:
        self._container = av.open(path, "w", format="mp4")
        # mbtree's rate control reads memory that nobody wrote, for pictures as small as 64 pixels:
        # then the same frames give other bytes from time to time.
        options = {"crf": str(crf), "x264-params": "mbtree=0"}
        self._pixel_format = pixel_format
        self._stream = self._container.add_stream("libx264", rate=rate, options=options)
        context = self._stream.codec_context
        context.width, context.height = size
        context.pix_fmt = pixel_format
        context.colorspace, context.color_range = code_of(CODING.matrix), FULL_RANGE
        context.thread_count = 1  # with more, the bytes would depend on how many there are

    def add(self, planes: Codes) -> None:
        frame = av.VideoFrame.from_ndarray(planes, format=self._pixel_format)
        frame.colorspace, frame.color_range = code_of(CODING.matrix), FULL_RANGE
        self._container.mux(self._stream.encode(frame))

    def close(self, *, whole: bool) -> None:
        if whole:
            self._container.mux(self._stream.encode())
        self._container.close()
