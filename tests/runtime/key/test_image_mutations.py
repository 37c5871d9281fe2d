"""Damaged images of every kind: a picture, or a sentence."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from vidcolor.errors import KeyFrameError
from vidcolor.key.image import read_picture

MUTATIONS = 150
"""Of each kind of image."""


def pictures() -> dict[str, bytes]:
    """Small images of all kinds that are read, by their endings."""
    random = np.random.default_rng(3)
    noise = random.integers(0, 256, (24, 32, 4), np.uint8)
    smooth = cv2.GaussianBlur(noise, (0, 0), 3)
    wide = smooth.astype(np.uint16) * 257
    images = {
        ".png": smooth,
        ".16.png": wide,
        ".gray.png": smooth[..., 0],
        ".jpg": smooth[..., :3],
        ".tif": smooth[..., :3],
        ".16.tiff": wide[..., :3],
        ".webp": smooth,
        ".bmp": smooth[..., :3],
    }
    return {
        name: cv2.imencode("." + name.rpartition(".")[2], image)[1].tobytes()
        for name, image in images.items()
    }


PICTURES = pictures()


def mutate(data: bytes, random: np.random.Generator) -> bytes:
    """Some bytes changed, cut out, doubled, or the end cut off."""
    changed = bytearray(data)
    for _ in range(int(random.integers(1, 6))):
        if not changed:
            break
        at, length = int(random.integers(len(changed))), int(random.integers(1, 20))
        kind = int(random.integers(5))
        if kind == 0:
            changed[at] = int(random.integers(256))
        elif kind == 1:
            del changed[at : at + length]
        elif kind == 2:
            changed[at:at] = changed[at : at + length]
        elif kind == 3:
            changed[at : at + 4] = int(random.integers(2**32)).to_bytes(4, "big")
        else:
            del changed[at:]
    return bytes(changed)


@pytest.mark.parametrize("ending", PICTURES)
def test_any_mutation_is_a_picture_or_a_sentence(ending: str, tmp_path: Path) -> None:
    random = np.random.default_rng(len(ending))
    path = tmp_path / f"key{ending}"
    path.write_bytes(PICTURES[ending])
    assert read_picture(path).rgb.shape == (24, 32, 3)
    sentences = []
    for _ in range(MUTATIONS):
        path.write_bytes(mutate(PICTURES[ending], random))
        try:
            picture = read_picture(path)
        except KeyFrameError as error:
            sentences.append(str(error))
            continue
        height, width, channels = picture.rgb.shape
        assert channels == 3
        assert height * width > 0
        assert picture.bits in (8, 16)
        assert picture.rgb.dtype == np.float32
        assert picture.rgb.min() >= 0
        assert picture.rgb.max() <= 1
        if picture.alpha is not None:
            assert picture.alpha.shape == (height, width)
    assert sentences
    for sentence in sentences:
        assert sentence.startswith(f"key: {path} ")
        assert "\n" not in sentence
