"""Colour profiles in image files are applied, or told."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from tests.support.videos import write_key
from vidcolor.errors import MissingLibraryError
from vidcolor.key import profile
from vidcolor.key.image import read_picture
from vidcolor.key.profile import has_profile, note_on_profile

image = pytest.importorskip("PIL.Image")
cms = pytest.importorskip("PIL.ImageCms")

SWAPPED = "Red is green"


def swapped_profile() -> bytes:
    """sRGB's profile with the primaries of red and green changed for one another."""
    data = bytearray(cms.ImageCmsProfile(cms.createProfile("sRGB")).tobytes())
    entries = {}
    for at in range(132, 132 + 12 * struct.unpack_from(">I", data, 128)[0], 12):
        entries[bytes(data[at : at + 4])] = at
    red, green = (entries[name] for name in (b"rXYZ", b"gXYZ"))
    data[red + 4 : red + 12], data[green + 4 : green + 12] = (
        data[green + 4 : green + 12], data[red + 4 : red + 12],
    )  # fmt: skip
    text = data.find("sRGB".encode("utf-16-be"))
    assert text > 0
    data[text : text + 8] = "Swap".encode("utf-16-be")
    return bytes(data)


def write(path: Path, icc: bytes | None) -> Path:
    red = np.zeros((8, 8, 3), np.uint8)
    red[...] = (200, 30, 30)
    image.fromarray(red).save(path, icc_profile=icc)
    return path


@pytest.mark.parametrize("name", ["k.png", "k.jpg", "k.tif", "k.webp"])
def test_it_is_applied(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, swapped_profile())
    assert has_profile(path.read_bytes())
    red, green, blue = read_picture(path).rgb[4, 4] * 255
    assert green > 190
    assert max(red, blue) < 50
    assert "has the colour profile 'Swap" in (note_on_profile(path) or "")
    assert "it is converted to sRGB" in (note_on_profile(path) or "")


@pytest.mark.parametrize("name", ["k.png", "k.jpg", "k.tif", "k.webp"])
def test_srgb_and_none_change_nothing(tmp_path: Path, name: str) -> None:
    srgb = cms.ImageCmsProfile(cms.createProfile("sRGB")).tobytes()
    plain = read_picture(write(tmp_path / f"plain-{name}", None)).rgb
    tagged = write(tmp_path / name, srgb)
    np.testing.assert_array_equal(read_picture(tagged).rgb, plain)
    assert note_on_profile(tagged) is None
    assert note_on_profile(tmp_path / f"plain-{name}") is None


def test_without_pillow_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(module: str) -> None:
        raise MissingLibraryError(module)

    monkeypatch.setattr(profile, "_pillow", missing)
    path = write(tmp_path / "k.png", swapped_profile())
    np.testing.assert_allclose(read_picture(path).rgb[4, 4] * 255, (200, 30, 30), atol=1)
    assert note_on_profile(path) == (
        "has a colour profile, which is not applied: Pillow is not installed"
    )
    assert note_on_profile(write_key(tmp_path / "plain.png")) is None


def test_a_damaged_profile_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "k.png"
    plain = write(path, None).read_bytes()
    body = b"iCCP" + b"x\0\0" + zlib.compress(b"no profile")
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    path.write_bytes(plain[:33] + chunk + plain[33:])
    assert has_profile(path.read_bytes())
    np.testing.assert_allclose(read_picture(path).rgb[4, 4] * 255, (200, 30, 30), atol=1)


def test_sixteen_bits(tmp_path: Path) -> None:
    import cv2

    path = tmp_path / "k.png"
    cv2.imwrite(str(path), np.full((8, 8, 3), (30 * 257, 30 * 257, 200 * 257), np.uint16))
    data = path.read_bytes()
    body = b"iCCP" + b"x\0\0" + zlib.compress(swapped_profile())
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    path.write_bytes(data[:33] + chunk + data[33:])
    assert image.open(BytesIO(path.read_bytes())).info.get("icc_profile")
    picture = read_picture(path)
    assert picture.bits == 16
    assert picture.rgb[4, 4, 1] * 255 > 190
