"""Black bars around a key are found, and cut off where its frame has none."""

import cv2
import numpy as np
import pytest

from vidcolor.key.bars import has_bars, without_bars
from vidcolor.planes import Key

LUMA = 0.2 + 0.6 * np.random.default_rng(5).random((60, 80), np.float32)
CHROMA = np.full((2, 60, 80), 0.1, np.float32)
KEY = Key(LUMA, CHROMA)


def boxed(top: int, left: int, *, black: float = 0.0) -> Key:
    """The key between bars of such a height and width."""
    bars = ((top, top), (left, left))
    luma = np.pad(LUMA, bars, constant_values=black)
    return Key(luma, np.pad(CHROMA, ((0, 0), *bars)))


@pytest.mark.parametrize("bars", [(10, 0), (0, 12), (8, 9)])
@pytest.mark.parametrize("black", [0.0, 16 / 255, 0.08])
def test_bars_are_cut_off(bars: tuple[int, int], black: float) -> None:
    inner = without_bars(boxed(*bars, black=black))
    assert inner is not None
    np.testing.assert_array_equal(inner.luma, LUMA)
    np.testing.assert_array_equal(inner.chroma, CHROMA)


@pytest.mark.parametrize(
    "key",
    [
        KEY,
        boxed(10, 0, black=0.2),
        Key(np.pad(LUMA, ((20, 0), (0, 0))), np.pad(CHROMA, ((0, 0), (20, 0), (0, 0)))),
        Key(np.zeros((60, 80), np.float32), np.zeros((2, 60, 80), np.float32)),
    ],
    ids=["no bars", "not black", "on one side", "all black"],
)
def test_what_is_no_bars(key: Key) -> None:
    assert without_bars(key) is None


def test_bars_that_the_frame_has_too() -> None:
    key = boxed(10, 0)
    assert has_bars(key.luma, as_those_of=key)
    assert has_bars(cv2.resize(key.luma, (40, 40), interpolation=cv2.INTER_AREA), as_those_of=key)
    assert not has_bars(LUMA, as_those_of=key)
    dark = LUMA.copy()
    dark[:10] = 0.3
    assert not has_bars(dark, as_those_of=key)
