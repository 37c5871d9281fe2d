"""Photographs to learn colours from, beside the frames of clips: each is a clip of one frame.

They are decoded when they are drawn, since thousands of them do not fit into memory.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from evaluation.clips import Clip, files_below, rgb_to_codes
from vidcolor.errors import ArgumentError
from vidcolor.key.decode import decode

SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
_PROBE = cv2.IMREAD_REDUCED_GRAYSCALE_8
"""Decodes a JPEG at an eighth of its size: enough to find out that it can be read."""


@dataclass(frozen=True)
class Picture:
    """A file with a photograph, and the length in pixels that its short side is brought to."""

    path: Path
    size: int

    def load(self) -> Clip:
        """Decode it.

        Returns:
            A clip of one frame. A picture whose short side is `size` or less keeps its own.

        Raises:
            ArgumentError: The file can no longer be read.
        """
        bgr = _read(self.path, cv2.IMREAD_COLOR)
        if bgr is None:
            raise ArgumentError(f"pictures: {self.path} cannot be read any more")
        factor = self.size / min(bgr.shape[:2])
        if factor < 1:
            shape = tuple(max(self.size, round(side * factor)) for side in bgr.shape[1::-1])
            bgr = cv2.resize(bgr, shape, interpolation=cv2.INTER_AREA)
        luma, chroma = rgb_to_codes(np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8))
        return Clip(name=self.path.stem, luma=luma[None], chroma=chroma[None])


def find_pictures(folders: Sequence[Path], *, size: int, least: int) -> list[Picture]:
    """Every picture below the folders, in an order that is the same everywhere.

    Those that cannot be read or are too small are counted on stderr and left out.

    Args:
        folders: They are searched, subfolders too.
        size: As in `Picture`.
        least: Pixels that the short side needs.

    Returns:
        The pictures.

    Raises:
        ArgumentError: A folder is missing, or none of its pictures can be used.
    """
    found: list[Picture] = []
    for folder in folders:
        if not folder.is_dir():
            raise ArgumentError(f"pictures: {folder} is not a folder; a folder of them is needed")
        files = list(files_below(folder, SUFFIXES))
        usable = [Picture(path, size) for path in files if _short_side(path) >= least]
        if not usable:
            raise ArgumentError(
                f"pictures: {folder} holds no picture ({', '.join(sorted(SUFFIXES))}) of at least "
                f"{least} pixels on the short side"
            )
        if left_out := len(files) - len(usable):
            print(
                f"{folder}: {left_out} of {len(files)} pictures cannot be read, or have fewer than "
                f"{least} pixels on the short side; they are left out",
                file=sys.stderr,
            )
        found += usable
    return found


def _short_side(path: Path) -> int:
    """At least so many pixels, and at most seven more; 0 where the file cannot be read."""
    small = _read(path, _PROBE)
    return 0 if small is None else 8 * min(small.shape) - 7


def _read(path: Path, flags: int) -> NDArray[Any] | None:
    try:
        data = np.fromfile(path, np.uint8)
    except OSError:
        return None
    return decode(data, flags).images[0]
