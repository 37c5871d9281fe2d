"""Files beside a key that are no keys: its mask, and the strokes that it was made of."""

from __future__ import annotations

from pathlib import Path

MASK = ".mask"
"""How the name of a key's mask ends, before its ending."""


def mask_of(path: Path) -> Path:
    """Where the mask of a key would be: 000240.mask.png for 000240.png.

    It is an image of the key's aspect, white where the key is painted.
    """
    return path.with_name(f"{path.stem}{MASK}.png")


def strokes_path(path: Path) -> Path:
    """Where strokes are kept that became a key: 000240.strokes.png for 000240.png.

    A number follows where that is taken: 000240.strokes-2.png.
    """
    place, number = path.with_name(f"{path.stem}.strokes{path.suffix}"), 1
    while place.exists():
        number += 1
        place = path.with_name(f"{path.stem}.strokes-{number}{path.suffix}")
    return place
