"""Shot detection: the first frames of a film's shots, found by PySceneDetect from luma alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2

from vidcolor.color import Coding, decode_luma
from vidcolor.film.progress import Progress, no_progress
from vidcolor.media.reader import Codes, Frame, Info, Reader
from vidcolor.media.tags import coding_of
from vidcolor.motion.optical_flow import to_uint8
from vidcolor.optional import require

SHORTEST = 8
"""Frames of the shortest shot; what changes back sooner is a flash."""

_SIDE = 128
"""Pixels of the short side that cuts are looked for on."""


class ShotFinder:
    """Looks at the frames of a film, one after the other, and tells where its shots begin.

    The result depends on the film's luma alone, also where the film is in colour.

    Args:
        info: The film's.

    Raises:
        MissingLibraryError: PySceneDetect is not installed.
    """

    def __init__(self, info: Info) -> None:
        self._library = _scenedetect()
        # The library's defaults, which were the best of ten settings on 288 cuts between clips of
        # footage: 7 missed, 6 false, all of these in one clip from a hand-held camera.
        self._detector = self._library.AdaptiveDetector(luma_only=True, min_scene_len=SHORTEST)
        self._coding, self._rate = coding_of(info), float(info.rate)
        self._frames = 0
        self.shots = [0]
        """First frames of the shots found so far, in order."""

    def add(self, luma: Codes) -> None:
        """Look at the next frame's luma plane [h, w] of code values."""
        gray = cv2.merge([_small(luma, self._coding)] * 3)
        time = self._library.FrameTimecode(self._frames, self._rate)
        self.shots += [cut.frame_num for cut in self._detector.process_frame(time, gray)]
        self._frames += 1


def find_shots(
    path: Path, *, progressive: bool = False, progress: Progress = no_progress
) -> list[int]:
    """Find the first frames of a film's shots.

    Args:
        path: The film.
        progressive: As in `Reader`.
        progress: Told of every frame.

    Returns:
        Frame numbers, rising; the first is 0. They count `vidcolor.media.reader.Reader`'s frames.

    Raises:
        MissingLibraryError: PySceneDetect is not installed.
        MediaError: As `Reader` does.
    """
    with Reader(path, progressive=progressive) as reader:
        finder = ShotFinder(reader.info)
        frames = (item for item in reader if isinstance(item, Frame))
        for number, frame in enumerate(frames, 1):
            finder.add(frame.planes[0])
            progress("finding shots", number, reader.info.frame_count)
    return finder.shots


def _scenedetect() -> Any:
    return require("scenedetect", library="PySceneDetect", extra="film", purpose="finding shots")


def _small(codes: Codes, coding: Coding) -> cv2.typing.MatLike:
    """Luma codes [h, w] as 8-bit luma whose short side is `_SIDE`, or less if it was less."""
    height, width = codes.shape
    scale = min(1.0, _SIDE / min(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return to_uint8(decode_luma(cv2.resize(codes, size, interpolation=cv2.INTER_AREA), coding))
