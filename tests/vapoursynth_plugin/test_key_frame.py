"""Keys: the chroma of an image in the clip's matrix, and where it is painted."""

import numpy as np
import pytest
import vapoursynth as vs

from vidcolor.color import rgb_to_key
from vidcolor.errors import KeyFrameError
from vidcolor.grid import Grid
from vsvidcolor.frames import new_frame
from vsvidcolor.key_frame import key_paint

HEIGHT, WIDTH = 8, 12


@pytest.fixture
def rgb():
    return np.random.default_rng(0).random((3, HEIGHT, WIDTH), np.float32)


def test_an_rgb_image_in_the_clips_matrix(rgb):
    image = new_frame(vs.RGBS, *rgb)
    for matrix in ("bt601", "bt709", "bt2020"):
        paint = key_paint(image, matrix=matrix)
        want = rgb_to_key(np.moveaxis(rgb, 0, -1), matrix).chroma
        np.testing.assert_allclose(paint.chroma, want, atol=1e-6)
        assert paint.grid == Grid(HEIGHT, WIDTH)
        assert paint.weight is None


def test_a_yuv_image_of_the_clips_matrix_is_taken_as_it_is(rgb):
    image = new_frame(vs.YUV444PS, rgb[0], *(rgb[1:] - 0.5))
    image.props["_Matrix"] = 1
    assert np.array_equal(key_paint(image, matrix="bt709").chroma, rgb[1:] - np.float32(0.5))


def test_a_yuv_image_of_another_matrix_is_converted(rgb):
    """As the same picture in RGB is."""
    made = rgb_to_key(np.moveaxis(rgb, 0, -1), "bt601")
    image = new_frame(vs.YUV444PS, made.luma, *made.chroma)
    image.props["_Matrix"] = 6
    want = rgb_to_key(np.moveaxis(rgb, 0, -1), "bt709").chroma
    np.testing.assert_allclose(key_paint(image, matrix="bt709").chroma, want, atol=1e-5)


def test_alpha_says_where_it_is_painted(rgb):
    alpha = np.zeros((HEIGHT, WIDTH), np.uint8)
    alpha[:, 5:] = 255
    image = new_frame(vs.RGBS, *rgb)
    image.props["_Alpha"] = new_frame(vs.GRAY8, alpha)
    assert np.array_equal(key_paint(image, matrix="bt709").weight, alpha / np.float32(255))
    image.props["_Alpha"] = new_frame(vs.GRAY8, np.full_like(alpha, 255))
    assert key_paint(image, matrix="bt709").weight is None


OTHER_SIZE = new_frame(vs.GRAY8, np.zeros((9, 9), np.uint8))
COLORED = new_frame(vs.RGBS, *np.zeros((3, HEIGHT, WIDTH), np.float32))


@pytest.mark.parametrize("alpha", [OTHER_SIZE, COLORED])
def test_alpha_of_another_kind_is_refused(alpha, rgb):
    image = new_frame(vs.RGBS, *rgb)
    image.props["_Alpha"] = alpha
    with pytest.raises(KeyFrameError, match="accepted is GRAY of its own size, 12x8"):
        key_paint(image, matrix="bt709")
