"""Files that `vidcolor advise` wrote are told from all others."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.support.scenes import render
from vidcolor.advise.own_files import is_own, sign

IMAGE = np.rint(255 * render(1, 40, 50).luma[0]).astype(np.uint8)


def encoded(ending: str) -> bytes:
    return cv2.imencode(ending, IMAGE)[1].tobytes()


@pytest.mark.parametrize("ending", [".png", ".jpg"])
def test_a_signed_file_is_own_until_it_is_changed(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"000240{ending}"
    path.write_bytes(encoded(ending))
    assert not is_own(path)
    path.write_bytes(sign(encoded(ending)))
    assert is_own(path)
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    plain = cv2.imdecode(np.frombuffer(encoded(ending), np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(image, plain)
    assert cv2.imwrite(str(path), image)
    assert not is_own(path), "saved anew"
    signed = bytearray(sign(encoded(ending)))
    signed[len(signed) // 2] ^= 1
    path.write_bytes(signed)
    assert not is_own(path), "one bit of it changed"


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xd9"])
def test_other_files_are_not(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    assert not is_own(path)


def test_chunks_of_a_signed_png_are_whole() -> None:
    """Each with its length and its checksum, up to the last one."""
    data, at, names = sign(encoded(".png")), 8, []
    while at < len(data):
        [length] = struct.unpack_from(">I", data, at)
        chunk = data[at + 4 : at + 8 + length]
        assert zlib.crc32(chunk) == struct.unpack_from(">I", data, at + 8 + length)[0]
        names.append(chunk[:4])
        at += 12 + length
    assert names[-2:] == [b"tEXt", b"IEND"]
