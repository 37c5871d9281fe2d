"""Scenes whose colours only another painted frame tells of."""

from __future__ import annotations

import torch
from torch import Tensor

from training.data.stills import Stills

SIDE = 48


def planted_scene(generator: torch.Generator, *, colors: Tensor) -> tuple[Tensor, Tensor]:
    """Two textures, parted at a random place: upright stripes in one colour, lying in the other.

    Args:
        generator: What is random depends on it.
        colors: Chroma [2, 2], of each texture.
    """
    stripes = 0.5 + 0.3 * (torch.arange(SIDE) // 4 % 2 - 0.5)
    upright, lying = stripes.expand(SIDE, SIDE), stripes.expand(SIDE, SIDE).T
    parted = 16 * int(torch.randint(1, SIDE // 16, (), generator=generator))
    first = (torch.arange(SIDE) < parted).expand(SIDE, SIDE)
    if torch.rand((), generator=generator) < 0.5:
        first = first.flip(1)
    luma = torch.where(first, upright, lying)[None]
    chroma = torch.where(first, *colors[:, :, None, None])
    return (luma, chroma)


def planted_batch(count: int, *, seed: int) -> Stills:
    """Frames, and an exemplar for each: the same textures in the same colours, parted elsewhere."""
    generator = torch.Generator().manual_seed(seed)
    scenes = []
    for _ in range(count):
        colors = torch.rand(2, 2, generator=generator) - 0.5
        frame, exemplar = (planted_scene(generator, colors=colors) for _ in range(2))
        scenes.append((*frame, *exemplar))
    return Stills(*map(torch.stack, zip(*scenes, strict=True)))
