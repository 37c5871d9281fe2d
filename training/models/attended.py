"""What attention finds for places, as pixels see it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from training.models.encoder import TOKEN
from training.models.layers import enlarge
from training.models.matcher import VALUES, Matchers, of_each

SPREAD_SCALE = 16.0
"""Of variances of chroma: the network sees about ±1."""


class Attended(NamedTuple):
    """What the attentions find, for pixels of half size, one behind the other."""

    colors: Tensor
    """[2, ..., 3, h/2, w/2]: luma and chroma."""
    sure: Tensor
    """[2, ..., 2, h/2, w/2]: the greatest similarity, at most 1, and `SPREAD_SCALE` times the
    variance of the chroma of all that was attended to."""

    @classmethod
    def of(
        cls,
        matchers: Matchers,
        small: Tensor,
        places: Sequence[int],
        sums: Tensor,
        best: Tensor,
    ) -> Attended:
        """Draw the edges that places are too coarse for.

        Args:
            matchers: Which attended.
            small: The frame's luma [B, 1, h/2, w/2].
            places: How many there are in height and width.
            sums: What `attend` gave: of a place's chroma, of luma, of how chroma changes with luma
                within it, of the square of chroma, and of the weights.
            best: The rest of what it gave.
        """
        total, weight = sums.reshape(-1, VALUES, *places).split([VALUES - 1, 1], 1)
        # The best place counts one, so that the sum is more, but for a state that has no past.
        chroma, rest, squared = (total / weight.clamp(min=1)).split([2, 3, 1], 1)
        spread = squared - chroma.square().sum(1, keepdim=True)
        # Of the greatest logit a similarity of one is `sharpness`.
        sharpness = torch.exp(of_each(matchers, "temperature", 4))
        sharpness = sharpness.repeat_interleave(total.shape[0] // 2, 0)
        highest = torch.maximum(best.reshape(-1, 1, *places), -sharpness)
        one = torch.ones_like(sharpness)
        scale = torch.cat([one.expand(-1, 5, -1, -1), 1 / sharpness, SPREAD_SCALE * one], 1)
        fine = enlarge(torch.cat([chroma, rest, highest, spread], 1) * scale, TOKEN // 2)
        if sums.ndim > 3:
            fine = fine.unflatten(0, sums.shape[:-2])
        mean, luma, slope, sure = fine.split([2, 1, 2, 2], dim=-3)
        chroma = (mean + slope * (small - luma)).clamp(-0.5, 0.5)
        return cls(torch.cat([luma, chroma], -3), sure)
