"""Colours fetched from other frames by attention over learned features of luma.

The similarity sub-net of He et al. 2018 ("Deep Exemplar-based Colorization") and the colour
pointers of Vondrick et al. 2018 compare all places of a frame with all of a key. Two things that
look the same cannot be told apart so. Here attention also prefers places near where flow or a track
leads, as far as that flow seems right. Where colours come from a painted frame, attention prefers
those with high confidence.

Places are compared by our own features, learned with the task, and by those of the trunk, which
know from ImageNet what things are.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.models.base import Tensors
from training.models.encoder import TOKEN, place_colors
from training.models.layers import enlarge
from training.models.trunk import DEEP
from training.models.warp import positions

LOGIT_FLOOR = 70.0
"""Attention's logits end so far below the greatest. Further down, shares would be denormal numbers,
with which CPUs compute many times as long; e^-70 of a place's colours is none."""
PENALTY_START = -3.5
"""Where the distance penalty begins: softplus(-3.5) = 0.03 of a logit for a place beside the track,
and 3 for one ten places off. That is little against what features say, but enough to learn from."""


class Matcher(nn.Module):
    """Attention between the places of two frames, which are `TOKEN` pixels to a side.

    A place gives its mean chroma and how chroma changes with luma within it, so that the frame's
    own luma draws the edges that places are too coarse for.

    Args:
        features: Channels of our own features at 1/8.
        width: Numbers that are made of them, by which places are compared.
        evidence: Planes of `flow_evidence` that the distance penalty is given.
        trunk_width: Numbers that are made of the trunk's features, by which places are compared.
    """

    parts = 1
    """In how many parts attention is computed: a divisor of the number of places, which is a
    multiple of four. CPUs take two thirds of the time where a part fits into a cache."""

    def __init__(self, features: int, width: int, *, evidence: int, trunk_width: int) -> None:
        super().__init__()
        self.match = nn.Conv2d(features, width, 1)
        self.match_trunk = nn.Conv2d(DEEP, trunk_width, 1)
        nn.init.orthogonal_(self.match_trunk.weight)
        nn.init.zeros_(self.match_trunk.get_parameter("bias"))
        self.trunk_share = nn.Parameter(torch.tensor(0.0))
        self.temperature = nn.Parameter(torch.tensor(2.5))
        self.penalty = nn.Conv2d(features + evidence, 1, 1)
        nn.init.zeros_(self.penalty.weight)
        nn.init.constant_(self.penalty.get_parameter("bias"), PENALTY_START)

    def embed(self, eighth: Tensor, deep: Tensor) -> Tensor:
        """What places are compared by: [B, width + trunk_width, h/8, w/8], of length one.

        Args:
            eighth: Our own features [B, features, h/8, w/8].
            deep: The trunk's [B, 112, h/16, w/16].
        """
        own = F.normalize(self.match(eighth), dim=1)
        known = F.normalize(enlarge(self.match_trunk(deep), 2), dim=1)
        share = torch.sigmoid(self.trunk_share)
        return torch.cat([own * (1 - share).sqrt(), known * share.sqrt()], 1)

    def remember(self, embedding: Tensor, luma: Tensor, chroma: Tensor, bias: Tensor) -> Tensors:
        """Attention's keys and values of a frame's places, each [B, ..., h/8, w/8].

        Args:
            embedding: What `embed` gave for it.
            luma: [B, 1, h, w].
            chroma: [B, 2, h, w].
            bias: What each place adds to its logits, [B, 1, h/8, w/8]: 0, or less where its chroma
                is doubtful.
        """
        at = positions(embedding).expand(len(embedding), -1, -1, -1)
        squared = at.square().sum(1, keepdim=True)
        colors = place_colors(torch.cat([chroma, luma], 1))
        return {
            "attention_key": torch.cat([embedding, at, squared, bias, torch.ones_like(bias)], 1),
            "attention_value": torch.cat([colors, colors[:, :2].square().sum(1, keepdim=True)], 1),
        }

    def forward(
        self, embedding: Tensor, penalty: Tensor, memory: Tensors, tracks: Tensor
    ) -> Tensor:
        """What places find, and how sure that is: [B, 7, h/8, w/8], see `Attended.of`.

        Args:
            embedding: What `embed` gave for the frame.
            penalty: What `distance_penalty` gave for it.
            memory: What `remember` gave, the frames along a second axis.
            tracks: The way to each of them, [B, k, 2, h/8, w/8], in places.
        """
        sharpness, width = self.temperature.exp(), embedding.shape[1]
        # In full precision: squares of distances are differences of much larger squares.
        with torch.autocast(embedding.device.type, enabled=False):
            penalty, embedding = penalty.float().unsqueeze(1), embedding.float().unsqueeze(1)
            keys = memory["attention_key"].float().flatten(3)
            values = _rows(memory["attention_value"].float())
            values = torch.cat([values, torch.ones_like(values[..., :1])], -1)
            target = tracks.float() + positions(tracks)
            # |at - target|^2 = |target|^2 - 2 target.at + |at|^2: a product with the keys' rest.
            away = penalty.expand(-1, tracks.shape[1], -1, -1, -1)
            offset = away * target.square().sum(2, keepdim=True)
            near = torch.cat([2 * away * target, -away, torch.ones_like(away), -offset], 2)
            queries = (self._split(_rows(planes)) for planes in (embedding * sharpness, near))
            totals, best = zip(
                *(
                    _attend(alike, near, keys.split([width, keys.shape[2] - width], 2), values)
                    for alike, near in zip(*queries, strict=True)
                ),
                strict=True,
            )
            total, highest = torch.cat(totals, 1), torch.cat(best, 1)
            highest = (highest / sharpness).clamp(min=-1)
            mean = total[..., :-1] / total[..., -1:]
            variance = mean[..., -1:] - mean[..., :2].square().sum(-1, keepdim=True)
            fetched = torch.cat([mean[..., :-1], highest, variance], -1)
        places: Tensor = fetched.transpose(1, 2).unflatten(2, penalty.shape[-2:])
        return places

    def _split(self, rows: Tensor) -> tuple[Tensor, ...]:
        """[B, k, n, c] as `parts` of its rows."""
        if self.parts == 1:
            return (rows,)
        size = rows.shape[2] // self.parts
        parts: tuple[Tensor, ...] = rows.unflatten(2, (self.parts, size)).unbind(2)
        return parts

    def distance_penalty(self, eighth: Tensor, evidence: Tensor) -> Tensor:
        """[B, 1, h/8, w/8] from 0 on: what logits lose by the square of a distance from the track.

        Args:
            eighth: Our own features.
            evidence: [B, n, h/8, w/8], what speaks for or against the track there, about ±1.
        """
        return F.softplus(self.penalty(torch.cat([eighth, evidence], 1)))


