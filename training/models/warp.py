"""Planes fetched along optical flow.

Places are counted in pixels, x then y, from the middle of the picture: then both edges are equally
far away, and the sides of pictures of two sizes are one number apart.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def warp(planes: Tensor, flow: Tensor) -> Tensor:
    """Fetch planes [B, c, h, w] from where flow [B, 2, h, w] (pixels, x then y) points to.

    Beyond the picture its edge is repeated: by places that end at the edge, not by grid_sample's
    own 'border', for which onnxruntime's CPU kernel takes four to ten times as long.
    """
    edge = positions(flow)[..., -1:, -1:]
    inside = torch.maximum(torch.minimum(ends(flow), edge), -edge)
    # grid_sample without align_corners: the picture's own sides, half a pixel further, are at ±1.
    grid = (inside / (edge + 0.5)).permute(0, 2, 3, 1)
    return F.grid_sample(
        planes, grid.to(planes.dtype), mode="bilinear", padding_mode="zeros", align_corners=False
    )


def ends(flow: Tensor) -> Tensor:
    """Where flow [B, 2, h, w] leads to from each pixel: [B, 2, h, w], from the middle."""
    return flow + positions(flow)


def positions(planes: Tensor) -> Tensor:
    """[1, 2, h, w]: where the pixels of planes [..., h, w] are, from the middle."""
    height, width = planes.shape[-2:]
    x = torch.arange(width, device=planes.device, dtype=torch.float32) - (width - 1) / 2
    y = torch.arange(height, device=planes.device, dtype=torch.float32) - (height - 1) / 2
    return torch.stack([x.expand(height, width), y.unsqueeze(1).expand(height, width)]).unsqueeze(0)


def shrink_flow(flow: Tensor, times: int) -> Tensor:
    """Flow for planes of 1/`times` the height and width, in their pixels."""
    return F.avg_pool2d(flow, times) / times
