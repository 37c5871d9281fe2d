"""The key: chroma of its frame, in the clip's matrix, wherever its own samples sit."""

from __future__ import annotations

import numpy as np
import vapoursynth as vs

from vidcolor.colour import decode_chroma, decode_luma, key_to_rgb, rgb_to_key
from vidcolor.errors import ArgumentError, KeyFrameError
from vidcolor.grid import Grid, resample
from vidcolor.planes import Key, Plane
from vsvidcolor.filters import plane
from vsvidcolor.props import coding_of, grid_of


def key_chroma(frame: vs.VideoFrame, *, matrix: str) -> tuple[Plane, Grid]:
    """Chroma [2, h, w] of an RGB or YUV frame for a clip of `matrix`, and where its samples sit.

    Of a YUV frame of that same matrix it is the frame's chroma itself, bit for bit.
    Raises KeyFrameError when the frame is tagged with what vidcolor does not speak.
    """
    try:
        coding, grid = coding_of(frame), grid_of(frame)
    except ArgumentError as error:
        raise KeyFrameError(f"key: {error}") from None
    if frame.format.color_family == vs.RGB:
        rgb = np.stack([decode_luma(plane(frame, index), coding) for index in range(3)], axis=-1)
        return rgb_to_key(rgb, matrix).chroma, grid
    chroma = decode_chroma(plane(frame, 1), plane(frame, 2), coding)
    if coding.matrix == matrix:
        return chroma, grid
    luma = decode_luma(plane(frame, 0), coding)
    luma = resample(luma[None], Grid(frame.height, frame.width), grid)[0]
    rgb = key_to_rgb(Key(luma=luma, chroma=chroma), coding.matrix)
    return rgb_to_key(rgb, matrix).chroma, grid
