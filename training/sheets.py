"""Sample sheets: labelled rows of frames, to see what a training run has come to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor

from evaluation.clips import Codes
from training.data.stills import Stills
from training.models.lab import planes_to_rgb

GAP = 4
"""Pixels between the pictures."""
MARGIN = 64
"""Pixels left of the pictures, for the rows' labels."""
STILLS, STILL_COLUMNS = 16, 8
"""Of single frames, how many a sheet shows, and how many beside each other."""
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_SCALE = 0.4


class Row(NamedTuple):
    """One row of a sheet."""

    label: str
    """Such as 'gray', 'true' or 'ours'."""
    luma: Tensor
    """[n, 1, h, w] in [0, 1]."""
    chroma: Tensor
    """[n, 2, h, w] in ±0.5."""


def write_sheet(path: Path, rows: Sequence[Row]) -> Codes:
    """Write rows of frames as one PNG, each row with its label at the left.

    Args:
        path: The file; its folder is made.
        rows: All of one shape.

    Returns:
        The sheet, [height, width, 3] RGB.

    Raises:
        OSError: The file cannot be written.
    """
    pictures = []
    for row in rows:
        rgb = torch.round(planes_to_rgb(row.luma.cpu(), row.chroma.cpu()) * 255).byte()
        framed = torch.nn.functional.pad(rgb, (0, GAP, 0, GAP), value=255)
        strip = framed.permute(2, 0, 3, 1).flatten(1, 2).numpy()
        pictures.append(np.concatenate([_label(row.label, len(strip)), strip], axis=1))
    sheet = np.ascontiguousarray(np.concatenate(pictures))
    path.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(path), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR)):
        raise OSError(f"could not write the sample sheet {path}")
    return sheet


def write_stills(path: Path, stills: Stills, chroma: Tensor) -> Codes:
    """Write single frames as a sheet: rows gray, true and ours, twice where there are many.

    Args:
        path: As in `write_sheet`.
        stills: The examples, of which `STILLS` are shown.
        chroma: [B, 2, h, w], what was painted.

    Returns:
        The sheet, see `write_sheet`.
    """
    rows = []
    for first in range(0, min(STILLS, len(chroma)), STILL_COLUMNS):
        part = slice(first, first + STILL_COLUMNS)
        luma = stills.luma[part]
        rows += [
            Row("gray", luma, torch.zeros_like(chroma[part])),
            Row("true", luma, stills.chroma[part]),
            Row("ours", luma, chroma[part]),
        ]
    return write_sheet(path, rows)


def _label(text: str, height: int) -> Codes:
    """White [height, MARGIN, 3] with the text in black, half way down."""
    margin = np.full((height, MARGIN, 3), 255, np.uint8)
    cv2.putText(margin, text, (2, height // 2), _FONT, _SCALE, (0, 0, 0), 1, cv2.LINE_AA)
    return margin
