"""Fingerprints: the same for the same, another for another."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from vidcolor.film.fingerprint import digest, fingerprint_film, fingerprint_key
from vidcolor.planes import Key


def test_of_a_film(tmp_path: Path) -> None:
    film = tmp_path / "film.mkv"
    film.write_bytes(b"begin" + bytes(3 << 20) + b"end")
    os.utime(film, ns=(5, 5))
    first = fingerprint_film(film)
    film.touch()
    assert fingerprint_film(film) != first
    os.utime(film, ns=(7, 5))
    assert fingerprint_film(film) == first
    for change in (b"BEGIN" + bytes(3 << 20) + b"end", b"begin" + bytes(3 << 20) + b"END"):
        film.write_bytes(change)
        os.utime(film, ns=(5, 5))
        assert fingerprint_film(film) != first
    with pytest.raises(OSError, match="absent"):
        fingerprint_film(tmp_path / "absent.mkv")


def test_of_numbered_pictures(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"frame_{number:03}.png").write_bytes(bytes(number + 1))
    first = fingerprint_film(tmp_path)
    assert fingerprint_film(tmp_path / "frame_%03d.png") == first
    (tmp_path / "frame_001.png").write_bytes(bytes(9))
    assert fingerprint_film(tmp_path) != first


def test_of_a_key() -> None:
    luma, chroma = np.zeros((4, 6), np.float32), np.zeros((2, 4, 6), np.float32)
    first = fingerprint_key(Key(luma, chroma))
    assert fingerprint_key(Key(luma + 1, chroma)) == first
    assert fingerprint_key(Key(luma, chroma + 1)) != first
    assert fingerprint_key(Key(luma, chroma, np.ones((4, 6), np.float32))) != first


def test_of_values() -> None:
    assert digest(1, "a") == digest(1, "a") != digest(1, "b")
