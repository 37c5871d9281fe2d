from __future__ import annotations

import numpy as np
import pytest

from vidcolor.planes import Key

LUMA = np.zeros((4, 6), np.float32)
CHROMA = np.zeros((2, 4, 6), np.float32)


def test_a_key_prints_shapes_and_not_data() -> None:
    assert repr(Key(LUMA, CHROMA)) == "Key(luma=(4, 6), chroma=(2, 4, 6))"


@pytest.mark.parametrize(
    ("luma", "chroma", "message"),
    [
        (LUMA[None], CHROMA, r"luma must be \[h, w\] float32, got \(1, 4, 6\)"),
        (LUMA.astype(np.float64), CHROMA, r"luma must be .* float64"),
        (LUMA, CHROMA[:1], r"chroma must be \[2, h, w\] float32, got \(1, 4, 6\)"),
        (LUMA, CHROMA.astype(np.uint8), r"chroma must be .* uint8"),
        (LUMA, CHROMA[:, :, :3], r"chroma is \(4, 3\), its luma is \(4, 6\)"),
    ],
)
def test_a_key_is_checked_at_birth(luma: np.ndarray, chroma: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Key(luma, chroma)
