"""What the examples are run on."""

import shutil
from pathlib import Path

from tests.support.videos import write_clip, write_key

WIDTH, HEIGHT, LENGTH = 96, 64, 12
PTS = range(0, 40 * LENGTH, 40)

COLORIZER = """
import numpy as np
def colorize(gray):
    assert gray.dtype == np.float32 and gray.shape == (64, 96) and 0 <= gray.min() < gray.max() <= 1
    blue_or_red = [0.6, 0.4, 0.9] if gray[:, :48].mean() < gray[:, 48:].mean() else [0.9, 0.4, 0.5]
    return gray[..., None] * np.float32(blue_or_red)
"""
"""mine.py: a colorizer of the user's own."""


def write_footage(folder: Path) -> None:
    """clip.mkv, gray.mkv, key.png, mine.py, and images of two frames in keys/."""
    write_clip(folder / "clip.mkv", width=WIDTH, height=HEIGHT, pts=PTS)
    write_clip(folder / "gray.mkv", width=WIDTH, height=HEIGHT, pts=PTS, pixel_format="gray")
    write_key(folder / "key.png", width=WIDTH, height=HEIGHT)
    (folder / "mine.py").write_text(COLORIZER)
    (folder / "keys").mkdir()
    write_key(folder / "keys" / "2.png", width=WIDTH, height=HEIGHT)
    write_key(folder / "keys" / "009.png", width=WIDTH, height=HEIGHT, depth=16)
    (folder / "keys" / "notes.txt").write_text("the blue was guessed")


def write_films(folder: Path, footage: Path) -> None:
    """A clip that has one key, a clip that has many, and a clip that has none."""
    shutil.copytree(footage / "keys", folder / "many")
    shutil.copy(footage / "key.png", folder / "one.png")
    write_clip(folder / "one.mkv", width=WIDTH, height=HEIGHT, pts=PTS, audio="aac")
    for name in ("many.mkv", "none.mkv"):
        write_clip(folder / name, width=WIDTH, height=HEIGHT, pts=PTS)
