"""A key frame nobody painted: a frame of the clip, coloured by an image colorizer."""

from __future__ import annotations

from pathlib import Path

from vidcolor.color import decode_luma
from vidcolor.inference.colorizer import Colorizer
from vidcolor.media.reader import Frame, Reader
from vidcolor.media.tags import coding_of
from vidcolor.planes import Key, Plane
from vidcolor.working_size import Fit

AUTO = "auto"
"""What stands in a key's place to ask for one."""


def auto_key(luma: Plane, *, colorizer: Colorizer, fit: Fit, matrix: str) -> Key:
    """A key of the clip's own size: luma [height, width] in [0, 1], as `fit` has it, coloured.

    The colorizer sees the working size; its colours come up along the luma's edges. matrix: the
    clip's.
    """
    small = fit.down(luma)
    return Key(luma, fit.up(colorizer.color(small, matrix=matrix), small, luma))


def auto_first_key(clip: Path, *, colorizer: Colorizer, size: int) -> Key:
    """`auto_key` of the clip's first frame, at a working size with this short side.

    Raises MediaError when the clip cannot be read, ArgumentError for a size that is not accepted.
    """
    with Reader(clip) as reader:
        info = reader.info
        first = next(item for item in reader if isinstance(item, Frame))
    coding, fit = coding_of(info), Fit.of(info.height, info.width, size)
    luma = decode_luma(first.planes[0], coding)
    return auto_key(luma, colorizer=colorizer, fit=fit, matrix=coding.matrix)
