"""A small flagship, and pictures for it and others that stand still."""

from __future__ import annotations

import torch
from torch import Tensor

from training.models.flagship import Flagship
from vidcolor.inference.contract import FLOW_KEY, FLOW_PREVIOUS, FLOW_TRACK

HEIGHT, WIDTH = 48, 64


def small_flagship() -> Flagship:
    torch.manual_seed(0)
    return Flagship(width=8, match_width=16).eval()


def planes(seed: int, channels: int = 1) -> Tensor:
    """Smooth ones, in [0, 1]."""
    torch.manual_seed(seed)
    coarse = torch.rand(1, channels, HEIGHT // 8, WIDTH // 8)
    return torch.nn.functional.interpolate(coarse, scale_factor=8, mode="bicubic").clamp(0, 1)


def halves(left: tuple[float, float], right: tuple[float, float]) -> tuple[Tensor, Tensor]:
    """Luma and chroma of a dark left half and a bright right one, each of one colour."""
    luma, chroma = planes(4) * 0.2, torch.zeros(1, 2, HEIGHT, WIDTH)
    luma[..., WIDTH // 2 :] += 0.7
    for plane, (dark, bright) in enumerate(zip(left, right, strict=True)):
        chroma[:, plane, :, : WIDTH // 2], chroma[:, plane, :, WIDTH // 2 :] = dark, bright
    return luma, chroma


def still(keys: int = 1) -> dict[str, Tensor]:
    """Flow of frames that are all alike."""
    return {
        FLOW_PREVIOUS: torch.zeros(1, 2, HEIGHT, WIDTH),
        FLOW_KEY: torch.zeros(1, keys, 2, HEIGHT, WIDTH),
        FLOW_TRACK: torch.zeros(1, keys, 2, HEIGHT, WIDTH),
    }
