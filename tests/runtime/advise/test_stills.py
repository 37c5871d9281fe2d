"""Frames as images to paint on."""

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.support.videos import HEIGHT, UNEVEN, WIDTH, frames, picture, plane, write_clip
from vidcolor.advise.stills import write_stills
from vidcolor.key.image import is_painted, read_key
from vidcolor.media.reader import Reader


def read(path: Path) -> np.ndarray:
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


def test_the_frames_luma_at_full_size_in_three_channels(tmp_path: Path) -> None:
    film = write_clip(tmp_path / "a.mkv", pixel_format="gray", tags=(1, 1, 1, 2, 0), pts=UNEVEN)
    stills = {2: tmp_path / "000002.png", 5: tmp_path / "000005.png"}
    times = write_stills(film, stills, times_of=[3])
    assert times == pytest.approx({2: 0.09, 3: 0.12, 5: 0.3})
    for number, path in stills.items():
        image = read(path)
        assert image.dtype == np.uint8
        for channel in range(3):
            np.testing.assert_array_equal(image[..., channel], picture(number))
        assert not is_painted(path)
    assert len(list(tmp_path.iterdir())) == 3


def test_limited_range_is_stretched_and_depth_is_kept(tmp_path: Path) -> None:
    film = write_clip(tmp_path / "a.mkv", pixel_format="yuv420p10le", tags=(1, 1, 1, 1, 0))
    write_stills(film, {0: tmp_path / "0.png"})
    image = read(tmp_path / "0.png")
    codes = plane(frames(film)[0], 0).astype(float)
    assert image.dtype == np.uint16
    assert len(np.unique(image)) > 256
    expected = ((codes - 64) / 876).clip(0, 1) * 65535
    np.testing.assert_allclose(image[..., 1], expected, atol=0.51)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_they_look_as_a_player_shows_them_and_are_read_back(tmp_path: Path, rotation: int) -> None:
    film = write_clip(tmp_path / "a.mp4", rotation=rotation, sample_aspect=Fraction(4, 3))
    path = tmp_path / "0.png"
    write_stills(film, {0: path})
    image = read(path)
    shown = (HEIGHT, WIDTH * 4 // 3, 3)
    assert image.shape == (shown if rotation % 180 == 0 else (shown[1], shown[0], 3))
    image[..., 2] = (image[..., 2] * 0.6).astype(np.uint8)
    cv2.imwrite(str(path), image)
    with Reader(film) as reader:
        key = read_key(path, info=reader.info, matrix="bt709")
    stored = (plane(frames(film)[0], 0).astype(float) - 16) / 219
    seen = cv2.resize(key.luma, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    assert np.corrcoef(seen.ravel(), stored.ravel())[0, 1] > 0.98


def test_no_more_of_the_film_is_read_than_it_takes(tmp_path: Path) -> None:
    film = write_clip(tmp_path / "a.mkv")
    film.write_bytes(film.read_bytes()[: film.stat().st_size * 3 // 4])
    write_stills(film, {1: tmp_path / "1.png"})
    assert read(tmp_path / "1.png") is not None
