"""Colours fetched from other frames by attention over learned features of luma.

The similarity sub-net of He et al. 2018 ("Deep Exemplar-based Colorization") and the colour
pointers of Vondrick et al. 2018 compare all places of a frame with all of a key. Two things that
look the same cannot be told apart so. Here attention also prefers places near where flow or a track
leads, as far as that flow seems right. Where colours come from a painted frame, attention prefers
those with high confidence.

Places are compared by our own features, learned with the task, and by those of the trunk, which
know from ImageNet what things are.

There are two attentions, one over the keys and one over the frame before. Each has weights of its
own; what they compute is computed for both at once, and lies one behind the other: [2, c, h, w] of
one clip, [2, B, c, h, w] of several.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.models.encoder import place_colors
from training.models.fetch import EVIDENCE, RESIDUAL_SCALE, for_each
from training.models.layers import enlarge, length_of
from training.models.trunk import DEEP
from training.models.warp import edges, positions

LOGIT_FLOOR = 70.0
"""Attention's logits end so far below the greatest. Further down, shares would be denormal numbers,
with which CPUs compute many times as long; e^-70 of a place's colours is none."""
PENALTY_START = -3.5
"""Where the distance penalty begins: softplus(-3.5) = 0.03 of a logit for a place beside the track,
and 3 for one ten places off. That is little against what features say, but enough to learn from."""
VALUES = 7
"""Numbers that a place gives: means of chroma and luma, how chroma changes with luma, the square of
the mean chroma, and 1, or 0 where there is no past."""
NEAR = 5
"""Numbers that tell how far places are from where a way leads to."""


class Matcher(nn.Module):
    """The weights of attention between the places of two frames, `TOKEN` pixels to a side.

    A place gives its mean chroma and how chroma changes with luma within it, so that the frame's
    own luma draws the edges that places are too coarse for.

    Args:
        features: Channels of our own features at 1/8.
        width: Numbers that are made of them, by which places are compared.
        evidence: Which planes of `flow_evidence` the distance penalty is given.
        trunk_width: Numbers that are made of the trunk's features, by which places are compared.
    """

    parts = 1
    """In how many parts attention is computed: a divisor of the number of places, which is a
    multiple of four. CPUs take two thirds of the time where a part fits into a cache."""

    def __init__(
        self, features: int, width: int, *, evidence: tuple[int, ...], trunk_width: int
    ) -> None:
        super().__init__()
        self.match = nn.Conv2d(features, width, 1)
        self.match_trunk = nn.Conv2d(DEEP, trunk_width, 1)
        nn.init.orthogonal_(self.match_trunk.weight)
        nn.init.zeros_(self.match_trunk.get_parameter("bias"))
        self.trunk_share = nn.Parameter(torch.tensor(0.0))
        self.temperature = nn.Parameter(torch.tensor(2.5))
        self.register_buffer("laid", _laid(features, evidence), persistent=False)
        self.penalty = nn.Conv2d(features + len(evidence), 1, 1)
        nn.init.zeros_(self.penalty.weight)
        nn.init.constant_(self.penalty.get_parameter("bias"), PENALTY_START)

    def penalty_weight(self) -> Tensor:
        """`penalty`'s weight, with zeros for those planes of evidence that it is not given.

        Luma's differences, the first of what it is given, come in 1/`RESIDUAL_SCALE`.
        """
        weight = self.penalty.weight.flatten(1) @ self.get_buffer("laid")
        return weight[:, :, None, None]


def _laid(features: int, evidence: tuple[int, ...]) -> Tensor:
    """Where the penalty finds what it is given, [features + its evidence, features + all]."""
    laid = torch.zeros(features + len(evidence), features + EVIDENCE)
    laid[:features, :features] = torch.eye(features)
    laid[torch.arange(len(evidence)) + features, torch.tensor(evidence) + features] = 1
    laid[features] *= RESIDUAL_SCALE
    return laid


Matchers = tuple[Matcher, Matcher]
"""Of the keys, and of the frame before."""


