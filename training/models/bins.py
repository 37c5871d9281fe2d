"""Colour as a choice among bins of the ab plane: in, out, and how much each bin counts.

Zhang, Isola and Efros 2016, "Colorful Image Colorization", https://arxiv.org/abs/1603.08511,
sections 2.1 to 2.3. Many colours are plausible for a gray thing, and the mean of them is gray; so
the network gives a distribution over bins, learns rare colours as much as common ones, and the
colour is taken from nearer the distribution's mode than its mean is.

ab is in CIE Lab's own units, about ±110; it is not scaled here.
"""

from __future__ import annotations

from functools import cache

import torch
from kornia.color import rgb_to_lab
from torch import Tensor

GRID = 10.0
"""Distance of neighbouring bins in a and in b."""
NEIGHBOURS = 5
"""Bins among which a colour is shared out."""
SIGMA = 5.0
"""Deviation of the Gaussian that shares it out, and of the one that smooths the distribution."""
UNIFORM = 0.5
"""The paper's lambda: the uniform distribution's share in the one that colours are weighed by."""
TEMPERATURE = 0.38
"""The paper's T of the annealed mean."""

_LEVELS = 256
"""Steps of each of R, G and B in which the gamut is looked through."""


@cache
def gamut_bins() -> Tensor:
    """The ab of every bin that some sRGB colour falls into, rising in a, then in b: [Q, 2].

    Only the colour cube's faces are looked at: the ab of a colour inside is also that of one on
    the surface, where the line of equal ab leaves the cube.
    """
    level = torch.linspace(0, 1, _LEVELS)
    face = torch.cartesian_prod(level, level)
    end = [torch.full((len(face), 1), value) for value in (0.0, 1.0)]
    faces = [
        torch.cat([face[:, :axis], e, face[:, axis:]], dim=1) for axis in range(3) for e in end
    ]
    colors = torch.stack(faces).permute(0, 2, 1).unflatten(2, (_LEVELS, _LEVELS))
    ab = rgb_to_lab(colors)[:, 1:].movedim(1, -1).flatten(0, 2)
    bins: Tensor = torch.unique(torch.round(ab / GRID), dim=0)
    return bins * GRID


def soft_encode(ab: Tensor, bins: Tensor) -> tuple[Tensor, Tensor]:
    """Share colours [N, 2] out among the `NEIGHBOURS` bins nearest to each.

    Returns which bins [N, 5], the nearest first, and their shares [N, 5], whose sum is one.
    """
    # |ab - bin|^2 less |ab|^2, which ranks alike: one matrix product.
    ranks = torch.addmm(bins.square().sum(1), ab, bins.T, alpha=-2)
    nearest = ranks.topk(NEIGHBOURS, dim=1, largest=False).indices
    squares = (bins[nearest] - ab[:, None]).square().sum(2)
    return nearest, torch.softmax(-squares / (2 * SIGMA**2), dim=1)


def smooth(counts: Tensor, bins: Tensor) -> Tensor:
    """How often each bin occurs [Q] -> its probability [Q], smoothed over neighbouring bins."""
    kernel = torch.exp(-torch.cdist(bins, bins).square() / (2 * SIGMA**2))
    kernel = kernel / kernel.sum(dim=0)  # each bin hands on all that it has
    probability = kernel @ counts
    return probability / probability.sum()


def rebalance(probability: Tensor, *, uniform: float = UNIFORM) -> Tensor:
    """How much a pixel counts whose colour is nearest to each bin: [Q] -> [Q].

    The inverse of the probability mixed with a share `uniform` of the uniform one; the weight that
    is expected of a pixel is one.
    """
    mixed = (1 - uniform) * probability + uniform / len(probability)
    weights = 1 / mixed
    return weights / (probability * weights).sum()


def annealed_mean(logits: Tensor, bins: Tensor, *, temperature: float = TEMPERATURE) -> Tensor:
    """The colour of a distribution: logits [B, Q, h, w] -> ab [B, 2, h, w].

    Temperature 1 is the mean, 0 would be the mode; between them colours are both vivid and steady
    from place to place.
    """
    shares = torch.softmax(logits / temperature, dim=1)
    return torch.nn.functional.conv2d(shares, bins.T[:, :, None, None])
