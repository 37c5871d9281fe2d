from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from vidcolor.color import (
    MATRICES,
    Coding,
    change_bits,
    code_of,
    decode_chroma,
    decode_luma,
    encode_chroma,
    key_to_rgb,
    matrix_of,
    rgb_to_key,
)
from vidcolor.errors import ArgumentError
from vidcolor.planes import Key

DEPTHS = range(8, 17)
CODINGS = [Coding("bt709", full, bits) for full, bits in product((False, True), DEPTHS)]


@pytest.mark.parametrize("coding", CODINGS, ids=str)
def test_every_chroma_code_comes_back(coding: Coding) -> None:
    u = np.arange(1 << coding.bits).astype(coding.dtype).reshape(16, -1)
    v = u[::-1, ::-1]
    back = encode_chroma(decode_chroma(u, v, coding), coding)
    for plane, codes in zip(back, (u, v), strict=True):
        assert plane.dtype == coding.dtype
        np.testing.assert_array_equal(plane, codes)


@pytest.mark.parametrize("bits", [16, 32])
def test_float_chroma_comes_back(bits: int) -> None:
    coding = Coding("bt2020", full_range=False, bits=bits, is_float=True)
    u = np.linspace(-0.5, 0.5, 1000).astype(coding.dtype).reshape(10, 100)
    chroma = decode_chroma(u, -u, coding)
    np.testing.assert_array_equal(chroma, np.stack((u, -u)).astype(np.float32))
    for plane, codes in zip(encode_chroma(chroma, coding), (u, -u), strict=True):
        assert plane.dtype == coding.dtype
        np.testing.assert_array_equal(plane, codes)


@pytest.mark.parametrize(
    ("full_range", "bits", "black", "white", "lowest", "neutral", "highest"),
    [
        (False, 8, 16, 235, 16, 128, 240),
        (False, 10, 64, 940, 64, 512, 960),
        (False, 12, 256, 3760, 256, 2048, 3840),
        (False, 16, 4096, 60160, 4096, 32768, 61440),
        (True, 8, 0, 255, 1, 128, 255),
        (True, 10, 0, 1023, 1, 512, 1023),
        (True, 16, 0, 65535, 1, 32768, 65535),
    ],
)
def test_code_values_of_the_standards(
    full_range: bool,
    bits: int,
    black: int,
    white: int,
    lowest: int,
    neutral: int,
    highest: int,
) -> None:
    coding = Coding("bt709", full_range, bits)
    luma = np.array([[black, white]], coding.dtype)
    np.testing.assert_array_equal(decode_luma(luma, coding), [[0, 1]])
    chroma = np.array([[[-0.5, 0, 0.5]]] * 2, np.float32)
    u, v = encode_chroma(chroma, coding)
    assert u.tolist() == v.tolist() == [[lowest, neutral, highest]]


def test_luma_beyond_the_range_is_clipped_for_the_model() -> None:
    limited = Coding("bt709", full_range=False)
    np.testing.assert_array_equal(decode_luma(np.array([[0, 255]], np.uint8), limited), [[0, 1]])
    single = Coding("bt709", full_range=True, bits=32, is_float=True)
    np.testing.assert_array_equal(
        decode_luma(np.array([[-0.1, 0.25, 1.5]], np.float32), single),
        np.array([[0, 0.25, 1]], np.float32),
    )


def test_chroma_beyond_the_codes_is_clipped_and_halves_round_up() -> None:
    coding = Coding("bt709", full_range=False)
    chroma = np.array([[[-2.0, 2.0, 0.5 / 224, -0.5 / 224, 0.4 / 224]]] * 2, np.float32)
    assert encode_chroma(chroma, coding)[0].tolist() == [[0, 255, 129, 128, 128]]


# Code values of 100 % colour bars, 8 bits, limited range.
BARS = {
    "bt601": {
        (1, 0, 0): (81, 90, 240),
        (0, 1, 0): (145, 54, 34),
        (0, 0, 1): (41, 240, 110),
        (1, 1, 0): (210, 16, 146),
    },
    "bt709": {
        (1, 0, 0): (63, 102, 240),
        (0, 1, 0): (173, 42, 26),
        (0, 0, 1): (32, 240, 118),
        (1, 1, 0): (219, 16, 138),
    },
    "bt2020": {
        (1, 0, 0): (74, 97, 240),
        (0, 1, 0): (164, 47, 25),
        (0, 0, 1): (29, 240, 119),
        (1, 1, 0): (222, 16, 137),
    },
    "fcc": {
        (1, 0, 0): (82, 90, 240),
        (0, 1, 0): (145, 54, 34),
        (0, 0, 1): (40, 240, 110),
        (1, 1, 0): (211, 16, 146),
    },
    "smpte240m": {
        (1, 0, 0): (62, 102, 240),
        (0, 1, 0): (170, 42, 28),
        (0, 0, 1): (35, 240, 116),
        (1, 1, 0): (216, 16, 140),
    },
}