def embed(matchers: Matchers, eighth: Tensor, deep: Tensor) -> Tensor:
    """What places are compared by: [2, 1, ..., width + trunk_width, h/8, w/8], of length one.

    Args:
        matchers: Whose numbers.
        eighth: Our own features [B, features, h/8, w/8].
        deep: The trunk's [B, 112, h/16, w/16].
    """
    own = _one_behind_the_other(_both([m.match for m in matchers], eighth))
    known = _both([m.match_trunk for m in matchers], deep)
    known = _one_behind_the_other(enlarge(known, 2))
    share = torch.sigmoid(of_each(matchers, "trunk_share", own.ndim))
    lengths = [
        length.expand(*length.shape[:-3], part.shape[-3], 1, 1)
        for length, part in (((1 - share).sqrt(), own), (share.sqrt(), known))
    ]
    parts = [part / length_of(part) for part in (own, known)]
    return torch.cat(parts, -3) * torch.cat(lengths, -3)


def remember(embedding: Tensor, luma: Tensor, chroma: Tensor, bias: Tensor) -> Tensor:
    """Attention's keys and values of a frame's places, [B, c + `NEAR` + `VALUES`, h/8, w/8].

    Args:
        embedding: What one attention compares the frame's places by, [B, c, h/8, w/8].
        luma: [B, 1, h, w].
        chroma: [B, 2, h, w].
        bias: What each place adds to its logits, by a gate, [B, 1, h/8, w/8]: 0, or less where its
            chroma is doubtful.
    """
    at = positions(embedding)
    squared = at.square().sum(1, keepdim=True)
    near = torch.cat([2 * at, -squared, -torch.ones_like(squared)], 1)
    color, light, slope = place_colors(luma, chroma)
    squares = color.square().sum(1, keepdim=True)
    near = near.expand(bias.shape[0], -1, -1, -1)
    one = torch.ones_like(bias)
    return torch.cat([embedding, near, bias, color, light, slope, squares, one], 1)


def of_one(embedding: Tensor, which: int) -> Tensor:
    """What `embed` gave for one attention: [B, c, h/8, w/8]."""
    own = embedding[which]
    return own if own.ndim == 4 else own.squeeze(0)


def distance_penalties(matchers: Matchers, eighth: Tensor, evidence: list[Tensor]) -> Tensor:
    """[2, 1, ..., 1, h/8, w/8] from 0 on: what logits lose by the square of a distance.

    Args:
        matchers: Whose penalties.
        eighth: Our own features.
        evidence: See `flow_evidence`.
    """
    planes = torch.cat([eighth, *evidence], 1)
    weight = torch.cat([m.penalty_weight() for m in matchers])
    bias = torch.cat([m.penalty.get_parameter("bias") for m in matchers])
    return _one_behind_the_other(F.softplus(F.conv2d(planes, weight, bias)))


def attend(
    matchers: Matchers,
    embedding: Tensor,
    penalty: Tensor,
    frames: tuple[Tensor, Tensor],
    ends: Tensor,
    gate: Tensor,
) -> tuple[Tensor, Tensor]:
    """Sums of values [2, ..., 7, n] of a frame's n places, weighted by attention, and best logits.

    Args:
        matchers: Which attend.
        embedding: What `embed` gave for the frame.
        penalty: What `distance_penalties` gave for it.
        frames: What `remember` gave for the keys, [k B, ...], and for the frame before, [B, ...].
        ends: Where the tracks and the flow lead to, [2, k, ..., 2, h/8, w/8], see `toward`.
        gate: By how much doubt about a place's chroma counts, one number.

    Returns:
        The sums, that of the weights last; and the greatest logits, [2, ..., n] in some shape.
    """
    # In full precision: squares of distances are differences of much larger squares.
    with torch.autocast(embedding.device.type, enabled=False):
        sharpness = torch.exp(of_each(matchers, "temperature", embedding.ndim))
        alike = embedding.float() * sharpness
        target = ends.float() * (edges(ends) + 0.5)
        far = target.square().sum(-3, keepdim=True)
        one = torch.ones_like(far)
        # |at - target|^2 = |target|^2 - 2 target.at + |at|^2: a product with the keys' rest.
        near = penalty.float() * torch.cat([target, one, far], -3)
        gate = gate * one
        if matchers[0].parts == 1:
            sums, best = _at_once(torch.cat([_wide(alike, near), near, gate], -3), frames)
        else:
            near = torch.cat([near, gate], -3)
            both = (
                _in_parts(
                    alike[which], near[which, : 1 if which else None], frame, matchers[0].parts
                )
                for which, frame in enumerate(frames)
            )
            sums, best = (torch.stack(results) for results in zip(*both, strict=True))
        return sums, best


