"""The mixer's evidence: what speaks for or against each candidate."""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

CHROMA_SCALE = 4.0
"""Chroma of natural footage stays within about ±0.25; the network sees about ±1."""
DARK = 0.05
"""Added to luma before it is compared as a ratio: near black a ratio is noise."""
RELIGHT = 0.7
"""The log of the most that light may change by: a factor of two, either way."""
CANDIDATES = 6
"""Those of `training.models.flagship`."""
FIRST, SECOND = zip(*combinations(range(CANDIDATES), 2), strict=True)
"""Which candidates are compared with which others: all."""


class Candidates(NamedTuple):
    """What the mixer chooses from, at half size, and what speaks for or against each."""

    colors: Tensor
    """[B, 19, h/2, w/2]: luma and chroma of `previous`, `key`, `matched`, `tracked`, `recalled` and
    `chained`, the luma being that of the places where they come from; and the frame's own luma."""
    confidence: Tensor
    """[B, 1, h/2, w/2]: of the previous frame, along its flow."""
    visibility: Tensor
    """[B, 1, h/2, w/2]: 1 where `chained` has been within the picture all the time, down to 0."""
    sure: Tensor
    """[B, 4, h/2, w/2]: the greatest similarity that `matched` found, `SPREAD_SCALE` times the
    variance of chroma that it found, and those of `recalled`."""
    fine: Tensor
    """[B, 2, h/2, w/2]: size of what `previous` has of finer detail, the sum of four pixels."""
    to_previous: Tensor
    """[B, 2, h/2, w/2]: flow to the previous frame, see `scaled_flow`."""
    track: Tensor
    """[B, 2, h/2, w/2]: the key's track, see `scaled_flow`."""
    outside: Tensor
    """[B, 3, h/2, w/2]: how far flow to the previous frame and to the key and its track lead out of
    the frame, see `out_of_frame`."""
    flow_agreement: Tensor
    """[B, 1, h/2, w/2]: 1 where track and flow to the key lead to one place, 0 where not."""
    similarity: Tensor
    """[B, 3, h/4, w/4]: of the frame's descriptors to those of `previous`, `key` and `tracked`,
    in [-1, 1]."""
    place_similarity: Tensor
    """[B, 3, h/8, w/8]: of the frame's places to those of `previous`, `key` and `tracked`, by what
    attention compares, in [-1, 1]."""

    @property
    def chroma(self) -> Tensor:
        """[B, 6, 2, h/2, w/2]."""
        chroma: Tensor = self.colors[:, :-1].unflatten(1, (CANDIDATES, 3))[:, :, 1:]
        return chroma


def _around(planes: Tensor) -> Tensor:
    """Means of 5x5 pixels."""
    return F.avg_pool2d(planes, 5, 1, 2, count_include_pad=False)


def evidence_of(candidates: Candidates) -> tuple[Tensor, list[Tensor], Tensor]:
    """The candidates' chroma, 64 planes of what speaks for or against each, and light.

    Light, [B, 7, h/2, w/2], is the log of how much brighter the frame is than the candidates'
    places, and zero for the guess. Light that changes by a factor, by exposure or a shadow, changes
    chroma and luma by one and the same, since it does so to R'G'B'.
    """
    with torch.autocast(candidates.colors.device.type, enabled=False):
        colors = candidates.colors.float()
        told, rest = (
            F.conv2d(colors, weight.to(colors.device), bias.to(colors.device))
            for weight, bias in _TAKEN
        )
        parts = [len(FIRST), len(FIRST), CANDIDATES, CANDIDATES + 1, 3]
        apart, also, differs, luma, own = rest.abs().split(parts, 1)
        means = _around(torch.cat([differs, luma, own, own.square()], 1))
        around, luma, own, squared = means.split([CANDIDATES, CANDIDATES + 1, 3, 3], 1)
        light = F.conv2d(torch.log(luma), _LIGHT.to(luma)).clamp(-RELIGHT, RELIGHT)
    evidence = [
        told,
        differs,
        around,
        apart + also,
        candidates.sure,
        squared - own.square(),
        candidates.fine,
        candidates.outside,
        candidates.confidence,
        candidates.visibility,
        candidates.flow_agreement,
        candidates.to_previous,
        candidates.track,
    ]
    return colors.index_select(1, torch.tensor(_CHROMA, device=colors.device)), evidence, light


def _convolution(rows: list[dict[int, float]], biases: list[float]) -> tuple[Tensor, Tensor]:
    """Weight [n, 19, 1, 1] and bias of a convolution of `Candidates.colors`.

    rows: Which planes each of its own takes, by which factors.
    """
    weight = torch.zeros(len(rows), 3 * CANDIDATES + 1)
    for row, takes in zip(weight, rows, strict=True):
        for plane, factor in takes.items():
            row[plane] = factor
    return weight[:, :, None, None], torch.tensor(biases)


def _told() -> tuple[Tensor, Tensor]:
    """The candidates' chroma, and how their luma differs from the frame's."""
    scale, here = CHROMA_SCALE, 3 * CANDIDATES
    rows: list[dict[int, float]] = [{plane: scale} for plane in _CHROMA]
    rows += [{3 * n: scale, here: -scale} for n in range(CANDIDATES)]
    return _convolution(rows, [0.0] * len(rows))


def _positive() -> tuple[Tensor, Tensor]:
    """What is never below zero, or whose absolute value is wanted.

    How chroma of all pairs of candidates differs, Cb, then Cr; how their luma differs from the
    frame's; luma of the frame and of the candidates, plus `DARK`; and chroma of `previous`, plus a
    half, and luma of the frame, whose variances are wanted.
    """
    scale, here = CHROMA_SCALE, 3 * CANDIDATES
    rows: list[dict[int, float]] = [
        {3 * a + c: scale, 3 * b + c: -scale}
        for c in (1, 2)
        for a, b in zip(FIRST, SECOND, strict=True)
    ]
    rows += [{3 * n: scale, here: -scale} for n in range(CANDIDATES)]
    lumas: list[dict[int, float]] = [{here: 1.0}, *({3 * n: 1.0} for n in range(CANDIDATES))]
    own: list[dict[int, float]] = [{1: scale}, {2: scale}, {here: scale}]
    biases = [0.0] * len(rows) + [DARK] * len(lumas) + [scale / 2, scale / 2, 0.0]
    return _convolution([*rows, *lumas, *own], biases)


_CHROMA = [3 * n + c for n in range(CANDIDATES) for c in (1, 2)]
"""Where chroma is in `Candidates.colors`."""
_TAKEN = _told(), _positive()
"""What evidence takes from the candidates linearly."""
_LIGHT = torch.cat(
    [
        torch.cat([torch.ones(CANDIDATES, 1), -torch.eye(CANDIDATES)], 1),
        torch.zeros(1, CANDIDATES + 1),
    ]
)[:, :, None, None]
"""Of the logs of luma of the frame and of the candidates: how the first differs from the others."""
KNOWN = [*range(45), 45, 47, 46, 48, *range(49, 64)]
"""Which plane of evidence, as `at_half` knows them, is in which place."""
