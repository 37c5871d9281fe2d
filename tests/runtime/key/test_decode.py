"""Damaged image files: what is told is a sentence of ours, and nothing else is written."""

from __future__ import annotations

import os
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.support.videos import write_clip, write_key
from training.data.pictures import Picture as Photograph
from training.data.pictures import find_pictures
from vidcolor.cli import main
from vidcolor.errors import ArgumentError, KeyFrameError, PictureWarning
from vidcolor.key import decode as decoding
from vidcolor.key.decode import decode
from vidcolor.key.image import read_picture

TOY = Path(__file__).parents[2] / "toy" / "bundle"
ENDINGS = ("png", "jpg", "tif", "bmp", "webp")
CUTS: dict[str, Callable[[bytes], bytes]] = {
    "half": lambda data: data[: len(data) // 2],
    "end": lambda data: data[:-20],
    "head": lambda data: data[:60],
}


@pytest.fixture
def image() -> np.ndarray:
    """Colours that change slowly, so that files are small, but not without structure."""
    colors = np.random.default_rng(0).random((6, 8, 3))
    return (cv2.resize(colors, (96, 64)).clip(0, 1) * 255).astype(np.uint8)


def encoded(image: np.ndarray, ending: str) -> bytes:
    return cv2.imencode(f".{ending}", image)[1].tobytes()


@pytest.fixture
def silent(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Nothing is written, by libraries either."""
    yield
    assert tuple(capfd.readouterr()) == ("", "")


@pytest.mark.usefixtures("silent")
@pytest.mark.parametrize(
    ("ending", "bits"), [*((ending, 8) for ending in ENDINGS), ("png", 16), ("tif", 16)]
)
@pytest.mark.parametrize("cut", CUTS)
def test_a_file_that_is_cut_short(
    ending: str, cut: str, bits: int, image: np.ndarray, tmp_path: Path
) -> None:
    if bits == 16:
        image = image.astype(np.uint16) * 257
    path = tmp_path / f"key.{ending}"
    path.write_bytes(CUTS[cut](encoded(image, ending)))
    with pytest.raises(KeyFrameError, match=r"^reference: .*; .*copy or save it anew, ") as told:
        read_picture(path, argument="reference")
    assert str(path) in str(told.value)


@pytest.mark.usefixtures("silent")
def test_a_png_with_a_flipped_bit(image: np.ndarray, tmp_path: Path) -> None:
    data = bytearray(encoded(image, "png"))
    data[len(data) // 2] ^= 1
    path = tmp_path / "key.png"
    path.write_bytes(data)
    with pytest.raises(KeyFrameError, match=r"key.png is damaged or incomplete \(IDAT: CRC error"):
        read_picture(path)


def damaged_jpeg(image: np.ndarray) -> bytes:
    """A marker stands in the middle of the picture: what is behind it is lost."""
    data = encoded(image, "jpg")
    middle = (data.index(b"\xff\xda") + len(data)) // 2
    return data[:middle] + b"\xff\xd5\x00\x00" + data[middle + 4 :]


@pytest.mark.usefixtures("silent")
def test_a_jpeg_that_can_be_read_in_part_is_warned_of(image: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "key.jpg"
    path.write_bytes(damaged_jpeg(image))
    with pytest.warns(PictureWarning, match=rf"^key: {path} is damaged \(Corrupt JPEG data: "):
        picture = read_picture(path)
    assert picture.rgb.shape == image.shape


@pytest.mark.usefixtures("silent")
def test_a_tiff_that_can_be_read_in_part_is_warned_of(image: np.ndarray, tmp_path: Path) -> None:
    data = bytearray(encoded(image, "tif"))
    data[200:240] = b"\xff" * 40
    path = tmp_path / "key.tif"
    path.write_bytes(data)
    with pytest.warns(PictureWarning, match=r"key.tif is damaged \((?!TIFF|.*/)"):
        read_picture(path)


@pytest.mark.usefixtures("silent")
def test_what_does_no_harm_is_not_told(
    image: np.ndarray, tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    """libpng says of a text that it is no text, and the pixels are all there."""
    data = encoded(image, "png")
    content = b"iCCP" + b"x\0\0" + b"no profile"
    chunk = (len(content) - 4).to_bytes(4, "big") + content + zlib.crc32(content).to_bytes(4, "big")
    end = 8 + 25
    path = tmp_path / "key.png"
    path.write_bytes(data[:end] + chunk + data[end:])
    np.testing.assert_array_equal(np.rint(read_picture(path).rgb * 255), image[..., ::-1])
    assert not recwarn.list


def test_the_command_says_a_sentence(
    image: np.ndarray, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    clip = write_clip(tmp_path / "clip.mkv")
    options = ["-o", str(tmp_path / "out.mkv"), "--model", str(TOY), "--provider", "cpu", "--quiet"]
    key = write_key(tmp_path / "key.png")
    key.write_bytes(key.read_bytes()[:-20])
    assert main(["color", str(clip), "--key", str(key), *options]) == 2
    told = capfd.readouterr().err
    assert told.startswith(f"vidcolor: key: {key} is damaged or incomplete (PNG input buffer is")
    assert told.count("\n") == 1
    key = tmp_path / "key.jpg"
    key.write_bytes(damaged_jpeg(image))
    assert main(["color", str(clip), "--key", str(key), *options, "--any-key"]) == 0
    told = capfd.readouterr().err
    assert told.startswith(f"vidcolor: key: {key} is damaged (Corrupt JPEG data: ")
    assert told.count("\n") == 1


def test_photographs_that_are_damaged_are_left_out(
    image: np.ndarray, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for ending in ENDINGS:
        (tmp_path / f"good.{ending}").write_bytes(encoded(image, ending))
        (tmp_path / f"bad.{ending}").write_bytes(encoded(image, ending)[:-40])
    found = find_pictures([tmp_path], size=64, least=16)
    assert [picture.path.stem for picture in found] == ["good"] * len(ENDINGS)
    told = capfd.readouterr().err
    assert told.startswith(f"{tmp_path}: {len(ENDINGS)} of {2 * len(ENDINGS)} pictures cannot be")
    assert told.count("\n") == 1
    with pytest.raises(ArgumentError, match=r"bad.png cannot be read any more"):
        Photograph(tmp_path / "bad.png", 64).load()
    assert found[0].load().luma.shape == (1, 64, 96)
    assert not capfd.readouterr().err


def test_what_others_write_meanwhile_is_passed_on(
    image: np.ndarray, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    real = decoding._decode

    def beside(*given: object) -> object:
        other = threading.Thread(target=os.write, args=(2, b"a line\n\rbar: 12%"))
        other.start()
        other.join()
        return real(*given)

    monkeypatch.setattr(decoding, "_decode", beside)
    data = np.frombuffer(encoded(image, "png")[:-20], np.uint8)
    assert decode(data, cv2.IMREAD_COLOR) == ((None,), "PNG input buffer is incomplete")
    assert capfd.readouterr().err == "a line\n\rbar: 12%"


def test_where_standard_error_is_closed(image: np.ndarray) -> None:
    data = np.frombuffer(encoded(image, "png"), np.uint8)
    before = os.dup(2)
    os.close(2)
    try:
        images, damage = decode(data, cv2.IMREAD_COLOR)
    finally:
        os.dup2(before, 2)
        os.close(before)
    np.testing.assert_array_equal(images[0], image)
    assert not damage
