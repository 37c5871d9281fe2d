"""Key images: their chroma in the clip's matrix, and their alpha."""

from __future__ import annotations

import numpy as np
import vapoursynth as vs

from vidcolor.color import Coding, decode_chroma, decode_luma, key_to_rgb, rgb_to_key
from vidcolor.errors import ArgumentError, KeyFrameError
from vidcolor.grid import Grid, resample
from vidcolor.key.paint import Paint
from vidcolor.planes import Key, Plane
from vsvidcolor.frames import plane
from vsvidcolor.props import coding_of, grid_of

ALPHA_PROP = "_Alpha"
"""On a key: a GRAY frame of its size that says where it is painted. BestSource sets it, and
std.ClipToProp does."""


def key_paint(frame: vs.VideoFrame, *, matrix: str) -> Paint:
    """Read what is painted on a frame of the key clip.

    Args:
        frame: RGB or YUV, of any size. Its property _Alpha, if any, says where it is painted.
        matrix: The clip's matrix.

    Returns:
        Chroma in `matrix` and alpha, both on the grid of the frame's own chroma samples. The chroma
        of a YUV frame of the same matrix is the frame's own, bit for bit.

    Raises:
        KeyFrameError: The frame's tags are not known, or its alpha is not GRAY of its own size.
    """
    chroma, grid = _chroma(frame, matrix)
    weight = _weight(frame)
    if weight is not None:
        (weight,) = resample(weight[None], Grid(frame.height, frame.width), grid)
    return Paint(chroma, grid, weight)


def reference_key(frame: vs.VideoFrame, *, matrix: str) -> Key:
    """Read a picture that shows no frame of the clip.

    Args:
        frame: RGB or YUV, of any size.
        matrix: The clip's matrix.

    Returns:
        Its luma and chroma in `matrix`, at its own size.

    Raises:
        KeyFrameError: The frame's tags are not known.
    """
    try:
        coding, grid = coding_of(frame), grid_of(frame)
    except ArgumentError as error:
        raise KeyFrameError(str(error)) from None
    if frame.format.color_family == vs.RGB:
        return rgb_to_key(_rgb(frame, coding), matrix)
    chroma = decode_chroma(plane(frame, 1), plane(frame, 2), coding)
    chroma = resample(chroma, grid, Grid(frame.height, frame.width))
    key = Key(decode_luma(plane(frame, 0), coding), chroma)
    if coding.matrix == matrix:
        return key
    return rgb_to_key(key_to_rgb(key, coding.matrix), matrix)


def _rgb(frame: vs.VideoFrame, coding: Coding) -> Plane:
    """R'G'B' [h, w, 3] of an RGB frame."""
    return np.stack([decode_luma(plane(frame, index), coding) for index in range(3)], axis=-1)


def _weight(frame: vs.VideoFrame) -> Plane | None:
    """The frame's alpha [h, w] in [0, 1]; None where it has none, or hides nothing."""
    alpha = frame.props.get(ALPHA_PROP)
    if not isinstance(alpha, vs.VideoFrame):
        return None
    if alpha.format.color_family != vs.GRAY or (alpha.width, alpha.height) != (
        frame.width,
        frame.height,
    ):
        raise KeyFrameError(
            f"its {ALPHA_PROP} is {alpha.format.name} {alpha.width}x{alpha.height}, accepted "
            f"is GRAY of its own size, {frame.width}x{frame.height}"
        )
    coding = Coding(
        "bt709",  # of no meaning in alpha
        full_range=alpha.props.get("_Range", vs.RANGE_FULL) == vs.RANGE_FULL,
        bits=alpha.format.bits_per_sample,
        is_float=alpha.format.sample_type == vs.FLOAT,
    )
    weight = decode_luma(plane(alpha, 0), coding)
    return None if weight.min() == 1 else weight


def _chroma(frame: vs.VideoFrame, matrix: str) -> tuple[Plane, Grid]:
    """Chroma [2, h, w], and where its samples sit."""
    try:
        coding, grid = coding_of(frame), grid_of(frame)
    except ArgumentError as error:
        raise KeyFrameError(str(error)) from None
    if frame.format.color_family == vs.RGB:
        return rgb_to_key(_rgb(frame, coding), matrix).chroma, grid
    chroma = decode_chroma(plane(frame, 1), plane(frame, 2), coding)
    if coding.matrix == matrix:
        return chroma, grid
    luma = decode_luma(plane(frame, 0), coding)
    luma = resample(luma[None], Grid(frame.height, frame.width), grid)[0]
    rgb = key_to_rgb(Key(luma=luma, chroma=chroma), coding.matrix)
    return rgb_to_key(rgb, matrix).chroma, grid
