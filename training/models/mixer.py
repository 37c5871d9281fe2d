"""The mixer: which candidates to trust where, in what light, how far, what to add and to keep."""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.models.encoder import Features
from training.models.layers import Residual, conv, double, softmax
from training.models.warp import ends

CHROMA_SCALE = 4.0
"""Chroma of natural footage stays within about ±0.25; the network sees about ±1."""
FLOW_SCALE = 1 / 16
"""Flow in pixels at working size is mostly below 16; the network sees about ±1."""
TRACK_SCALE = 1 / 32
"""The flow of many frames, at half size, is mostly below 32 pixels."""
DARK = 0.05
"""Added to luma before it is compared as a ratio: near black a ratio is noise."""
RELIGHT = 0.7
"""The log of the most that light may change by: a factor of two, either way."""
CANDIDATES = 6
"""Those of `training.models.flagship`."""
FIRST, SECOND = zip(*combinations(range(CANDIDATES), 2), strict=True)
"""Which candidates are compared with which others: all."""
SPREAD_SCALE = CHROMA_SCALE**2
"""Of variances of chroma."""
BEYOND = 8.0
"""Pixels at half size outside the frame from which on it does not matter how many."""


class Candidates(NamedTuple):
    """What the mixer chooses from, at half size."""

    previous: Tensor
    """[B, 4, h/2, w/2]: chroma, luma and confidence of the previous frame along its flow."""
    key: Tensor
    """[B, 3, h/2, w/2]: chroma and luma of the key along its flow."""
    matched: Tensor
    """[B, 5, h/2, w/2]: of the key by likeness, as `Matcher` has it: chroma, luma, that likeness
    in [-1, 1], the variance of chroma."""
    tracked: Tensor
    """[B, 3, h/2, w/2]: chroma and luma of the key along its track."""
    recalled: Tensor
    """[B, 5, h/2, w/2]: as `matched`, of the previous frame."""
    chained: Tensor
    """[B, 3, h/2, w/2]: chroma and luma of the last key along the flows of all frames since."""
    kept: Tensor
    """[B, 1, h/2, w/2]: 1 where that has been within the picture all the time, down to 0."""
    fine: Tensor
    """[B, 2, h/2, w/2]: mean size of what `previous` has of finer detail."""
    track: Tensor
    """[B, 2, h/2, w/2]: that track, in pixels of this size."""
    beyond: Tensor
    """[B, 3, h/2, w/2]: how far outside the frame the flow to the previous frame, to the key and
    the track lead, see `beyond`."""
    meeting: Tensor
    """[B, 1, h/2, w/2]: 1 where track and flow to the key lead to one place, 0 where not."""
    agreement: Tensor
    """[B, 3, h/4, w/4]: how like the frame's features those of `previous`, `key` and `tracked`
    are, ±1."""

    @property
    def chroma(self) -> Tensor:
        """[B, 6, 2, h/2, w/2]: what there is to mix."""
        return torch.stack([planes[:, :2] for planes in self._all], dim=1)

    @property
    def luma(self) -> Tensor:
        """[B, 6, h/2, w/2]: of the places it comes from."""
        return torch.cat([planes[:, 2:3] for planes in self._all], dim=1)

    @property
    def _all(self) -> tuple[Tensor, ...]:
        return self.previous, self.key, self.matched, self.tracked, self.recalled, self.chained


class Mixed(NamedTuple):
    """What the mixer makes of the candidates, at half size."""

    correction: Tensor
    """[B, 2, h/2, w/2]: what to add to the chroma of `previous`."""
    detail: Tensor
    """[B, 1, h/2, w/2] in [0, 1]: how much to keep of what `previous` has of finer detail."""
    confidence: Tensor
    """[B, 1, h/2, w/2] in [0, 1]."""
    doubts: Tensor
    """[B, 6, h/2, w/2]: the log of each candidate's expected error, against HALF_CONFIDENCE."""


