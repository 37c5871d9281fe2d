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

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.models.base import Tensors
from training.models.encoder import TOKEN, place_colors
from training.models.layers import enlarge
from training.models.trunk import DEEP
from training.models.warp import shrink_flow

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
        self, small: Tensor, embedding: Tensor, penalty: Tensor, memory: Tensors, tracks: Tensor
    ) -> Tensor:
        """What is fetched, and how sure that is: [B, 5, h/2, w/2].

        Chroma, luma, the greatest similarity, at most 1, and the variance of the chroma of all that
        was attended to.

        Args:
            small: Luma [B, 1, h/2, w/2].
            embedding: What `embed` gave for the frame.
            penalty: What `distance_penalty` gave for it.
            memory: What `remember` gave, the frames along a second axis.
            tracks: The way to each of them, [B, k, 2, h, w].
        """
        sharpness, keys = self.temperature.exp(), tracks.shape[1]
        # In full precision: squares of distances are differences of much larger squares.
        with torch.autocast(embedding.device.type, enabled=False):
            penalty, embedding = penalty.float().unsqueeze(1), embedding.float().unsqueeze(1)
            target = shrink_flow(tracks.flatten(0, 1), TOKEN)
            target = (target + positions(target)).unflatten(0, (-1, keys))
            # |at - target|^2 = |target|^2 - 2 target.at + |at|^2: one product with the keys.
            parts = embedding * sharpness, -penalty, torch.ones_like(penalty)
            embedding, away, one = (part.expand(-1, keys, -1, -1, -1) for part in parts)
            offset = -penalty * target.square().sum(2, keepdim=True)
            query = torch.cat([embedding, 2 * penalty * target, away, one, offset], 2)
            logits = _rows(query) @ memory["attention_key"].float().flatten(3)
            best = logits.amax(-1, keepdim=True).amax(1, keepdim=True)
            weights = torch.exp((logits - best).clamp(min=-LOGIT_FLOOR))
            values = _rows(memory["attention_value"].float())
            total = weights @ torch.cat([values, torch.ones_like(values[..., :1])], -1)
            total = total.sum(1)
            best = (best / sharpness).squeeze(1).clamp(min=-1)
            mean = total[..., :-1] / total[..., -1:]
            variance = mean[..., -1:] - mean[..., :2].square().sum(-1, keepdim=True)
            fetched = torch.cat([mean[..., :-1], best, variance], -1)
        fetched = fetched.transpose(1, 2).unflatten(2, penalty.shape[-2:])
        mean, luma_mean, slope, sure = enlarge(fetched, TOKEN // 2).split([2, 1, 2, 2], dim=1)
        chroma = (mean + slope * (small - luma_mean)).clamp(-0.5, 0.5)
        return torch.cat([chroma, luma_mean, sure], 1)

    def distance_penalty(self, eighth: Tensor, evidence: Tensor) -> Tensor:
        """[B, 1, h/8, w/8] from 0 on: what logits lose by the square of a distance from the track.

        Args:
            eighth: Our own features.
            evidence: [B, n, h/8, w/8], what speaks for or against the track there, about ±1.
        """
        return F.softplus(self.penalty(torch.cat([eighth, evidence], 1)))


def positions(places: Tensor) -> Tensor:
    """[1, 2, h, w]: x and y of the places of planes [..., h, w], counted from their middle."""
    height, width = places.shape[-2:]
    x = torch.arange(width, device=places.device, dtype=torch.float32) - (width - 1) / 2
    y = torch.arange(height, device=places.device, dtype=torch.float32) - (height - 1) / 2
    return torch.stack([x.expand(height, width), y.unsqueeze(1).expand(height, width)]).unsqueeze(0)


def _rows(planes: Tensor) -> Tensor:
    """[B, k, c, h, w] as [B, k, h w, c]."""
    return planes.flatten(3).transpose(2, 3)
