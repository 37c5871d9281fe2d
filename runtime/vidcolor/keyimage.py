"""A key frame from an image file, fitted to the clip it colours."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from vidcolor.colour import rgb_to_key
from vidcolor.errors import KeyFrameError
from vidcolor.fit import ASPECT_TOLERANCE
from vidcolor.planes import Key
from vidcolor.video import Info

_LEAST_CHROMA = 2 / 255
"""A picture whose chroma never goes beyond this is gray: two 8-bit codes, for JPEG's rounding."""


def read_key(path: Path, *, info: Info, matrix: str) -> Key:
    """The image at `path` as a key frame of the clip, at the image's own size.

    PNG, JPEG, TIFF and what else OpenCV reads, 8 or 16 bits; alpha is ignored. Its values are taken
    for the clip's own R'G'B': there is no colour management. A player shows some clips turned or
    with samples that are not square. The image may look as the player shows it or, where samples
    are not square, as the file stores it; what comes back lies as the frames are stored.

    Raises KeyFrameError when the file is missing or no such image, when its aspect is another
    than the clip's, or when it is gray.
    """
    image = np.rot90(read_image(path), -(info.rotation // 90))
    _check_aspect(path, image.shape[0], image.shape[1], info)
    key = rgb_to_key(image.astype(np.float32) / np.iinfo(image.dtype).max, matrix)
    if _is_gray(key):
        raise KeyFrameError(f"key: {path} is gray, a coloured picture of the first frame is needed")
    return key


def is_painted(path: Path) -> bool:
    """Whether the image at `path` is in colour. Raises KeyFrameError as `read_key` does."""
    image = read_image(path)
    # Which matrix it is makes no difference between gray and colour.
    return not _is_gray(rgb_to_key(image.astype(np.float32) / np.iinfo(image.dtype).max, "bt709"))


def read_image(path: Path) -> np.ndarray:
    """R'G'B' [h, w, 3], uint8 or uint16, turned as the image's Exif data says.

    Raises KeyFrameError when the file is missing or no such image.
    """
    if not path.is_file():
        raise KeyFrameError(f"key: there is no file {path}")
    data = np.fromfile(path, np.uint8)  # imread cannot open every name on every system
    image = cv2.imdecode(data, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH) if data.size else None
    if image is None or image.dtype not in (np.uint8, np.uint16):
        raise KeyFrameError(
            f"key: {path} cannot be read as an image, 8 or 16 bit PNG, JPEG and TIFF are accepted"
        )
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)  # IMREAD_COLOR_RGB misreads 16-bit TIFF


def _is_gray(key: Key) -> bool:
    return bool(np.abs(key.chroma).max() <= _LEAST_CHROMA)


def _check_aspect(path: Path, height: int, width: int, info: Info) -> None:
    stored = info.width / info.height
    shown = float(stored * info.sample_aspect)
    if min(abs(width / height / aspect - 1) for aspect in (stored, shown)) > ASPECT_TOLERANCE:
        raise KeyFrameError(
            f"key: {path} is {width}x{height}, of aspect {width / height:.3f}, "
            f"the clip is {info.width}x{info.height}, of aspect {shown:.3f}; "
            f"they may differ by {ASPECT_TOLERANCE:.0%}"
        )