class Mixer(nn.Module):
    """Weighs the candidates for every pixel, adds a retouch, and predicts its own error."""

    DETAIL = 2 * CANDIDATES + 3
    """Which of the planes that the network ends with `Mixed.detail` is."""
    EVIDENCE = 64
    """Channels beside luma's features: see `_evidence`."""

    def __init__(self, width: int) -> None:
        super().__init__()
        half, quarter, eighth, deep = width, 3 * width // 2, 2 * width, 3 * width
        self.at_half = conv(width // 2 + self.EVIDENCE, half)
        self.to_quarter = conv(half, quarter, stride=2)
        self.at_quarter = nn.Conv2d(quarter + width, quarter, 3, padding=1)
        # Apart: onnxruntime is fast on CPUs where input channels are a multiple of 16.
        self.agree = nn.Conv2d(3, quarter, 3, padding=1)
        self.to_eighth = conv(quarter, eighth, stride=2)
        self.at_eighth = nn.Sequential(conv(eighth + 5 * width // 2, eighth), Residual(eighth))
        self.deep = nn.Sequential(conv(eighth, deep, stride=2), Residual(deep), Residual(deep))
        self.deep_to_eighth = nn.Conv2d(deep, eighth, 1)
        self.eighth_to_quarter = nn.Conv2d(eighth, quarter, 1)
        self.quarter_to_half = nn.Conv2d(quarter, half, 1)
        self.rise_eighth = Residual(eighth)
        self.rise_quarter = Residual(quarter)
        self.rise_half = conv(half, half)
        self.leave = nn.Conv2d(half, 3 * CANDIDATES + 4, 3, padding=1)
        self.heed = nn.Parameter(torch.tensor(0.5))
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)
        with torch.no_grad():
            self.leave.bias[0] = 3.0
            self.leave.bias[self.DETAIL] = 3.0

    def forward(
        self, small: Tensor, features: Features, candidates: Candidates, flow: Tensor
    ) -> Mixed:
        """small: luma [B, 1, h/2, w/2]. flow: to the previous frame [B, 2, h, w]."""
        evidence = _evidence(small, candidates, flow)
        half = self.at_half(torch.cat([features.half, evidence], 1))
        quarter = self.at_quarter(torch.cat([self.to_quarter(half), features.quarter], 1))
        quarter = F.leaky_relu(quarter + self.agree(candidates.agreement), 0.1)
        eighth = self.at_eighth(torch.cat([self.to_eighth(quarter), features.eighth], 1))
        deep = self.deep(eighth)
        eighth = self.rise_eighth(eighth + double(self.deep_to_eighth(deep)))
        quarter = self.rise_quarter(quarter + double(self.eighth_to_quarter(eighth)))
        half = self.rise_half(half + double(self.quarter_to_half(quarter)))
        parts = [CANDIDATES, CANDIDATES, 2, 1, 1, CANDIDATES]
        weights, doubts, retouch, sure, detail, lit = self.leave(half).split(parts, dim=1)
        share = softmax(weights - self.heed * doubts)
        chroma = candidates.chroma * torch.exp(lit * _light(small, candidates)).unsqueeze(2)
        offers = (share.unsqueeze(2) * (chroma - candidates.chroma[:, :1])).sum(1)
        correction = offers + retouch / CHROMA_SCALE
        return Mixed(correction, torch.sigmoid(detail), torch.sigmoid(sure), doubts)


def beyond(flow: Tensor) -> Tensor:
    """[B, 1, h, w] in [0, 1]: how far outside the frame flow [B, 2, h, w] leads, against `BEYOND`.

    What comes into the picture has no colours there: what is fetched is the edge, repeated.
    """
    height, width = flow.shape[2:]
    x, y = ends(flow)
    outside = torch.maximum(_past(x, width), _past(y, height))
    return (outside / BEYOND).clamp(0, 1).unsqueeze(1)


def _past(at: Tensor, side: int) -> Tensor:
    """By how much positions are less than 0 or more than the last one."""
    return torch.maximum(-at, at - (side - 1))


def _light(small: Tensor, candidates: Candidates) -> Tensor:
    """[B, 6, h/2, w/2]: the log of how much brighter the frame is than the candidates' places.

    Light that changes by a factor, by exposure or a shadow, changes chroma and luma by one and the
    same, since it does so to R'G'B'.
    """
    luma = torch.cat([small, candidates.luma], 1)
    light = torch.log(_around(luma) + DARK)
    return (light[:, :1] - light[:, 1:]).clamp(-RELIGHT, RELIGHT)


def _around(planes: Tensor) -> Tensor:
    """Means of 5x5 pixels."""
    return F.avg_pool2d(planes, 5, 1, 2, count_include_pad=False)


def _evidence(small: Tensor, candidates: Candidates, flow: Tensor) -> Tensor:
    """[B, 64, h/2, w/2]: the candidates and what speaks for or against each."""
    chroma, apart = candidates.chroma, candidates.luma - small
    # Summed by hand below: PyTorch takes several times as long for a sum over two.
    different = (chroma[:, FIRST] - chroma[:, SECOND]).abs()
    own = torch.cat([candidates.previous[:, :2], small], 1)
    varied = _around(own.square()) - _around(own).square()
    likeness, spread = (
        torch.cat([candidates.matched[:, n], candidates.recalled[:, n]], 1)
        for n in (slice(3, 4), slice(4, 5))
    )
    return torch.cat(
        [
            chroma.flatten(1, 2) * CHROMA_SCALE,
            apart * CHROMA_SCALE,
            apart.abs() * CHROMA_SCALE,
            _around(apart.abs()) * CHROMA_SCALE,
            (different[:, :, 0] + different[:, :, 1]) * CHROMA_SCALE,
            likeness,
            spread * SPREAD_SCALE,
            varied * SPREAD_SCALE,
            candidates.fine * CHROMA_SCALE,
            candidates.beyond,
            candidates.previous[:, 3:4],
            candidates.kept,
            candidates.meeting,
            F.avg_pool2d(flow, 2) * FLOW_SCALE,
            candidates.track * TRACK_SCALE,
        ],
        1,
    )
