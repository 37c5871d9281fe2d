"""Sample sheets: rows of frames, to see what a training run has come to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from evaluation.clips import Codes
from training.models.lab import planes_to_rgb

GAP = 4
"""Pixels between the pictures."""


def write_sheet(path: Path, rows: Sequence[tuple[Tensor, Tensor]]) -> Codes:
    """Write rows of frames as one PNG and return it as [h, w, 3] RGB.

    Each row is luma [n, 1, h, w] in [0, 1] and chroma [n, 2, h, w] in ±0.5; all of one shape.
    """
    pictures = []
    for luma, chroma in rows:
        rgb = torch.round(planes_to_rgb(luma.cpu(), chroma.cpu()) * 255).byte()
        framed = torch.nn.functional.pad(rgb, (0, GAP, 0, GAP), value=255)
        pictures.append(framed.permute(2, 0, 3, 1).flatten(1, 2))
    sheet = np.ascontiguousarray(torch.cat(pictures).numpy())
    path.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(path), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR)):
        raise OSError(f"could not write the sample sheet {path}")
    return sheet
