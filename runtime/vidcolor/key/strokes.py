"""Which pixels of a painted image are strokes, and of what colour."""

from __future__ import annotations

from vidcolor.color import rgb_to_key
from vidcolor.key.gray import solid_strokes
from vidcolor.key.image import Picture
from vidcolor.planes import Key


def strokes_of(picture: Picture, matrix: str) -> Key:
    """The strokes of paint on a picture.

    In a picture with alpha, alpha says where paint is. A picture without alpha is the gray frame
    with colour painted over it: what has colour is a stroke, whatever its luma. A brush's soft rim,
    where paint and gray mix, is no stroke.

    Args:
        picture: As `read_picture` gives it.
        matrix: Of the clip, one of `vidcolor.color.MATRICES`.

    Returns:
        The picture's luma and chroma, and in `Key.weight` how solid the paint is.
    """
    key = rgb_to_key(picture.rgb, matrix)
    if picture.alpha is not None:
        return Key(key.luma, key.chroma, picture.alpha)
    return Key(key.luma, key.chroma, solid_strokes(key.chroma))
