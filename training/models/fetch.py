"""What lies in other frames where flow leads to, and how far that flow may be trusted.

There are three ways: the flow to the frame before, the flow to each of k keys, and each key's
track. All are followed at once, in three sizes: the ways, and for each the keys, lie along the
first axis, the clips within. The way to the frame before is followed for each key anew, which gives
the same. Of one clip alone there is no axis of clips: so its graph has fewer operators.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from training.models.base import Tensors
from training.models.encoder import TOKEN
from training.models.warp import edges, positions, sample, toward
from vidcolor.inference.contract import FLOW_KEY, FLOW_PREVIOUS, FLOW_TRACK

RESIDUAL_SCALE = 16.0
"""Luma's differences are mostly below 1/16; the network sees about ±1."""
KEY_SHARPNESS = 32.0
"""Of the choice among keys: a difference in luma of 1/32 makes a share e times smaller."""
OUTSIDE = 8.0
"""Pixels at half size outside the frame from which on it does not matter how many."""
FLOW_SCALE, TRACK_SCALE = 1 / 16, 1 / 64
"""The flow of one frame is mostly below 16 pixels, that of many below 64; the network sees about
±1."""
EVIDENCE = 10
"""Planes of `flow_evidence`."""
WAYS = 3
STEP = 2
"""Pixels of the frame to a pixel at half size."""


class Fetched(NamedTuple):
    """What the ways lead to: the frame before, and the keys by flow and by track.

    Of the keys, those that agree with the frame in luma. The three ways are one behind the other,
    [3, c, h, w] of one clip, [3, B, c, h, w] of several.
    """

    kept: Tensor
    """[3, ..., 3, h/2, w/2]: luma, confidence and visibility of the frame before; the keys' luma
    and chroma."""
    coordinates: Tensor
    """[3, ..., 2, h/2, w/2]: where the three lead to, see `toward`."""
    similarity: Tensor
    """[B, 3, h/4, w/4]: of the descriptors there to the frame's, in [-1, 1]."""
    place_similarity: Tensor
    """[B, 3, h/8, w/8]: of the places there to the frame's, by what attention compares."""
    ends: Tensor
    """[3, k, ..., 2, h/8, w/8]: where all ways lead to, see `toward`."""


def fetch(
    small: Tensor,
    descriptor: Tensor,
    embedding: Tensor,
    state: Tensors,
    memory: Tensors,
    ends: Tensor,
) -> Fetched:
    """Follow all ways.

    Args:
        small: The frame's luma [B, 1, h/2, w/2].
        descriptor: Its descriptors [B, c, h/4, w/4].
        embedding: What attention compares its places by, see `training.models.matcher.embed`.
        state: Of the frame before, see `Flagship`.
        memory: The keys', see `Flagship.remember`, each [k B, ...].
        ends: What `all_ends` gave.
    """
    batch = len(small)

    def followed(before: Tensor, keys: Tensor, ends: Tensor) -> Tensor:
        return sample(torch.cat([for_each(before, keys), keys, keys]), ends)

    halves = _three_ways(F.avg_pool2d(ends, 2), batch)
    quarters = F.avg_pool2d(halves, 2)
    eighths = F.avg_pool2d(quarters, 2)
    before = torch.cat([state["luma"], state["confidence"], state["visibility"]], 1)
    there = followed(before, memory["colors"], halves)
    there = _by_way(torch.cat([there, halves], 1), batch)
    share = _shares(there[..., 0, :, :], small if batch == 1 else small[:, 0])
    kept, coordinates = (there * share.unsqueeze(-3)).sum(1).split([3, 2], dim=-3)
    described = followed(state["descriptor"], memory["descriptor"], quarters)
    share = _pool(share, 2)
    similarity = (_by_way(described, batch) * descriptor).sum(-3)
    similarity = (similarity * share).sum(1)
    places = followed(state["attention"], memory["attention"], eighths)
    width = embedding.shape[-3]
    # The frame's places are compared with the keys' by other numbers than with the frame's before.
    here = embedding.index_select(0, torch.tensor([1, 0, 0], device=embedding.device))
    place_similarity = (_by_way(places[:, :width], batch) * here).sum(-3)
    place_similarity = (place_similarity * _pool(share, 2)).sum(1)
    return Fetched(
        kept,
        coordinates,
        as_planes(similarity),
        as_planes(place_similarity),
        _by_way(eighths, batch),
    )


def all_ends(flows: Tensors) -> Tensor:
    """Where flow leads to, of full size, see `toward`: [B + 2 k B, 2, h, w].

    The flow to the frame before, then those to the keys, then the tracks, as [k B, 2, h, w] each.
    """
    return toward(torch.cat([flows[name] for name in (FLOW_PREVIOUS, FLOW_KEY, FLOW_TRACK)]))


