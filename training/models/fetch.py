"""What lies in the keys where flow leads to, and how far that flow may be trusted."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from training.models.base import Tensors
from training.models.encoder import TOKEN
from training.models.layers import softmax
from training.models.warp import shrink_flow, warp

RESIDUAL_SCALE = 16.0
"""Luma's differences are mostly below 1/16; the network sees about ±1."""
KEY_SHARPNESS = 32.0
"""Of the choice among keys: a difference in luma of 1/32 makes a share e times smaller."""


class Fetched(NamedTuple):
    """Of the keys, those that agree with the frame in luma."""

    planes: Tensor
    """[B, 3, h/2, w/2]: chroma and luma."""
    similarity: Tensor
    """[B, 1, h/4, w/4]: of their descriptors to the frame's, in [-1, 1]."""
    flow: Tensor
    """[B, 2, h/2, w/2]: the flow there, in pixels of this size."""
    place_similarity: Tensor
    """[B, 1, h/8, w/8]: of their places to the frame's, by what attention compares, in [-1, 1]."""


def fetch_from_keys(
    small: Tensor, descriptor: Tensor, embedding: Tensor, memory: Tensors, flow: Tensor
) -> Fetched:
    """What is fetched from the keys along a flow.

    Args:
        small: The frame's luma [B, 1, h/2, w/2].
        descriptor: Its descriptors [B, c, h/4, w/4].
        embedding: What attention compares its places by, [B, c, h/8, w/8].
        memory: The keys', see `Flagship.remember`.
        flow: To each of them, [B, k, 2, h, w].
    """
    keys = flow.shape[1]
    flow = flow.flatten(0, 1)
    halved = shrink_flow(flow, 2)
    planes = torch.cat([memory["chroma"], memory["luma"]], 2)
    warped = _warp_keys(planes, halved)
    similarity = _warp_keys(memory["descriptor"], shrink_flow(halved, 2))
    similarity = (similarity * descriptor.unsqueeze(1)).sum(2)
    places = memory["attention_key"][:, :, : embedding.shape[1]]
    places = _warp_keys(places, shrink_flow(flow, TOKEN))
    place_similarity = (places * embedding.unsqueeze(1)).sum(2)
    residual = (warped[:, :, 2] - small).abs()
    residual = F.avg_pool2d(residual, 3, 1, 1, count_include_pad=False)
    weight = softmax(-residual * KEY_SHARPNESS)
    return Fetched(
        (warped * weight.unsqueeze(2)).sum(1),
        (similarity * F.avg_pool2d(weight, 2)).sum(1, keepdim=True),
        (halved.unflatten(0, (-1, keys)) * weight.unsqueeze(2)).sum(1),
        (place_similarity * F.avg_pool2d(weight, TOKEN // 2)).sum(1, keepdim=True),
    )


def flow_evidence(small: Tensor, there: Tensor, similarity: Tensor, *more: Tensor) -> Tensor:
    """What speaks for or against a flow: [B, 2 or more, h/8, w/8], each about ±1.

    Args:
        small: Luma [B, 1, h/2, w/2].
        there: Luma where the flow leads to, [B, 1, h/2, w/2].
        similarity: Of descriptors to those there, [B, 1, h/4, w/4].
        more: Further planes [B, 1, h/2, w/2].
    """
    residual = (there - small).abs() * RESIDUAL_SCALE
    planes = F.avg_pool2d(torch.cat([residual, *more], 1), TOKEN // 2)
    return torch.cat([planes, F.avg_pool2d(similarity, TOKEN // 4)], 1)


def _warp_keys(planes: Tensor, flow: Tensor) -> Tensor:
    """Planes of keys [B, k, c, h, w] along a flow to each, [B k, 2, h, w]."""
    warped: Tensor = warp(planes.flatten(0, 1), flow).unflatten(0, planes.shape[:2])
    return warped
