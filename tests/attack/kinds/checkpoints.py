"""Damaged checkpoints, given to `python -m export`."""

from __future__ import annotations

import json
import random
from pathlib import Path

from tests.attack.case import Case
from tests.attack.material import Material
from tests.attack.mutate import VALUES, damage, damage_json

WEIGHTS, CONFIG = "weights.safetensors", "config.json"


def make(rng: random.Random, material: Material, folder: Path) -> Case:
    """A checkpoint whose configuration or weights were changed."""
    files = dict(material.checkpoints[rng.choice(list(material.checkpoints))])
    choice = rng.random()
    if choice < 0.55:
        files[CONFIG] = damage_json(json.loads(files[CONFIG]), rng)
    elif choice < 0.65:
        files[CONFIG] = damage(files[CONFIG], rng)
    elif choice < 0.75:
        files[WEIGHTS] = _change_header(files[WEIGHTS], rng)
    elif choice < 0.95:
        files[WEIGHTS] = damage(files[WEIGHTS], rng)
    else:
        del files[rng.choice((CONFIG, WEIGHTS))]
    checkpoint = folder / "checkpoint"
    checkpoint.mkdir()
    for name, data in files.items():
        (checkpoint / name).write_bytes(data)
    return Case(["checkpoint", "-o", "bundle"], "bundle", program="export")


def _change_header(data: bytes, rng: random.Random) -> bytes:
    """The JSON that safetensors begin with, changed, with its right length."""
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    if rng.random() < 0.5:
        tensor = rng.choice([name for name in header if name != "__metadata__"])
        field = rng.choice(("dtype", "shape", "data_offsets"))
        header[tensor][field] = rng.choice(
            (*VALUES, "F64", "BOOL", "I8", [2**40], [0], [10**6, 10**6], [0, 1], [-1, 4])
        )
        text = json.dumps(header).encode()
    else:
        text = damage_json(header, rng)
    return len(text).to_bytes(8, "little") + text + data[8 + size :]