def _attend(
    alike: Tensor, near: Tensor, keys: tuple[Tensor, ...], values: Tensor
) -> tuple[Tensor, Tensor]:
    """Sums of values [B, n, c], weighted by attention, and its greatest logits [B, n, 1].

    Args:
        alike: What places are compared by, [B, 1, n, width].
        near: How far they may be from their targets, [B, k, n, 5].
        keys: What both are multiplied with, [B, k, width, m] and [B, k, 5, m].
        values: [B, k, m, c].
    """
    # Two products, since the first may be one of 8-bit numbers, and the second may not.
    logits = alike @ keys[0] + near @ keys[1]
    best = logits.amax(-1, keepdim=True).amax(1, keepdim=True)
    weights = torch.exp((logits - best).clamp(min=-LOGIT_FLOOR))
    return (weights @ values).sum(1), best.squeeze(1)


class Attended(NamedTuple):
    """What n attentions find, for pixels of half size."""

    chroma: Tensor
    """[B, n, 2, h/2, w/2]."""
    luma: Tensor
    """[B, n, 1, h/2, w/2]."""
    sure: Tensor
    """[B, n, 2, h/2, w/2]: the greatest similarity, at most 1, and the variance of the chroma of
    all that was attended to."""

    @classmethod
    def of(cls, small: Tensor, *places: Tensor) -> Attended:
        """Draw the edges that places are too coarse for.

        Args:
            small: The frame's luma [B, 1, h/2, w/2].
            places: What each `Matcher` gave, [B, 7, h/8, w/8]: a place's chroma, luma, how chroma
                changes with luma within it, and `sure`.
        """
        fine = enlarge(torch.cat(places, 1), TOKEN // 2).unflatten(1, (len(places), -1))
        mean, luma, slope, sure = fine.split([2, 1, 2, 2], dim=2)
        chroma = mean + slope * (small.unsqueeze(1) - luma)
        return cls(chroma.clamp(-0.5, 0.5), luma, sure)


def _rows(planes: Tensor) -> Tensor:
    """[B, k, c, h, w] as [B, k, h w, c]."""
    return planes.flatten(3).transpose(2, 3)