def _three_ways(ends: Tensor, batch: int) -> Tensor:
    """[B + 2 k B, ...] as [3 k B, ...]: the way to the frame before once for each key."""
    numbers = torch.arange(ends.shape[0], device=ends.device)
    before, keys = numbers[:batch], numbers[batch:]
    keys_of_one = (ends.shape[0] - batch) // (2 * batch)
    return ends.index_select(0, torch.cat([before.repeat(keys_of_one), keys]))


def for_each(planes: Tensor, keys: Tensor) -> Tensor:
    """Planes [B, ...] once for each key: [k B, ...]."""
    batch, stacked = planes.shape[0], keys.shape[0]
    if batch == 1:
        return planes.expand(stacked, *planes.shape[1:])
    return planes.repeat(stacked // batch, 1, 1, 1)


def each(planes: Tensor) -> tuple[Tensor, ...]:
    """[n, ..., c, h, w], of one clip or several, as n tensors [B, c, h, w]."""
    parts: tuple[Tensor, ...] = planes.split(1) if planes.ndim == 4 else planes.unbind()
    return parts


def beside(planes: Tensor) -> Tensor:
    """[n, ..., c, h, w], of one clip or several, as [B, n c, h, w]."""
    if planes.ndim == 4:
        return planes.reshape(1, -1, *planes.shape[2:])
    return planes.transpose(0, 1).flatten(1, 2)


def as_planes(planes: Tensor) -> Tensor:
    """[n, ..., h, w], of one clip or several, as [B, n, h, w]."""
    return planes.unsqueeze(0) if planes.ndim == 3 else planes.transpose(0, 1)


def _by_way(planes: Tensor, batch: int) -> Tensor:
    """[3 k B, c, h, w] as [3, k, ..., c, h, w]."""
    ways: Tensor = planes.unflatten(0, (WAYS, -1) if batch == 1 else (WAYS, -1, batch))
    return ways


def _pool(planes: Tensor, size: int, stride: int | None = None, padding: int = 0) -> Tensor:
    """Means within planes [..., h, w]; what lies beyond them does not count."""
    flat = planes if planes.ndim == 4 else planes.flatten(0, -4)
    means = F.avg_pool2d(flat, size, stride, padding, count_include_pad=False)
    return means if planes.ndim == 4 else means.unflatten(0, planes.shape[:-3])


def _shares(lumas: Tensor, here: Tensor) -> Tensor:
    """How much each key counts: lumas [3, k, ..., h, w] there -> shares; over k their sum is 1."""
    apart = _pool((lumas - here).abs(), 3, 1, 1)
    # A softmax of numbers that are never far from zero.
    grown = torch.exp(apart * -KEY_SHARPNESS)
    return grown / grown.sum(1, keepdim=True)


def out_of_frame(ends: Tensor) -> Tensor:
    """[..., h, w] in [0, 1]: how far outside the frame ends [..., 2, h, w] are, against `OUTSIDE`.

    What comes into the picture has no colours there: what is fetched is the edge, repeated.
    """
    edge = edges(ends)
    outside = (ends.abs() * ((edge + 0.5) / OUTSIDE) - edge / OUTSIDE).amax(-3)
    return outside.clamp(0, 1)


def scaled_flow(coordinates: Tensor) -> Tensor:
    """The flow along three ways, as the network sees it, about ±1: [3, ..., 2, h/2, w/2].

    coordinates: Where they lead to, see `toward`.
    """
    sides = edges(coordinates) + 0.5
    scale = torch.tensor([FLOW_SCALE, TRACK_SCALE, TRACK_SCALE], device=coordinates.device) * STEP
    return (coordinates - positions(coordinates) / sides) * (
        sides * scale.view(-1, *[1] * (coordinates.ndim - 1))
    )


def flow_agreement(to_key: Tensor, track: Tensor) -> Tensor:
    """[B, 1, h/2, w/2]: 1 where flows [B, 2, h/2, w/2], by `TRACK_SCALE`, lead to one place.

    A pixel of this size apart it is 1/e.
    """
    apart = torch.linalg.vector_norm(track - to_key, 1, dim=1, keepdim=True)
    return torch.exp(apart * (-1 / (STEP * TRACK_SCALE)))


def flow_evidence(ways: Fetched, small: Tensor, agreement: Tensor) -> list[Tensor]:
    """What speaks for or against the ways, at the size of places; each about ±1, or 1/16 of it.

    Returns:
        How luma differs there from `small`, [B, 1, h/2, w/2], in 1/`RESIDUAL_SCALE`, three planes;
        whether flow to the key and track agree, one; the similarity of descriptors, three, and of
        places, three.
    """
    differs = beside((ways.kept[..., :1, :, :] - small).abs())
    planes = F.avg_pool2d(torch.cat([differs, agreement], 1), TOKEN // 2)
    return [planes, F.avg_pool2d(ways.similarity, TOKEN // 4), ways.place_similarity]
