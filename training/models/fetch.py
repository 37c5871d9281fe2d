"""What lies in other frames where flow leads to, and how far that flow may be trusted.

A frame has 1 + 2 k ways: the flow to the frame before, the flow to each of k keys, and each key's
track. All are followed at once, in three sizes.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from training.models.base import Tensors
from training.models.encoder import TOKEN
from training.models.layers import softmax
from training.models.warp import ends, positions, shrink_flow, warp
from vidcolor.inference.contract import FLOW_KEY, FLOW_PREVIOUS, FLOW_TRACK

RESIDUAL_SCALE = 16.0
"""Luma's differences are mostly below 1/16; the network sees about ±1."""
KEY_SHARPNESS = 32.0
"""Of the choice among keys: a difference in luma of 1/32 makes a share e times smaller."""
OUTSIDE = 8.0
"""Pixels at half size outside the frame from which on it does not matter how many."""


class Fetched(NamedTuple):
    """What the ways lead to: the frame before, the keys along flow, the keys along tracks.

    Of the keys, those that agree with the frame in luma.
    """

    before: Tensor
    """[B, 3, h/2, w/2]: luma, confidence and visibility of the frame before."""
    keys: Tensor
    """[B, 2, 3, h/2, w/2]: chroma and luma of the keys along flow and along tracks."""
    flow: Tensor
    """[B, 3, 2, h/2, w/2]: the three ways, in pixels of this size."""
    similarity: Tensor
    """[B, 3, h/4, w/4]: of the descriptors there to the frame's, in [-1, 1]."""
    place_similarity: Tensor
    """[B, 3, h/8, w/8]: of the places there to the frame's, by what attention compares."""
    ways: Tensor
    """[B, 1 + 2 k, 2, h/8, w/8]: all ways, in places."""

    @property
    def to_previous(self) -> Tensor:
        """[B, 1, 2, h/8, w/8]: the flow to the frame before."""
        return self.ways[:, :1]

    @property
    def tracks(self) -> Tensor:
        """[B, k, 2, h/8, w/8]: the keys' tracks."""
        return self.ways[:, self.ways.shape[1] // 2 + 1 :]


def fetch(
    small: Tensor,
    descriptor: Tensor,
    embeddings: tuple[Tensor, Tensor],
    state: Tensors,
    memory: Tensors,
    flows: Tensors,
) -> Fetched:
    """Follow all ways.

    Args:
        small: The frame's luma [B, 1, h/2, w/2].
        descriptor: Its descriptors [B, c, h/4, w/4].
        embeddings: What attention compares its places by with the keys' and with those of the frame
            before, each [B, c, h/8, w/8].
        state: Of the frame before, see `Flagship`.
        memory: The keys', see `Flagship.remember`.
        flows: See `Generator.propagate`.
    """
    keys = torch.cat([memory["chroma"], memory["luma"]], 2)
    before = torch.cat([state["luma"], state["confidence"], state["visibility"]], 1)
    halved = torch.cat([shrink_flow(flow, 2) for flow in _ways(flows)], 1)
    quarter = shrink_flow(halved, 2)
    eighth = shrink_flow(quarter, 2)
    there = _follow(before, keys, halved)
    described = _follow(state["descriptor"], memory["descriptor"], quarter)
    similarity = (described * descriptor.unsqueeze(1)).sum(2, keepdim=True)
    to_keys, to_previous = (embedding.unsqueeze(1) for embedding in embeddings)
    width = to_keys.shape[2]
    places = _follow(
        state["attention_key"][:, :width],
        memory["attention_key"][:, :, :width],
        eighth,
    )
    here = torch.cat([to_previous, to_keys.expand(-1, places.shape[1] - 1, -1, -1, -1)], 1)
    place_similarity = (places * here).sum(2, keepdim=True)
    residual = (there[:, 1:, 2] - small).abs()
    residual = F.avg_pool2d(residual, 3, 1, 1, count_include_pad=False)
    share = _softmax_of_keys(-residual * KEY_SHARPNESS)
    return Fetched(
        there[:, 0],
        _choose(there[:, 1:], share),
        _chosen(halved.unflatten(1, (-1, 2)), share),
        _chosen(similarity, F.avg_pool2d(share, 2)).flatten(1, 2),
        _chosen(place_similarity, F.avg_pool2d(share, 4)).flatten(1, 2),
        eighth.unflatten(1, (-1, 2)),
    )


def _ways(flows: Tensors) -> list[Tensor]:
    """The ways, as planes [B, 2 or 2 k, h, w]."""
    to_keys = (flows[name].flatten(1, 2) for name in (FLOW_KEY, FLOW_TRACK))
    return [flows[FLOW_PREVIOUS], *to_keys]


def _follow(before: Tensor, keys: Tensor, ways: Tensor) -> Tensor:
    """Planes [B, 1 + 2 k, c, h, w], there.

    Args:
        before: Planes of the frame before, [B, c, h, w].
        keys: Those of the keys, [B, k, c, h, w].
        ways: [B, 2 + 4 k, h, w].
    """
    planes = torch.cat([before.unsqueeze(1), keys, keys], 1)
    flow = ways.unflatten(1, (-1, 2))
    there = warp(planes.flatten(0, 1), flow.flatten(0, 1))
    followed: Tensor = there.unflatten(0, planes.shape[:2])
    return followed


def _softmax_of_keys(logits: Tensor) -> Tensor:
    """Over the keys, along flow and along tracks: logits and shares [B, 2 k, h, w]."""
    shares = softmax(logits.unflatten(1, (2, -1)).flatten(0, 1))
    return shares.reshape(logits.shape)


def _choose(planes: Tensor, share: Tensor) -> Tensor:
    """Planes [B, 2 k, c, h, w] of the keys by their shares [B, 2 k, h, w]: [B, 2, c, h, w]."""
    chosen: Tensor = (planes * share.unsqueeze(2)).unflatten(1, (2, -1)).sum(2)
    return chosen


def _chosen(planes: Tensor, share: Tensor) -> Tensor:
    """The same of all ways, [B, 1 + 2 k, c, h, w]: the frame before, and the keys' by shares."""
    return torch.cat([planes[:, :1], _choose(planes[:, 1:], share)], 1)


def out_of_frame(flow: Tensor) -> Tensor:
    """[B, h, w] in [0, 1]: how far outside the frame flow [B, 2, h, w] leads, against `OUTSIDE`.

    What comes into the picture has no colours there: what is fetched is the edge, repeated.
    """
    outside = (ends(flow).abs() - positions(flow)[..., -1:, -1:]).amax(1)
    return (outside / OUTSIDE).clamp(0, 1)


class Evidence(NamedTuple):
    """What speaks for or against a flow, [B, n, h/8, w/8], each about ±1."""

    to_previous: Tensor
    """[B, 3, ...]: how luma differs there, the similarity of descriptors and of places."""
    to_tracked: Tensor
    """[B, 4, ...]: how luma differs, whether flow and track agree, and these similarities."""


def flow_evidence(
    residual: Tensor, agreement: Tensor, similarity: Tensor, place_similarity: Tensor
) -> Evidence:
    """At the size of places.

    Args:
        residual: How luma differs in the frame before and along the track, [B, 2, h/2, w/2].
        agreement: Whether flow to the key and track lead to one place, [B, 1, h/2, w/2].
        similarity: See `Fetched`.
        place_similarity: See `Fetched`.
    """
    planes = F.avg_pool2d(torch.cat([residual * RESIDUAL_SCALE, agreement], 1), TOKEN // 2)
    similar = F.avg_pool2d(similarity, TOKEN // 4)
    before, tracked, agree = planes.split(1, dim=1)
    return Evidence(
        torch.cat([before, similar[:, :1], place_similarity[:, :1]], 1),
        torch.cat([tracked, agree, similar[:, 2:], place_similarity[:, 2:]], 1),
    )
