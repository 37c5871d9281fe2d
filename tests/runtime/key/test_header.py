"""How large an image is, is known before it is decoded."""

import struct
import subprocess
import sys
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.support.videos import write_key
from vidcolor.errors import KeyFrameError
from vidcolor.key.header import MOST_PIXELS, color_model, image_size
from vidcolor.key.image import read_picture


@pytest.mark.parametrize("name", ["k.png", "k.jpg", "k.tif", "k.bmp", "k.webp"])
@pytest.mark.parametrize(("width", "height"), [(96, 64), (301, 17)])
def test_sizes(tmp_path: Path, name: str, width: int, height: int) -> None:
    assert image_size(write_key(tmp_path / name, width=width, height=height)) == (width, height)


def test_webp_of_every_kind(tmp_path: Path) -> None:
    image = cv2.imread(str(write_key(tmp_path / "plain.png", width=97, height=61)))
    cv2.imwrite(str(tmp_path / "lossy.webp"), image, [cv2.IMWRITE_WEBP_QUALITY, 50])
    assert image_size(tmp_path / "lossy.webp") == (97, 61)
    alpha = np.dstack([image, np.full(image.shape[:2], 100, np.uint8)])
    cv2.imwrite(str(tmp_path / "alpha.webp"), alpha, [cv2.IMWRITE_WEBP_QUALITY, 50])
    assert image_size(tmp_path / "alpha.webp") == (97, 61)


@pytest.mark.parametrize(
    "data",
    [b"", b"nothing at all", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"II*\0", b"BM", b"RIFF"],
)
def test_what_is_no_image(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "key.png"
    path.write_bytes(data)
    assert image_size(path) is None
    with pytest.raises(KeyFrameError, match="cannot be read as an image; if it is one, copy or"):
        read_picture(path)


def test_what_is_no_rgb_is_refused(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    for name, model, told in (
        ("k.jpg", "CMYK", "CMYK"),
        ("k.tif", "CMYK", "CMYK"),
        ("lab.tif", "LAB", "Lab"),
    ):
        image.new(model, (32, 32), (90, 140, 40, 0)[: len(model)]).save(tmp_path / name)
        assert color_model(tmp_path / name) == told
        with pytest.raises(KeyFrameError, match=f"{name} is in {told}, RGB is needed: save it in"):
            read_picture(tmp_path / name)
    for name in ("k.png", "k.jpg", "k.tif", "k.bmp", "k.webp"):
        assert color_model(write_key(tmp_path / name)) == "RGB"


def write_bomb(path: Path, side: int) -> Path:
    """A black PNG of side by side pixels, in well under a megabyte."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    packer = zlib.compressobj(9)
    row = bytes(1 + 3 * side)
    packed = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + data)
    return path


def test_a_small_file_that_asks_for_gigabytes(tmp_path: Path) -> None:
    """It is refused in little memory: a child that may have no more than that tries."""
    bomb = write_bomb(tmp_path / "bomb.png", 14_000)
    assert bomb.stat().st_size < 1 << 20
    assert MOST_PIXELS < 14_000**2
    script = (
        "import resource, sys; from pathlib import Path;"
        "from vidcolor.key.image import read_picture;"
        "from vidcolor.errors import KeyFrameError;"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try: read_picture(Path(sys.argv[1]))\n"
        "except KeyFrameError as error: print(error)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(bomb)], capture_output=True, text=True, check=True
    )
    told, kilobytes = done.stdout.splitlines()
    assert "is 14000x14000, at most 134 megapixels are accepted: scale it" in told
    assert int(kilobytes) < 50_000


def test_what_cannot_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_key(tmp_path / "key.png")

    def forbidden(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", forbidden)
    with pytest.raises(KeyFrameError, match=r"key\.png cannot be read \(Permission denied\)"):
        read_picture(path)


def test_a_folder_is_no_key(tmp_path: Path) -> None:
    with pytest.raises(KeyFrameError, match="is a folder, an image file is needed"):
        read_picture(tmp_path)
