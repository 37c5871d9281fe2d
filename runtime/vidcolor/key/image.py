"""A key frame from an image file, fitted to the clip it colours."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from vidcolor.color import rgb_to_key
from vidcolor.errors import KeyFrameError, MediaError
from vidcolor.media.reader import Info
from vidcolor.planes import Key, Plane
from vidcolor.working_size import ASPECT_TOLERANCE

_LEAST_CHROMA = 2 / 255
"""A picture whose chroma never goes beyond this is gray: two 8-bit codes, for JPEG's rounding."""


class Picture(NamedTuple):
    """An image file, upright."""

    rgb: Plane
    """R'G'B' [h, w, 3] float32 in [0, 1]."""
    alpha: Plane | None
    """[h, w] float32 in [0, 1]; None where there is none, or none of it is transparent."""
    bits: int
    """8 or 16."""


def read_key(path: Path, *, info: Info, matrix: str) -> Key:
    """The image at `path` as a key frame of the clip, at the image's own size.

    PNG, JPEG, TIFF and what else OpenCV reads, 8 or 16 bits. Alpha says where it is painted. Its
    values are taken for the clip's own R'G'B': there is no colour management. A player shows some
    clips turned or with samples that are not square. The image may look as the player shows it or,
    where samples are not square, as the file stores it; what comes back lies as the frames are
    stored.

    Raises KeyFrameError when the file is missing or no such image, when its aspect is another
    than the clip's, or when it is gray or transparent everywhere.
    """
    picture = read_picture(path)
    turns = -(info.rotation // 90)
    key = rgb_to_key(np.rot90(picture.rgb, turns), matrix)
    _check_aspect(path, key.luma, info)
    if picture.alpha is not None:
        weight = np.ascontiguousarray(np.rot90(picture.alpha, turns))
        key = Key(key.luma, key.chroma, weight)
        if not weight.any():
            raise KeyFrameError(
                f"key: {path} is transparent everywhere, some of it must be painted"
            )
    if _is_gray(key):
        raise KeyFrameError(f"key: {path} is gray, a coloured picture of the first frame is needed")
    return key


def is_painted(path: Path) -> bool:
    """Whether the image at `path` has colour. Raises KeyFrameError as `read_key` does."""
    picture = read_picture(path)
    # Which matrix it is makes no difference between gray and colour.
    key = rgb_to_key(picture.rgb, "bt709")
    return not _is_gray(Key(key.luma, key.chroma, picture.alpha))


def read_picture(path: Path) -> Picture:
    """The image at `path`, turned as its Exif data says.

    Raises KeyFrameError when the file is missing or no image of 8 or 16 bits.
    """
    if not path.is_file():
        raise KeyFrameError(f"key: there is no file {path}")
    data = np.fromfile(path, np.uint8)  # imread cannot open every name on every system
    image = cv2.imdecode(data, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH) if data.size else None
    if image is None or image.dtype not in (np.uint8, np.uint16):
        raise KeyFrameError(
            f"key: {path} cannot be read as an image, 8 or 16 bit PNG, JPEG and TIFF are accepted"
        )
    bits = 8 * image.dtype.itemsize
    most = np.float32((1 << bits) - 1)
    rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)  # IMREAD_COLOR_RGB misreads 16-bit TIFF
    whole: Any = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)  # looks at no Exif data
    alpha = whole[..., 3] / most if whole.ndim == 3 and whole.shape[2] == 4 else None
    if alpha is None or alpha.min() == 1:
        return Picture(rgb / most, None, bits)
    if not np.array_equal(whole[..., :3], image):
        raise KeyFrameError(
            f"key: {path} has alpha and is turned by its Exif data, only one of these is accepted: "
            "save it upright"
        )
    return Picture(rgb / most, alpha, bits)


def _is_gray(key: Key) -> bool:
    painted = key.chroma if key.weight is None else key.chroma[:, key.weight > 0]
    return not painted.size or bool(np.abs(painted).max() <= _LEAST_CHROMA)


def write_picture(path: Path, rgb: Plane, *, bits: int) -> None:
    """Write R'G'B' [h, w, 3] in [0, 1] as a PNG of 8 or 16 bits; there is all of it or none.

    Raises MediaError when it cannot be written.
    """
    codes = np.rint(rgb[..., ::-1] * ((1 << bits) - 1))
    _, data = cv2.imencode(".png", codes.astype(np.uint8 if bits == 8 else np.uint16))
    partial = path.with_name(f".{path.stem}.{os.getpid()}.partial{path.suffix}")
    try:
        partial.write_bytes(data.tobytes())
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise MediaError(f"output: {path} cannot be written ({error.strerror})") from error


def _check_aspect(path: Path, luma: Plane, info: Info) -> None:
    height, width = luma.shape
    stored = info.width / info.height
    shown = float(stored * info.sample_aspect)
    if min(abs(width / height / aspect - 1) for aspect in (stored, shown)) > ASPECT_TOLERANCE:
        raise KeyFrameError(
            f"key: {path} is {width}x{height}, of aspect {width / height:.3f}, "
            f"the clip is {info.width}x{info.height}, of aspect {shown:.3f}; "
            f"they may differ by {ASPECT_TOLERANCE:.0%}"
        )
