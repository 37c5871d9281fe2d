"""A key frame that an image colorizer makes from a frame of the clip."""

from __future__ import annotations

from pathlib import Path

from vidcolor.color import decode_luma
from vidcolor.inference.colorizer import Colorizer
from vidcolor.media.info import Frame
from vidcolor.media.reader import Reader
from vidcolor.media.tags import coding_of
from vidcolor.planes import Key, Plane
from vidcolor.working_size import WorkingSize

AUTO = "auto"
"""What an option takes in place of a key's path to ask for one."""


def auto_key(luma: Plane, *, colorizer: Colorizer, working_size: WorkingSize, matrix: str) -> Key:
    """A key of the clip's own size from the luma of a frame.

    The colorizer runs at working size; its colours are upsampled along the luma's edges.

    Args:
        luma: [height, width] float32 in [0, 1].
        colorizer: What colours it.
        working_size: The clip's working size.
        matrix: The clip's, one of `vidcolor.color.MATRICES`.
    """
    small = working_size.downsample(luma)
    return Key(luma, working_size.upsample(colorizer.color(small, matrix=matrix), small, luma))


def auto_first_key(
    clip: Path, *, colorizer: Colorizer, size: int, progressive: bool = False
) -> Key:
    """`auto_key` of a clip's first frame.

    Args:
        clip: A video file.
        colorizer: What colours it.
        size: Short side of the working size in pixels.
        progressive: Whether frames that are flagged as interlaced are taken for progressive.

    Raises:
        MediaError: The clip cannot be read.
        ArgumentError: The size is not accepted.
    """
    with Reader(clip, progressive=progressive) as reader:
        info = reader.info
        first = next(item for item in reader if isinstance(item, Frame))
    coding, working_size = coding_of(info), WorkingSize.of(info.height, info.width, size)
    luma = decode_luma(first.planes[0], coding)
    return auto_key(luma, colorizer=colorizer, working_size=working_size, matrix=coding.matrix)
