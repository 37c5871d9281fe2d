"""Damaged images: keys, strokes, frames to paint on, and folders of keys."""

from __future__ import annotations

import random
import struct
import zlib
from pathlib import Path

from tests.attack import checks
from tests.attack.case import Case
from tests.attack.material import FRAMES, SIDE, Material, model_arguments
from tests.attack.mutate import damage

_SIDES = (0, 1, 2, 7, 64, 1000, 65_535, 100_000, 2**31 - 1, 2**32 - 1)


def make(rng: random.Random, material: Material, folder: Path) -> Case:
    """An image that is damaged, in one of the places where images are read."""
    name = rng.choice(list(material.pictures))
    (folder / "clip.mkv").write_bytes(material.films["ffv1.mkv"])
    data = _image(rng, material, name)
    ending = Path(rng.choice(list(material.pictures)) if rng.random() < 0.1 else name).suffix
    place = rng.random()
    if place < 0.4:
        (folder / f"key{ending}").write_bytes(data)
        return _color(["--key", f"key{ending}"], rng)
    if place < 0.65:
        keys = folder / "keys"
        keys.mkdir()
        (keys / _name_of_key(rng, ending)).write_bytes(data)
        if rng.random() < 0.5:
            (keys / "000000.png").write_bytes(material.pictures["8.png"])
        return _color(["--keys", "keys"], rng)
    if place < 0.75:
        keys = folder / "keys"
        keys.mkdir()
        (keys / f"000002{ending}").write_bytes(data)
        return Case(["advise", "clip.mkv", "-o", "keys", *model_arguments()[:4]], "keys")
    return _key(rng, material, folder, data, ending)


def _image(rng: random.Random, material: Material, name: str) -> bytes:
    if rng.random() < 0.1:
        return _png_of(rng.choice(_SIDES), rng.choice(_SIDES), rng)
    return damage(material.pictures[name], rng, others=list(material.pictures.values()))


def _png_of(width: int, height: int, rng: random.Random) -> bytes:
    """A PNG that says of itself to be of a size, with a right checksum and few pixels."""
    depth, color = rng.choice(((8, 2), (16, 2), (8, 6), (1, 3), (8, 0)))
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, rng.choice((0, 0, 1)))
    pieces = (b"IHDR", header), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b"")
    chunks = (
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in pieces
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _name_of_key(rng: random.Random, ending: str) -> str:
    stem = rng.choice(
        (
            "000003",
            "3",
            "0",
            "-1",
            "²",
            "١",
            "9" * 200,
            "999999",
            "1e3",
            "000003.000004",
            "0x3",
            "３",
        )
    )
    return stem + ending


def _color(keys: list[str], rng: random.Random) -> Case:
    arguments = ["color", "clip.mkv", *keys, "-o", "out.mkv", "--codec", "ffv1"]
    arguments += [*model_arguments(), *["--any-key"] * (rng.random() < 0.6)]
    check = checks.film("out.mkv", "clip.mkv", exact=True, expected=FRAMES)
    return Case(arguments, "out.mkv", check)


def _key(rng: random.Random, material: Material, folder: Path, data: bytes, ending: str) -> Case:
    """`vidcolor key`, of which one of two images is damaged."""
    (folder / "sound.png").write_bytes(material.pictures[rng.choice(("8.png", "alpha.png"))])
    (folder / f"damaged{ending}").write_bytes(data)
    images = ["sound.png", f"damaged{ending}"]
    gray, paint = images if rng.random() < 0.7 else images[::-1]
    arguments = ["key", gray, "--paint", paint, "-o", "new.png"]
    arguments += ["--whole"] * (rng.random() < 0.3)
    check = checks.picture("new.png", (SIDE, SIDE)) if gray == "sound.png" else None
    return Case(arguments, "new.png", check)
