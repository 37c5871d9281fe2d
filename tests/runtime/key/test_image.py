"""Key frames from image files of every kind that is promised."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.support.videos import HEIGHT, WIDTH, write_key
from vidcolor.color import key_to_rgb
from vidcolor.errors import KeyFrameError
from vidcolor.key.image import read_key, read_reference
from vidcolor.media.info import Info, Tags

CLIP = Info(
    width=WIDTH,
    height=HEIGHT,
    pixel_format="gray",
    tags=Tags(),
    sample_aspect=Fraction(1),
    rotation=0,
    time_base=Fraction(1, 1000),
    rate=Fraction(25),
    frame_count=None,
)


def rgb(path: Path, info: Info = CLIP) -> np.ndarray:
    """What was read, as 8-bit R'G'B' again."""
    return np.rint(255 * key_to_rgb(read_key(path, info=info, matrix="bt709"), "bt709")).astype(int)


@pytest.mark.parametrize(
    ("name", "depth"), [("key.png", 8), ("key.png", 16), ("key.tif", 8), ("key.tif", 16)]
)
def test_colours_are_the_images(tmp_path: Path, name: str, depth: int) -> None:
    expected = cv2.imread(str(write_key(tmp_path / "plain.png")))[..., ::-1]
    got = rgb(write_key(tmp_path / name, depth=depth))
    assert np.abs(got - expected).max() <= 1


def test_jpeg(tmp_path: Path) -> None:
    expected = cv2.imread(str(write_key(tmp_path / "plain.png")))[..., ::-1]
    assert np.abs(rgb(write_key(tmp_path / "key.jpg")) - expected).mean() < 6


def test_sixteen_bits_are_not_cut_to_eight(tmp_path: Path) -> None:
    fine = np.zeros((HEIGHT, WIDTH, 3), np.uint16)
    fine[..., 2] = 30000 + np.arange(WIDTH)
    cv2.imwrite(str(tmp_path / "key.png"), fine)
    key = read_key(tmp_path / "key.png", info=CLIP, matrix="bt709")
    assert len(np.unique(key.chroma[1])) == WIDTH


def write_alpha(path: Path, alpha: np.ndarray) -> np.ndarray:
    """A key with alpha, of alpha's depth; returns its plain R'G'B', 8 bit."""
    plain = cv2.imread(str(write_key(path.with_name("plain.png"))))
    image = plain if alpha.dtype == np.uint8 else plain.astype(np.uint16) * 257
    cv2.imwrite(str(path), np.dstack((image, alpha)))
    return plain[..., ::-1]


