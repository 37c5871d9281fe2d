"""VapourSynth's frames as numpy arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import vapoursynth as vs
from numpy.typing import NDArray


def plane(frame: vs.VideoFrame, index: int) -> NDArray[Any]:
    """One plane of a frame.

    Args:
        frame: The frame.
        index: Which plane, from 0.

    Returns:
        [h, w] code values, a view of the frame's own memory.
    """
    return np.asarray(frame[index])


def new_frame(format_id: int, *planes: NDArray[Any] | None) -> vs.VideoFrame:
    """Make a frame.

    Args:
        format_id: The id of its format, which has as many planes as are given, without subsampling.
        planes: [h, w] each, all of one size. None leaves a plane as it is, with any content.

    Returns:
        The frame, without properties.
    """
    height, width = next(values.shape for values in planes if values is not None)
    frame = vs.core.create_video_frame(format_id, width, height)
    for index, values in enumerate(planes):
        if values is not None:
            plane(frame, index)[:] = values
    return frame
