"""A small flagship, and pictures for it that stand still."""

from __future__ import annotations

import torch
from torch import Tensor

from training.models.flagship import Flagship
from vidcolor.contract import FLOW_KEY, FLOW_PREVIOUS, FLOW_TRACK

HEIGHT, WIDTH = 48, 64


def small_flagship() -> Flagship:
    torch.manual_seed(0)
    return Flagship(width=8, match_width=16).eval()


def planes(seed: int, channels: int = 1) -> Tensor:
    """Smooth ones, in [0, 1]."""
    torch.manual_seed(seed)
    coarse = torch.rand(1, channels, HEIGHT // 8, WIDTH // 8)
    return torch.nn.functional.interpolate(coarse, scale_factor=8, mode="bicubic").clamp(0, 1)


def still(keys: int = 1) -> dict[str, Tensor]:
    """Flow of frames that are all alike."""
    return {
        FLOW_PREVIOUS: torch.zeros(1, 2, HEIGHT, WIDTH),
        FLOW_KEY: torch.zeros(1, keys, 2, HEIGHT, WIDTH),
        FLOW_TRACK: torch.zeros(1, keys, 2, HEIGHT, WIDTH),
    }