@pytest.mark.parametrize("name", ["key.png", "key.tif"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_alpha_says_where_it_is_painted(tmp_path: Path, name: str, dtype: type) -> None:
    most = np.iinfo(dtype).max
    alpha = np.zeros((HEIGHT, WIDTH), dtype)
    alpha[5:20, 9:30], alpha[30:40] = most, most // 3
    plain = write_alpha(tmp_path / name, alpha)
    for rotation in (0, 90):
        info = replace(CLIP, rotation=rotation)
        if rotation:
            turned = cv2.imread(str(tmp_path / name), cv2.IMREAD_UNCHANGED)
            cv2.imwrite(str(tmp_path / name), np.rot90(turned))
        key = read_key(tmp_path / name, info=info, matrix="bt709")
        assert key.weight.dtype == np.float32
        assert np.array_equal(key.weight, alpha / np.float32(most))
        assert np.abs(rgb(tmp_path / name, info) - plain).max() <= 1


def test_alpha_that_hides_nothing_is_no_alpha(tmp_path: Path) -> None:
    write_alpha(tmp_path / "key.png", np.full((HEIGHT, WIDTH), 255, np.uint8))
    assert read_key(tmp_path / "key.png", info=CLIP, matrix="bt709").weight is None


def test_of_a_transparent_key_nothing_is_painted(tmp_path: Path) -> None:
    write_alpha(tmp_path / "key.png", np.zeros((HEIGHT, WIDTH), np.uint8))
    with pytest.raises(KeyFrameError, match=r"key.png is transparent everywhere, some of it must"):
        rgb(tmp_path / "key.png")


def test_colour_that_is_transparent_does_not_count(tmp_path: Path) -> None:
    image = np.dstack(
        [cv2.imread(str(write_key(tmp_path / "plain.png"))), np.zeros((HEIGHT, WIDTH))]
    )
    image[:9, :9] = 255
    cv2.imwrite(str(tmp_path / "key.png"), image.astype(np.uint8))
    with pytest.raises(KeyFrameError, match=r"key.png is gray"):
        rgb(tmp_path / "key.png")


@pytest.mark.parametrize(
    ("width", "height", "sample_aspect", "fits"),
    [
        (WIDTH * 3, HEIGHT * 3, Fraction(1), True),
        (WIDTH // 3, HEIGHT // 3, Fraction(1), True),
        (WIDTH + 1, HEIGHT, Fraction(1), True),
        (WIDTH + 3, HEIGHT, Fraction(1), False),
        (HEIGHT, WIDTH, Fraction(1), False),
        (WIDTH * 4 // 3, HEIGHT, Fraction(4, 3), True),  # as a player shows it
        (WIDTH, HEIGHT, Fraction(4, 3), True),  # as the file stores it
        (WIDTH * 7 // 6, HEIGHT, Fraction(4, 3), False),
    ],
)
def test_any_size_of_the_clips_aspect(
    tmp_path: Path, width: int, height: int, sample_aspect: Fraction, fits: bool
) -> None:
    image = write_key(tmp_path / "key.png", width=width, height=height)
    info = replace(CLIP, sample_aspect=sample_aspect)
    if fits:
        assert read_key(image, info=info, matrix="bt709").luma.shape == (height, width)
    else:
        with pytest.raises(KeyFrameError, match=f"key.png is {width}x{height}"):
            read_key(image, info=info, matrix="bt709")


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_an_upright_image_is_laid_as_the_frames_are_stored(tmp_path: Path, rotation: int) -> None:
    stored = cv2.imread(str(write_key(tmp_path / "stored.png")))
    cv2.imwrite(str(tmp_path / "key.png"), np.rot90(stored, rotation // 90))
    got = rgb(tmp_path / "key.png", replace(CLIP, rotation=rotation))
    assert np.abs(got - stored[..., ::-1]).max() <= 1


@pytest.mark.parametrize("name", ["key.png", "key.jpg"])
def test_gray_in_three_channels_is_still_gray(tmp_path: Path, name: str) -> None:
    gray = cv2.imread(str(write_key(tmp_path / "plain.png")), cv2.IMREAD_GRAYSCALE)
    cv2.imwrite(str(tmp_path / name), cv2.merge([gray] * 3))
    with pytest.raises(KeyFrameError, match="is gray"):
        rgb(tmp_path / name)


def test_floating_point_images_are_refused(tmp_path: Path) -> None:
    image = cv2.imread(str(write_key(tmp_path / "plain.png"))).astype(np.float32)
    cv2.imwrite(str(tmp_path / "key.tif"), image)
    with pytest.raises(KeyFrameError, match="8 or 16 bit"):
        rgb(tmp_path / "key.tif")


def write_strokes(path: Path) -> np.ndarray:
    """A gray frame with a stroke of paint in its middle; returns which pixels it covers."""
    plain = cv2.imread(str(write_key(path.with_name("plain.png"))))
    image = cv2.merge([cv2.cvtColor(plain, cv2.COLOR_BGR2GRAY)] * 3)
    image[20:30, 30:60] = (30, 40, 200)
    cv2.imwrite(str(path), image)
    covered = np.zeros(image.shape[:2], np.float32)
    covered[20:30, 30:60] = 1
    return covered


def test_strokes_on_a_gray_frame_are_its_paint(tmp_path: Path) -> None:
    covered = write_strokes(tmp_path / "key.png")
    key = read_key(tmp_path / "key.png", info=CLIP, matrix="bt709")
    np.testing.assert_array_equal(key.weight, covered)
    assert read_key(tmp_path / "key.png", info=CLIP, matrix="bt709", whole=True).weight is None


def test_strokes_between_black_bars(tmp_path: Path) -> None:
    covered = write_strokes(tmp_path / "key.png")
    image = cv2.imread(str(tmp_path / "key.png"))
    cv2.imwrite(str(tmp_path / "key.png"), np.pad(image, ((12, 12), (0, 0), (0, 0))))
    np.testing.assert_array_equal(
        read_key(tmp_path / "key.png", info=CLIP, matrix="bt709").weight, covered
    )


def test_a_mask_beside_it_says_where_it_is_painted(tmp_path: Path) -> None:
    write_key(tmp_path / "000240.png")
    mask = np.zeros((HEIGHT // 2, WIDTH // 2), np.uint8)
    mask[5:20, 9:30] = 255
    cv2.imwrite(str(tmp_path / "000240.mask.png"), mask)
    weight = read_key(tmp_path / "000240.png", info=CLIP, matrix="bt709").weight
    assert weight.shape == (HEIGHT, WIDTH)
    assert np.all(weight[12:38, 20:58] == 1)
    assert not weight[:8].any()
    assert not weight[:, 64:].any()
    cv2.imwrite(str(tmp_path / "000240.mask.png"), 0 * mask)
    with pytest.raises(KeyFrameError, match=r"the mask .*\.mask\.png leaves nothing of .*240\.png"):
        read_key(tmp_path / "000240.png", info=CLIP, matrix="bt709")
    cv2.imwrite(str(tmp_path / "000240.mask.png"), mask[:, :20])
    with pytest.raises(KeyFrameError, match=r"the mask .*\.mask\.png is 20x32, its key is 96x64"):
        read_key(tmp_path / "000240.png", info=CLIP, matrix="bt709")


def test_a_reference_has_any_aspect(tmp_path: Path) -> None:
    image = write_key(tmp_path / "still.jpg", width=70, height=90)
    reference = read_reference(image, matrix="bt709")
    assert reference.luma.shape == (90, 70)
    expected = cv2.imread(str(image))[..., ::-1]
    got = np.rint(255 * key_to_rgb(reference, "bt709"))
    assert np.abs(got - expected).max() <= 1


def test_references_that_are_none(tmp_path: Path) -> None:
    gray = cv2.imread(str(write_key(tmp_path / "plain.png")), cv2.IMREAD_GRAYSCALE)
    cv2.imwrite(str(tmp_path / "gray.png"), gray)
    with pytest.raises(KeyFrameError, match=r"reference: .*gray\.png is gray, a picture in colour"):
        read_reference(tmp_path / "gray.png", matrix="bt709")
    write_alpha(tmp_path / "alpha.png", np.tile(np.uint8(100), (HEIGHT, WIDTH)))
    with pytest.raises(KeyFrameError, match=r"reference: .*alpha\.png is transparent in parts"):
        read_reference(tmp_path / "alpha.png", matrix="bt709")
