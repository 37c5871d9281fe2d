"""How large an image is, from the first bytes of its file, before it is decoded.

A picture of one colour takes a few bytes a row: a file of less than a megabyte may ask for many
gigabytes of memory.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

MOST_PIXELS = 1 << 27
"""Of an image: 134 megapixels, more than any film is scanned at."""
LARGEST_FILE = 1 << 30
"""Bytes of an image file: 134 megapixels of 16 bits in three channels are less."""

_HEAD = 1 << 16
"""Bytes to look at first. JPEG and TIFF may have their size further behind."""
_FRAMES = frozenset(
    (*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0))
)
"""Markers of JPEG that a frame's size follows."""


def image_size(path: Path) -> tuple[int, int] | None:
    """Width and height of a PNG, JPEG, TIFF, BMP or WebP; None where it is none of these.

    Raises OSError where the file cannot be read.
    """
    with path.open("rb") as file:
        data = file.read(_HEAD)
        reader = next((read for start, read in _READERS.items() if data.startswith(start)), None)
        if reader is None:
            return None
        if reader in (_jpeg, _tiff):
            data += file.read(LARGEST_FILE - len(data))
    try:
        return reader(data)
    except (struct.error, IndexError):
        return None


def color_model(path: Path) -> str:
    """'RGB', or what else a JPEG or TIFF holds: 'CMYK' or 'Lab'. Of other files it is RGB.

    Raises OSError where the file cannot be read.
    """
    with path.open("rb") as file:
        data = file.read(LARGEST_FILE)
    try:
        if data.startswith(b"\xff\xd8\xff"):
            return "CMYK" if data[_jpeg_frame(data) + 8] == 4 else "RGB"
        if data.startswith((b"II*\0", b"MM\0*")):
            return _PHOTOMETRIC.get(_tiff_tags(data, 262).get(262, 2), "RGB")
    except (struct.error, IndexError):
        pass
    return "RGB"


def _png(data: bytes) -> tuple[int, int] | None:
    width, height = struct.unpack_from(">II", data, 16)
    return width, height


def _bmp(data: bytes) -> tuple[int, int] | None:
    if struct.unpack_from("<I", data, 14)[0] == 12:  # the header of OS/2
        width, height = struct.unpack_from("<HH", data, 18)
    else:
        width, height = struct.unpack_from("<ii", data, 18)
    return abs(width), abs(height)


def _webp(data: bytes) -> tuple[int, int] | None:
    kind = data[12:16]
    if data[8:12] != b"WEBP":
        return None
    if kind == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = struct.unpack_from("<HH", data, 26)
    return width & 0x3FFF, height & 0x3FFF


def _jpeg(data: bytes) -> tuple[int, int] | None:
    height, width = struct.unpack_from(">HH", data, _jpeg_frame(data) + 4)
    return width, height


def _jpeg_frame(data: bytes) -> int:
    """Where the last byte of the marker of a JPEG's frame is."""
    at = 2
    while True:
        while data[at] == 0xFF:
            at += 1
        if data[at] in _FRAMES:
            return at
        at += 1 + struct.unpack_from(">H", data, at + 1)[0]


def _tiff(data: bytes) -> tuple[int, int] | None:
    sides = _tiff_tags(data, 256, 257)
    return (sides[256], sides[257]) if len(sides) == 2 else None


def _tiff_tags(data: bytes, *wanted: int) -> dict[int, int]:
    """Tags of a TIFF's first picture that hold one number each."""
    end = "<" if data[:2] == b"II" else ">"
    if struct.unpack_from(f"{end}H", data, 2)[0] != 42:
        return {}  # BigTIFF, which OpenCV reads, is for files of more than 4 GB
    at = struct.unpack_from(f"{end}I", data, 4)[0]
    found: dict[int, int] = {}
    for entry in range(struct.unpack_from(f"{end}H", data, at)[0]):
        tag, kind = struct.unpack_from(f"{end}HH", data, at + 2 + 12 * entry)
        if tag in wanted:
            letter = "H" if kind == 3 else "I"
            found[tag] = struct.unpack_from(f"{end}{letter}", data, at + 10 + 12 * entry)[0]
    return found


_PHOTOMETRIC = {5: "CMYK", 8: "Lab", 9: "Lab", 10: "Lab"}
"""Of TIFF's photometric interpretations, those that are not read."""

_READERS: dict[bytes, Callable[[bytes], tuple[int, int] | None]] = {
    b"\x89PNG\r\n\x1a\n": _png,
    b"\xff\xd8\xff": _jpeg,
    b"II": _tiff,
    b"MM": _tiff,
    b"BM": _bmp,
    b"RIFF": _webp,
}
