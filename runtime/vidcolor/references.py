"""References: pictures in colour that show no frame of the clip, such as a still of another shot.

Note on references. They colour the shots that have no key of their own. Nothing can be followed
from such a shot to a reference, so no flow is looked for: for every place of a frame the model
finds by attention what looks like it, in all references at once and in the nearest keys of other
shots. So every thing takes its colours from the picture that has what is most like it. A shot with
a key of its own is coloured from its keys alone.

A reference is a part of the memory that a pass begins with. What that pass gives depends on the
luma of its frames and on its memory alone, so colours do not depend on the order that frames are
asked for in.
"""

from __future__ import annotations

import numpy as np

from vidcolor.errors import ArgumentError
from vidcolor.grid import Grid, resample
from vidcolor.planes import Key
from vidcolor.working_size import ASPECT_TOLERANCE, WorkingSize

MOST_REFERENCES = 16
"""References of one clip. Attention compares every place of a frame with every place of each: at a
working size of 455x256 a step takes 80 MB more for each of them."""


def check_count(count: int) -> None:
    """Raise ArgumentError if there are more than `MOST_REFERENCES`."""
    if count > MOST_REFERENCES:
        raise ArgumentError(f"references are {count}, accepted are at most {MOST_REFERENCES}")


def fit_reference(reference: Key, working_size: WorkingSize) -> Key:
    """Bring a picture of any size and aspect to working size.

    It is scaled until all of it is within the frame. What is left free beside it is filled with its
    own mirror image: black bars would be one more thing that the frame's dark places look like.

    Args:
        reference: At its own size, without `Key.weight`.
        working_size: The clip's working size.

    Returns:
        A key of working size, with the reference's own luma.
    """
    rows, columns = reference.luma.shape
    full = working_size.working.shape
    height, width = full
    wider = columns / rows * working_size.height / working_size.width
    if wider > 1 + ASPECT_TOLERANCE:
        height = max(1, round(height / wider))
    elif wider < 1 - ASPECT_TOLERANCE:
        width = max(1, round(width * wider))
    planes = np.concatenate((reference.luma[None], reference.chroma))
    small = resample(planes, Grid(rows, columns), Grid(height, width))
    spare = [size - have for size, have in zip(full, (height, width), strict=True)]
    around = [(both // 2, both - both // 2) for both in spare]
    small = np.pad(small, ((0, 0), *around), mode="symmetric")
    return Key(small[0].clip(0, 1), small[1:].clip(-0.5, 0.5))
