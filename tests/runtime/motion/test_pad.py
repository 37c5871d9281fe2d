from __future__ import annotations

import numpy as np
import pytest

from vidcolor.motion.pad import crop, pad

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(("height", "width"), [(45, 61), (48, 64), (40, 63), (41, 64)])
def test_padding_repeats_the_edges(height: int, width: int) -> None:
    planes = RNG.random((2, height, width), np.float32)
    padded = pad(planes, 8)
    around = ((0, 0), (0, -height % 8), (0, -width % 8))
    np.testing.assert_array_equal(padded, np.pad(planes, around, mode="edge")[None])
    assert padded.flags.c_contiguous
    np.testing.assert_array_equal(crop(padded, height, width), planes)
