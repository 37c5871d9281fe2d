"""Planes of decoded frames: which pixel formats are read, and as what.

A format whose samples are packed, interleaved, shifted or big-endian has a *twin*: the planar
little-endian format that holds the very same code values. Frames are handed on as their twins.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

import av
import numpy as np
from av.video.reformatter import ColorRange
from numpy.typing import NDArray

Codes = NDArray[np.uint8] | NDArray[np.uint16]
type Planes = tuple[Codes, ...]

DEEPEST = 16
"""Bits of the deepest integer code values there are."""


@dataclass(frozen=True)
class Twin:
    """How the frames of a format are read."""

    pixel_format: str
    """FFmpeg's name of a planar little-endian gray or YUV format."""
    planes: Callable[[av.VideoFrame], Planes]
    """Takes a frame's code values apart."""


def twin_of(pixel_format: str) -> Twin | None:
    """How frames of a pixel format are read; None where that is not possible without loss.

    Gray and YUV of 8 to 16 bits are; alpha, RGB and floating point are not.
    """
    name = pixel_format.replace("yuvj", "yuv")
    if name in _APART:
        return _APART[name]
    planar = re.fullmatch(
        r"(?P<kind>gray|yuv4\d\dp)(?P<bits>\d+)?(?P<msb>msb)?(?P<end>le|be)?", name
    )
    if planar is None or int(planar["bits"] or 8) > DEEPEST or int(planar["bits"] or 8) < 8:
        return None
    bits = int(planar["bits"] or 8)
    twin = planar["kind"] + (f"{bits}le" if bits > 8 else "")
    shift = DEEPEST - bits if planar["msb"] else 0
    if not shift and planar["end"] != "be":
        return Twin(twin, planar_codes)
    order = ">" if planar["end"] == "be" else "<"
    return Twin(twin, partial(_shifted, order=order, shift=shift))


def plane_codes(frame: av.VideoFrame, index: int) -> Codes:
    """One plane of a planar frame as [h, w] code values; writing to it writes the frame."""
    plane = frame.planes[index]
    dtype = np.dtype(np.uint8 if frame.format.components[index].bits <= 8 else np.uint16)
    rows: Codes = np.frombuffer(plane, dtype).reshape(plane.height, -1)
    return rows[:, : plane.width]


def planar_codes(frame: av.VideoFrame) -> Planes:
    """The planes of a planar little-endian frame, each as `plane_codes` has it."""
    return tuple(plane_codes(frame, index) for index in range(len(frame.planes)))


def reformat(
    frame: av.VideoFrame,
    width: int | None = None,
    height: int | None = None,
    pixel_format: str | None = None,
    **options: Any,
) -> av.VideoFrame:
    """A frame of another size or format, the same each time.

    With several threads FFmpeg now and then leaves lines of a small frame as its memory was.

    Args:
        frame: The frame.
        width: Wanted, in pixels; None keeps it.
        height: Wanted, in pixels; None keeps it.
        pixel_format: Wanted; None keeps it.
        **options: Others of `av.VideoFrame.reformat`.
    """
    return frame.reformat(width, height, pixel_format, threads=1, **options)


def converted(
    frame: av.VideoFrame, width: int, height: int, pixel_format: str, *, full_range: bool
) -> av.VideoFrame:
    """A frame of another size or format, as the FFmpeg program would give it.

    Args:
        frame: The frame.
        width: Wanted, in pixels.
        height: Wanted, in pixels.
        pixel_format: Wanted.
        full_range: Whether its codes are to be of full range.
    """
    is_full = frame.format.name.startswith("yuvj") or frame.color_range == ColorRange.JPEG
    return reformat(
        frame,
        width,
        height,
        pixel_format,
        interpolation="BICUBIC",
        src_color_range=ColorRange.JPEG if is_full else ColorRange.MPEG,
        dst_color_range=ColorRange.JPEG if full_range else ColorRange.MPEG,
    )


def bits_of(pixel_format: str) -> int:
    """Bits of a code value of a format."""
    return av.VideoFormat(pixel_format).components[0].bits


def subsampling(pixel_format: str) -> tuple[int, int]:
    """How often a YUV format halves chroma's width and height: (1, 1) is 4:2:0."""
    form = av.VideoFormat(pixel_format)
    across, down = 16 // form.chroma_width(16), 16 // form.chroma_height(16)
    return across.bit_length() - 1, down.bit_length() - 1


