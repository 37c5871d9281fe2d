"""Code values to planes and back, RGB to planes and back.

Note on colour
    *Luma* of the output is the input's plane itself, never a decoded and re-encoded copy.
    `decode_luma` makes the luma that a model gets, which is clipped to [0, 1].

    *Chroma* is decoded and encoded by exact inverses: every code of every depth comes back. Codes
    outside the nominal range decode to values a little beyond ±0.5 and are not clipped.

    *Range* (ITU-T H.273, section 8.3). With n bits and s = 2^(n-8):
        limited  luma 16 s + 219 s Y,   chroma 128 s + 224 s C
        full     luma (2^n - 1) Y,      chroma 2^(n-1) + (2^n - 1) C
        float    luma Y, chroma C themselves; there is no limited float.

    *Matrix*. Y = Kr R + Kg G + Kb B, Cb = (B - Y) / 2(1 - Kb), Cr = (R - Y) / 2(1 - Kr), over
    R'G'B', that is, gamma-encoded values. Kr and Kb are those of ITU-R BT.601-7 section 2.5.1,
    BT.709-6 item 3.2, and BT.2020-2 table 4, non-constant luminance; and, for old material, of FCC
    (47 CFR 73.682) and SMPTE 240M, as ITU-T H.273 table 4 has them.

    *Siting*: where chroma samples sit between luma samples; see `vidcolor.grid`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidcolor.errors import ArgumentError
from vidcolor.planes import Key, Plane

Codes = NDArray[Any]
"""Code values [h, w] of a plane of a video: uint8, uint16, float16 or float32."""

MATRICES = {
    "bt601": (0.299, 0.114),
    "bt709": (0.2126, 0.0722),
    "bt2020": (0.2627, 0.0593),
    "fcc": (0.30, 0.11),
    "smpte240m": (0.212, 0.087),
}
"""Kr and Kb of each matrix; see the Note on colour."""

_CODE_OF_MATRIX = {"bt709": 1, "fcc": 4, "bt601": 6, "smpte240m": 7, "bt2020": 9}
_MATRIX_OF_CODE = {1: "bt709", 4: "fcc", 5: "bt601", 6: "bt601", 7: "smpte240m", 9: "bt2020"}
_UNKNOWN_MATRICES = {
    8: "YCgCo",
    10: "BT.2020 with constant luminance",
    11: "SMPTE ST 2085",
    12: "derived from the primaries",
    13: "derived from the primaries, with constant luminance",
    14: "ICtCp",
    15: "IPT-C2",
    16: "YCgCo-Re",
    17: "YCgCo-Ro",
}
"""The others of ITU-T H.273 table 4, which vidcolor does not read."""
ZIMG_MATRICES = frozenset({8, 12, 14})
"""Those of them that zimg converts: it is in VapourSynth, and in FFmpeg's zscale. With constant
luminance it changes gray, by up to 23 of 255 codes (zimg 3.0)."""
_UNSPECIFIED = (0, 2)  # 0 is RGB, which a Y'CbCr clip cannot be


@dataclass(frozen=True)
class Coding:
    """What the code values of a clip mean; see the Note on colour."""

    matrix: str
    """'bt601', 'bt709' or 'bt2020'."""
    full_range: bool
    """Without meaning where `is_float`."""
    bits: int = 8
    """8 to 16, or 16 and 32 where `is_float`."""
    is_float: bool = False

    def __post_init__(self) -> None:
        if self.matrix not in MATRICES:
            raise ArgumentError(f"matrix is {self.matrix!r}, accepted are {', '.join(MATRICES)}")
        if self.is_float and self.bits not in (16, 32):
            raise ArgumentError(f"bits is {self.bits} of a float format, accepted are 16 and 32")
        if not self.is_float and not 8 <= self.bits <= 16:
            raise ArgumentError(f"bits is {self.bits} of an integer format, accepted are 8 to 16")

    @property
    def dtype(self) -> np.dtype[Any]:
        """The numpy type that holds a code value."""
        if self.is_float:
            return np.dtype(np.float16 if self.bits == 16 else np.float32)
        return np.dtype(np.uint8 if self.bits == 8 else np.uint16)

    @property
    def luma_scale(self) -> tuple[int, int]:
        """The code of luma 0, and the number of codes from luma 0 to 1."""
        if self.is_float:
            return 0, 1
        if self.full_range:
            return 0, (1 << self.bits) - 1
        return 16 << (self.bits - 8), 219 << (self.bits - 8)

    @property
    def chroma_scale(self) -> tuple[int, int]:
        """The code of chroma 0, and the number of codes from chroma -0.5 to 0.5."""
        if self.is_float:
            return 0, 1
        half = 1 << (self.bits - 1)
        return half, (2 * half - 1 if self.full_range else 224 << (self.bits - 8))


def decode_luma(codes: Codes, coding: Coding) -> Plane:
    """The luma that a model gets.

    Args:
        codes: Luma codes [h, w].
        coding: What they mean.

    Returns:
        [h, w] float32, clipped to [0, 1].
    """
    if codes.dtype == np.uint8:
        return np.asarray(cv2.LUT(codes, _luma_of_bytes(coding)), np.float32)
    return _decode_luma(codes, coding)


@lru_cache(maxsize=16)
def _luma_of_bytes(coding: Coding) -> Plane:
    """The luma of each code of 8 bits: to look one up is quicker than to compute it."""
    return _decode_luma(np.arange(256, dtype=np.uint8), coding)


def _decode_luma(codes: Codes, coding: Coding) -> Plane:
    zero, span = coding.luma_scale
    luma = (codes.astype(np.float32) - np.float32(zero)) / np.float32(span)
    return np.clip(luma, 0, 1, out=luma)


def decode_chroma(u: Codes, v: Codes, coding: Coding) -> Plane:
    """Chroma of two planes of codes; `encode_chroma` is the exact inverse.

    Args:
        u: Cb codes [h, w].
        v: Cr codes [h, w].
        coding: What they mean.

    Returns:
        [2, h, w] float32; codes outside the nominal range give values beyond ±0.5.
    """
    zero, span = coding.chroma_scale
    return (np.stack((u, v)).astype(np.float32) - np.float32(zero)) / np.float32(span)


def encode_chroma(chroma: Plane, coding: Coding) -> tuple[Codes, Codes]:
    """The nearest codes of chroma, clipped to those that exist.

    Args:
        chroma: [2, h, w] float32.
        coding: Of the codes.

    Returns:
        Cb and Cr codes, [h, w] each, of `coding.dtype`.
    """
    codes = np.empty(chroma.shape, coding.dtype)
    encode_plane(chroma, coding, codes)
    return codes[0], codes[1]


def encode_plane(chroma: Plane, coding: Coding, codes: Codes, scratch: Plane | None = None) -> None:
    """As `encode_chroma`, into codes that are there; of any shape, as that of a plane's rows.

    Args:
        chroma: float32.
        coding: Of the codes.
        codes: Where they go: of the shape of `chroma` and of `coding.dtype`.
        scratch: float32 of that shape that may be written on, even `chroma` itself.
    """
    if coding.is_float:
        codes[...] = chroma
    else:
        zero, span = coding.chroma_scale
        scaled = np.multiply(chroma, np.float32(span), out=scratch)
        scaled += np.float32(zero + 0.5)  # floor below rounds halves up
        codes[...] = np.clip(scaled, 0, (1 << coding.bits) - 1, out=scaled)


def change_bits(luma: Codes, coding: Coding, other: Coding) -> Codes:
    """Luma codes at another depth.

    With more bits nothing is lost: going back gives the same codes.

    Args:
        luma: Codes [h, w] of an integer coding.
        coding: Of `luma`.
        other: The coding to convert to, which differs only in its bits.

    Returns:
        [h, w] of `other.dtype`.
    """
    if coding.bits == other.bits:
        return luma
    (zero, span), (other_zero, other_span) = coding.luma_scale, other.luma_scale
    scaled = (luma.astype(np.float64) - zero) * (other_span / span) + other_zero
    return np.clip(np.rint(scaled), 0, (1 << other.bits) - 1).astype(other.dtype)


def rgb_to_key(rgb: NDArray[np.floating[Any]], matrix: str) -> Key:
    """Convert an image to luma and chroma.

    Args:
        rgb: R'G'B' [h, w, 3] in [0, 1], gamma-encoded.
        matrix: One of `MATRICES`.

    Returns:
        A key of the same size, clipped to the nominal ranges.
    """
    planes = cv2.transform(np.ascontiguousarray(rgb, np.float32), _from_rgb(matrix))
    luma, cb, cr = cv2.split(planes)
    return Key(luma=np.clip(luma, 0, 1), chroma=np.clip(np.stack((cb, cr)), -0.5, 0.5))


def key_to_rgb(key: Key, matrix: str) -> NDArray[np.float32]:
    """Convert luma and chroma to an image; the inverse of `rgb_to_key`.

    Args:
        key: Of any size; its weight is ignored.
        matrix: One of `MATRICES`.

    Returns:
        R'G'B' [h, w, 3] float32, gamma-encoded, clipped to [0, 1].
    """
    planes = np.stack((key.luma, *key.chroma), axis=-1)
    return np.clip(cv2.transform(planes, np.linalg.inv(_from_rgb(matrix))), 0, 1)


def _from_rgb(matrix: str) -> NDArray[np.float64]:
    """The 3x3 matrix from R'G'B' to Y'CbCr."""
    kr, kb = MATRICES[matrix]
    luma = np.array([kr, 1 - kr - kb, kb])
    cb = (np.array([0, 0, 1]) - luma) / (2 * (1 - kb))
    cr = (np.array([1, 0, 0]) - luma) / (2 * (1 - kr))
    return np.stack((luma, cb, cr))


def matrix_of(code: int, *, height: int) -> str:
    """The matrix of a clip.

    Args:
        code: Its matrix tag, a number of ITU-T H.273 table 4, as FFmpeg and VapourSynth have it.
        height: Of the clip in lines. An untagged clip is taken as players do: BT.709 above 576
            lines, else BT.601.

    Returns:
        One of `MATRICES`.

    Raises:
        ArgumentError: vidcolor does not know the matrix.
    """
    if code in _UNSPECIFIED:
        return "bt709" if height > 576 else "bt601"
    if code not in _MATRIX_OF_CODE:
        accepted = ", ".join(f"{number} ({name})" for number, name in _MATRIX_OF_CODE.items())
        name = _UNKNOWN_MATRICES.get(code, "which is none")
        raise ArgumentError(f"the clip's matrix is {code} ({name}), accepted are {accepted}")
    return _MATRIX_OF_CODE[code]


def code_of(matrix: str) -> int:
    """The tag of a matrix, a number of ITU-T H.273 table 4; the inverse of `matrix_of`."""
    return _CODE_OF_MATRIX[matrix]
