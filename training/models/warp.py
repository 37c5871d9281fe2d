"""Planes fetched along optical flow.

Places are counted from the middle of the picture, x then y: then both edges are equally far away,
and the sides of pictures of two sizes are one number apart. Where flow leads to is counted in
halves of the picture's width and height, as grid_sample has it: then it is the same at all sizes,
and what a shrunk picture needs are the means of what the large one needs.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def warp(planes: Tensor, flow: Tensor) -> Tensor:
    """Fetch planes [B, c, h, w] from where flow [B, 2, h, w] (pixels, x then y) points to."""
    return sample(planes, toward(flow))


def toward(flow: Tensor) -> Tensor:
    """Where flow [B, 2, h, w] (pixels) leads to: [B, 2, h, w], the picture's own sides being ±1."""
    sides = edges(flow) + 0.5
    return flow / sides + positions(flow) / sides


def sample(planes: Tensor, ends: Tensor) -> Tensor:
    """Fetch planes [B, c, h, w] from the ends [B, 2, h, w] that `toward` gave.

    Beyond the picture its edge is repeated: by places that end at the edge, not by grid_sample's
    own 'border', for which onnxruntime's CPU kernel takes four to ten times as long.
    """
    edge = edges(ends)
    edge = edge / (edge + 0.5)
    grid = torch.maximum(torch.minimum(ends, edge), -edge).permute(0, 2, 3, 1)
    return F.grid_sample(
        planes, grid.to(planes.dtype), mode="bilinear", padding_mode="zeros", align_corners=False
    )


def positions(planes: Tensor) -> Tensor:
    """[1, 2, h, w]: where the pixels of planes [..., h, w] are, in pixels from the middle."""
    height, width = planes.shape[-2:]
    x = torch.arange(width, device=planes.device, dtype=torch.float32) - (width - 1) / 2
    y = torch.arange(height, device=planes.device, dtype=torch.float32) - (height - 1) / 2
    return torch.stack([x.expand(height, width), y.unsqueeze(1).expand(height, width)]).unsqueeze(0)


def edges(planes: Tensor) -> Tensor:
    """[1, 2, 1, 1]: where the last pixels of planes [..., h, w] are, in pixels from the middle."""
    return positions(planes)[..., -1:, -1:]
