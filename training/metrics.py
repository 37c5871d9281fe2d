"""The reports' pixel accuracy."""

from __future__ import annotations

import torch
from torch import Tensor

from training.lab import CHROMATICITY, LIGHTNESS_HALF, planes_to_lab

TOLERANCE = (2.0, 4.4, 4.4)
"""Largest error in L, a and b of a pixel that counts as right: 2 % of each one's range."""


def pixel_accuracy(luma: Tensor, chroma: Tensor, true_chroma: Tensor) -> Tensor:
    """Share of right pixels of each frame: [N, 1, h, w], [N, 2, h, w], [N, 2, h, w] -> [N].

    Lab is rounded to whole numbers first, as the authors did. The luma is the true one, so that a
    pixel can err in chroma alone.
    """
    scale = torch.tensor([LIGHTNESS_HALF, CHROMATICITY, CHROMATICITY], device=luma.device)
    tolerance = torch.tensor(TOLERANCE, device=luma.device)
    painted = torch.round(planes_to_lab(luma, chroma) * scale.view(3, 1, 1))
    truth = torch.round(planes_to_lab(luma, true_chroma) * scale.view(3, 1, 1))
    right = ((painted - truth).abs() <= tolerance.view(3, 1, 1)).all(dim=1)
    return right.float().mean(dim=(1, 2))
