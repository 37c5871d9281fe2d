"""Planes fetched along optical flow."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def warp(planes: Tensor, flow: Tensor) -> Tensor:
    """Fetch planes [B, c, h, w] from where flow [B, 2, h, w] (pixels, x then y) points to."""
    _, _, height, width = planes.shape
    x = torch.arange(width, device=flow.device, dtype=flow.dtype)
    y = torch.arange(height, device=flow.device, dtype=flow.dtype).unsqueeze(1)
    # grid_sample without align_corners: pixel centres lie at (2 i + 1) / n - 1.
    grid = torch.stack(
        [
            (2 * (x + flow[:, 0]) + 1) / width - 1,
            (2 * (y + flow[:, 1]) + 1) / height - 1,
        ],
        dim=-1,
    )
    return F.grid_sample(
        planes, grid.to(planes.dtype), mode="bilinear", padding_mode="border", align_corners=False
    )


def shrink_flow(flow: Tensor, times: int) -> Tensor:
    """Flow for planes of 1/`times` the height and width, in their pixels."""
    return F.avg_pool2d(flow, times) / times
