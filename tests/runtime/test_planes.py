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
        (LUMA.tolist(), CHROMA, r"luma must be \[h, w\] float32, got list"),
        (LUMA, None, r"chroma must be \[2, h, w\] float32, got NoneType"),
        (LUMA + 235, CHROMA, "luma must be in 0 to 1, got 235 to 235"),
        (LUMA, CHROMA + 128, "chroma must be in -0.5 to 0.5, got 128 to 128"),
        (LUMA * np.nan, CHROMA, "luma must be in 0 to 1, got nan to nan"),
        (LUMA, CHROMA * np.nan, "chroma must be in -0.5 to 0.5, got nan"),
        (LUMA[:0], CHROMA[:, :0], r"luma is \(0, 6\), which has no pixels"),
        (LUMA, CHROMA[:, :, :3], r"chroma is \(4, 3\), its luma is \(4, 6\)"),
    ],
)
def test_a_key_is_checked_at_birth(luma: np.ndarray, chroma: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Key(luma, chroma)


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ([1.0], r"weight must be \[h, w\] float32, got list"),
        (LUMA.astype(np.float64), r"weight must be .* float64"),
        (LUMA[None], r"weight must be \[h, w\] float32, got \(1, 4, 6\)"),
        (LUMA[:, :3], r"weight is \(4, 3\), its luma is \(4, 6\)"),
        (LUMA + 255, "weight must be in 0 to 1, got 255 to 255"),
        (LUMA * np.nan, "weight must be in 0 to 1, got nan to nan"),
    ],
)
def test_a_weight_is_checked_at_birth(weight: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Key(LUMA, CHROMA, weight)


def test_what_resampling_overshoots_is_taken() -> None:
    assert Key(LUMA - 0.1, CHROMA + 0.6).luma.min() < 0