def _wide(alike: Tensor, near: Tensor) -> Tensor:
    """What is [2, 1, ..., c, h, w] as [2, k, ..., c, h, w], as `near` is."""
    return alike.expand(*near.shape[:-3], *alike.shape[-3:])


def _at_once(asked: Tensor, frames: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Both attentions in the fewest operators: asked [2, k, ..., c, h, w].

    A column for each place that asks, a row for each that is asked: so planes need not be turned.
    """
    keys, before = frames
    there = torch.cat([keys, for_each(before, keys)]).float()
    there = there.reshape(2, -1, *asked.shape[2:-3], there.shape[1], *there.shape[2:]).flatten(-2)
    there, values = there.split([asked.shape[-3], VALUES], -2)
    logits = there.transpose(-1, -2) @ asked.flatten(-2)
    best = logits.amax((1, -2), keepdim=True)
    return (values @ _grown(logits, best)).sum(1), best


def _in_parts(alike: Tensor, near: Tensor, frame: Tensor, parts: int) -> tuple[Tensor, Tensor]:
    """One attention, for CPUs: alike [1, ..., c, h, w], near [k, ..., 5, h, w]."""
    there = frame.float().flatten(-2)
    if alike.ndim > 4:
        there = there.unflatten(0, (-1, alike.shape[1]))
    # Two products, since the first may be one of 8-bit numbers, and the second may not.
    compared, placed, values = there.split([alike.shape[-3], NEAR, VALUES], -2)
    values = values.transpose(-1, -2)
    size = alike.shape[-2] * alike.shape[-1] // parts
    queries = (_rows(planes).unflatten(-2, (parts, size)).unbind(-3) for planes in (alike, near))
    sums, bests = [], []
    for asked, asked_near in zip(*queries, strict=True):
        logits = asked @ compared + asked_near @ placed
        best = logits.amax(-1, keepdim=True).amax(0, keepdim=True)
        sums.append((_grown(logits, best) @ values).sum(0))
        bests.append(best.squeeze(0))
    return torch.cat(sums, -2).transpose(-1, -2), torch.cat(bests, -2)


def _grown(logits: Tensor, best: Tensor) -> Tensor:
    """What each place counts: 1 that with the best logit, none less than e^-`LOGIT_FLOOR`."""
    return torch.exp((logits - best).clamp(min=-LOGIT_FLOOR))


def _both(layers: list[nn.Conv2d], planes: Tensor) -> Tensor:
    """Two convolutions of one pixel, of the same planes: [B, 2 c, h, w]."""
    weight, bias = (
        torch.cat([layer.get_parameter(name) for layer in layers]) for name in ("weight", "bias")
    )
    return F.conv2d(planes, weight, bias)


def _one_behind_the_other(planes: Tensor) -> Tensor:
    """[B, 2 c, h, w] as [2, 1, c, h, w] of one clip, [2, 1, B, c, h, w] of several."""
    batch, channels, *sides = planes.shape
    if batch == 1:
        return planes.reshape(2, 1, channels // 2, *sides)
    both: Tensor = planes.unflatten(1, (2, 1, -1))
    return both.movedim(0, 2)


def of_each(matchers: Matchers, name: str, axes: int) -> Tensor:
    """A parameter that is one number, of each: [2, 1, ...], with so many axes."""
    both = torch.stack([matcher.get_parameter(name) for matcher in matchers])
    return both.view(2, *[1] * (axes - 1))


def _rows(planes: Tensor) -> Tensor:
    """[..., c, h, w] as [..., h w, c]."""
    return planes.flatten(-2).transpose(-1, -2)
