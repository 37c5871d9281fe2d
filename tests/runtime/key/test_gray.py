"""Strokes on a gray frame are told from pictures in colour."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.support import need
from tests.support.scenes import render
from vidcolor.color import key_to_rgb, rgb_to_key
from vidcolor.key.gray import MOSTLY, gray_share, has_strokes, is_gray, solid_strokes
from vidcolor.planes import Key

SCENE = render(1, 90, 120).key()
GRAY = Key(SCENE.luma, np.zeros_like(SCENE.chroma))


def saved(key: Key, *, ending: str = ".png") -> Key:
    """The key as an image file of 8 bits has it."""
    codes = np.rint(255 * key_to_rgb(key, "bt709")).astype(np.uint8)
    _, data = cv2.imencode(ending, codes[..., ::-1])
    return rgb_to_key(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1] / np.float32(255), "bt709")


def painted(part: slice) -> Key:
    chroma = GRAY.chroma.copy()
    chroma[:, part] = SCENE.chroma[:, part]
    return Key(GRAY.luma, chroma)


def test_a_gray_frame_with_strokes() -> None:
    strokes = saved(painted(slice(20, 30)))
    assert has_strokes(strokes)
    assert gray_share(strokes) == pytest.approx(8 / 9, abs=0.01)
    where = solid_strokes(painted(slice(20, 30)).chroma)
    assert where[20:30].mean() > 0.95
    assert not where[:18].any()
    assert not where[32:].any()


def test_more_than_half_painted_are_no_strokes() -> None:
    assert has_strokes(saved(painted(slice(0, 40))))
    assert not has_strokes(saved(painted(slice(0, 50))))


def test_black_bars_and_white_sky_do_not_count() -> None:
    luma = SCENE.luma.copy()
    luma[:35], luma[60:] = 0.0, 1.0
    assert not has_strokes(Key(luma, painted(slice(35, 60)).chroma))
    nothing = Key(np.zeros_like(luma), GRAY.chroma)
    assert gray_share(nothing) == 0


def test_jpeg_blurs_them_but_the_picture_is_mostly_gray() -> None:
    strokes = saved(painted(slice(20, 30)), ending=".jpg")
    assert gray_share(strokes) > MOSTLY


def test_gray() -> None:
    assert is_gray(GRAY)
    assert not is_gray(SCENE)
    assert is_gray(Key(SCENE.luma, SCENE.chroma, np.zeros_like(SCENE.luma)))


def test_no_frame_of_footage_is_taken_for_strokes() -> None:
    import av

    for path in need.clips()[::4]:
        with av.open(str(path)) as container:
            frame = next(container.decode(video=0)).to_ndarray(format="rgb24")
        assert not has_strokes(rgb_to_key(frame / np.float32(255), "bt709")), path
