"""Where a film is cut: the first frames of its shots, found by PySceneDetect from luma alone."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, NoReturn

import cv2
from tqdm import tqdm

from vidcolor.colour import Coding, decode_luma
from vidcolor.errors import MissingLibraryError
from vidcolor.flow import quantise
from vidcolor.tags import coding_of
from vidcolor.video import Codes, Frame, Reader

SHORTEST = 8
"""Frames of the shortest shot; what changes back sooner is a flash."""

_SIDE = 128
"""Pixels of the short side that cuts are looked for on."""


def find_shots(path: Path, *, progress: tqdm[NoReturn] | None = None) -> list[int]:
    """First frames of the film's shots, in order; the first of them is 0.

    Depends on the film's luma alone, also where the film is in colour. Numbers are those of
    `vidcolor.video.Reader`'s frames. progress: told of every frame.

    Raises MissingLibraryError without PySceneDetect, MediaError as `Reader` does.
    """
    scenedetect = _scenedetect()
    # The library's defaults, which were the best of ten settings on 288 cuts between clips of
    # footage: 7 missed, 6 false, all of these in one clip from a hand-held camera.
    detector = scenedetect.AdaptiveDetector(luma_only=True, min_scene_len=SHORTEST)
    shots, number = [0], 0
    with Reader(path) as reader:
        coding, rate = coding_of(reader.info), float(reader.info.rate)
        for item in reader:
            if isinstance(item, Frame):
                gray = cv2.merge([_small(item.planes[0], coding)] * 3)
                cuts = detector.process_frame(scenedetect.FrameTimecode(number, rate), gray)
                shots += [cut.frame_num for cut in cuts]
                number += 1
                if progress is not None:
                    progress.update()
    return shots


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
    return quantise(decode_luma(cv2.resize(codes, size, interpolation=cv2.INTER_AREA), coding))