@pytest.mark.parametrize("matrix", MATRICES)
def test_colour_bars(matrix: str) -> None:
    coding = Coding(matrix, full_range=False)
    for rgb, codes in BARS[matrix].items():
        key = rgb_to_key(np.array([[rgb]], np.float32), matrix)
        u, v = encode_chroma(key.chroma, coding)
        luma = round(16 + 219 * float(key.luma[0, 0]))
        assert (luma, u.item(), v.item()) == codes, rgb


@pytest.mark.parametrize("matrix", MATRICES)
def test_rgb_comes_back_and_gray_is_neutral(matrix: str) -> None:
    levels = np.linspace(0, 1, 9, dtype=np.float32)
    rgb = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(27, 27, 3)
    key = rgb_to_key(rgb, matrix)
    assert key.luma.min() >= 0
    assert key.luma.max() <= 1
    assert np.abs(key.chroma).max() <= 0.5
    # 1e-6: two 3x3 products in float32
    np.testing.assert_allclose(key_to_rgb(key, matrix), rgb, atol=1e-6)
    gray = rgb_to_key(np.repeat(levels[None, :, None], 3, axis=2), matrix)
    np.testing.assert_allclose(gray.luma[0], levels, atol=1e-6)
    np.testing.assert_allclose(gray.chroma, 0, atol=1e-6)


def test_rgb_out_of_gamut_is_clipped() -> None:
    key = Key(np.full((1, 1), 0.9, np.float32), np.full((2, 1, 1), 0.5, np.float32))
    rgb = key_to_rgb(key, "bt709")
    assert rgb.min() >= 0
    assert rgb.max() <= 1


@pytest.mark.parametrize(
    ("code", "height", "matrix"),
    [
        (1, 100, "bt709"),
        (5, 1080, "bt601"),
        (6, 1080, "bt601"),
        (9, 100, "bt2020"),
        (2, 576, "bt601"),
        (2, 577, "bt709"),
        (0, 1080, "bt709"),
    ],
)
def test_matrix_tags(code: int, height: int, matrix: str) -> None:
    assert matrix_of(code, height=height) == matrix


def test_matrix_codes_are_inverse_and_others_refused() -> None:
    for matrix in MATRICES:
        assert matrix_of(code_of(matrix), height=1) == matrix
    with pytest.raises(ArgumentError, match=r"matrix is 14 \(ICtCp\), accepted are 1 \(bt709\)"):
        matrix_of(14, height=1080)
    with pytest.raises(ArgumentError, match=r"matrix is 3 \(which is none\), accepted are"):
        matrix_of(3, height=1080)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"matrix": "bt470"}, "matrix is 'bt470', accepted are bt601, bt709, bt2020"),
        ({"bits": 7}, "bits is 7 of an integer format, accepted are 8 to 16"),
        ({"bits": 17}, "bits is 17"),
        ({"bits": 24, "is_float": True}, "bits is 24 of a float format, accepted are 16 and 32"),
    ],
)
def test_codings_are_checked_at_birth(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        Coding(**({"matrix": "bt709", "full_range": False} | arguments))


@pytest.mark.parametrize("full_range", [False, True])
@pytest.mark.parametrize(("bits", "more"), [(8, 10), (8, 16), (10, 12)])
def test_more_bits_lose_nothing(bits, more, full_range):
    few, many = (Coding("bt709", full_range=full_range, bits=b) for b in (bits, more))
    codes = np.arange(1 << bits, dtype=few.dtype)[None]
    deep = change_bits(codes, few, many)
    assert deep.dtype == many.dtype
    np.testing.assert_array_equal(change_bits(deep, many, few), codes)
    if not full_range:
        np.testing.assert_array_equal(deep, codes.astype(np.uint32) << (more - bits))
    close = 0.51 / 2**more
    np.testing.assert_allclose(decode_luma(deep, many), decode_luma(codes, few), atol=close)