def _rows(frame: av.VideoFrame, index: int, dtype: str = "u1") -> NDArray[np.uint8 | np.uint16]:
    """All samples of a plane in memory, [h, samples], with what pads its rows."""
    plane = frame.planes[index]
    return np.frombuffer(plane, dtype).reshape(plane.height, -1)


def _shifted(frame: av.VideoFrame, order: str, shift: int) -> Planes:
    return tuple(
        (_rows(frame, index, f"{order}u2")[:, : plane.width] >> shift).astype(np.uint16)
        for index, plane in enumerate(frame.planes)
    )


def _halves(size: int, subsampled: int) -> int:
    """Samples of chroma along a side of `size` samples of luma, odd ones rounded up."""
    return -(-size >> subsampled)


def _paired(
    frame: av.VideoFrame, *, dtype: str = "u1", shift: int = 0, across: int, swapped: bool = False
) -> Planes:
    """A plane of luma and one in which both chroma planes take turns, such as NV12 and P010."""
    width = _halves(frame.width, across)
    luma, chroma = _rows(frame, 0, dtype)[:, : frame.width], _rows(frame, 1, dtype)
    one, other = chroma[:, 0 : 2 * width : 2], chroma[:, 1 : 2 * width : 2]
    planes = (luma, other, one) if swapped else (luma, one, other)
    native = np.uint8 if dtype == "u1" else np.uint16
    return tuple(np.ascontiguousarray((plane >> shift).astype(native)) for plane in planes)


def _packed(frame: av.VideoFrame, *, order: str, dtype: str = "u1", shift: int = 0) -> Planes:
    """Samples of 4:2:2 one after the other. order: of a pair of pixels, such as 'yuyv'."""
    width = _halves(frame.width, 1)
    samples = _rows(frame, 0, dtype)[:, : 4 * width].reshape(frame.height, width, 4) >> shift
    one, other = (place for place, letter in enumerate(order) if letter == "y")
    luma = np.stack((samples[..., one], samples[..., other]), axis=2)
    luma = luma.reshape(frame.height, 2 * width)[:, : frame.width]
    native = np.uint8 if dtype == "u1" else np.uint16
    chroma = (samples[..., order.index("u")], samples[..., order.index("v")])
    return tuple(np.ascontiguousarray(plane.astype(native)) for plane in (luma, *chroma))


def _packed_411(frame: av.VideoFrame) -> Planes:
    """uyyvyy411: six bytes for four pixels in a row."""
    width = _halves(frame.width, 2)
    samples = _rows(frame, 0)[:, : 6 * width].reshape(frame.height, width, 6)
    luma = samples[..., [1, 2, 4, 5]].reshape(frame.height, 4 * width)[:, : frame.width]
    return tuple(map(np.ascontiguousarray, (luma, samples[..., 0], samples[..., 3])))


def _apart() -> Mapping[str, Twin]:
    twins = {"uyyvyy411": Twin("yuv411p", _packed_411)}
    for order in ("yuyv", "uyvy", "yvyu"):
        twins[f"{order}422"] = Twin("yuv422p", partial(_packed, order=order))
    for name, twin, across in (
        ("nv12", "yuv420p", 1), ("nv21", "yuv420p", 1), ("nv16", "yuv422p", 1),
        ("nv24", "yuv444p", 0), ("nv42", "yuv444p", 0),
    ):  # fmt: skip
        swapped = name in ("nv21", "nv42")
        twins[name] = Twin(twin, partial(_paired, across=across, swapped=swapped))
    for end, sign in (("le", "<"), ("be", ">")):
        dtype = f"{sign}u2"
        twins[f"nv20{end}"] = Twin("yuv422p10le", partial(_paired, dtype=dtype, across=1))
        for bits in (10, 12, 16):
            shift = DEEPEST - bits
            for layout, kind, across in (("0", "420", 1), ("2", "422", 1), ("4", "444", 0)):
                twins[f"p{layout}{bits}{end}"] = Twin(
                    f"yuv{kind}p{bits}le", partial(_paired, across=across, dtype=dtype, shift=shift)
                )
            twins[f"y2{bits}{end}"] = Twin(
                f"yuv422p{bits}le", partial(_packed, order="yuyv", dtype=dtype, shift=shift)
            )
    return MappingProxyType(twins)


_APART = _apart()
