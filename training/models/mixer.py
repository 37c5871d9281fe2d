"""The mixer: which candidates to trust where, in what light, how far, what to add and to keep."""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.models.encoder import Features
from training.models.layers import Residual, conv, double, enlarge, zero_init

CHROMA_SCALE = 4.0
"""Chroma of natural footage stays within about ±0.25; the network sees about ±1."""
FLOW_SCALE = 1 / 8
"""Flow, at half size, is mostly below 8 pixels; the network sees about ±1."""
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
GUESS_START = -3.0
"""The logit that the guess begins with: 1/400 of the weight that `previous` has."""


class Candidates(NamedTuple):
    """What the mixer chooses from, at half size, and what speaks for or against each."""

    chroma: Tensor
    """[B, 6, 2, h/2, w/2]: `previous`, `key`, `matched`, `tracked`, `recalled` and `chained`."""
    luma: Tensor
    """[B, 6, h/2, w/2]: of the places it comes from."""
    confidence: Tensor
    """[B, 1, h/2, w/2]: of the previous frame, along its flow."""
    visibility: Tensor
    """[B, 1, h/2, w/2]: 1 where `chained` has been within the picture all the time, down to 0."""
    best: Tensor
    """[B, 2, h/2, w/2]: the greatest similarity that `matched` and `recalled` found."""
    spread: Tensor
    """[B, 2, h/2, w/2]: the variance of chroma that they found."""
    fine: Tensor
    """[B, 2, h/2, w/2]: mean size of what `previous` has of finer detail."""
    flow: Tensor
    """[B, 3, 2, h/2, w/2]: to the previous frame, to the key, and its track; in pixels of this
    size."""
    outside: Tensor
    """[B, 3, h/2, w/2]: how far these lead out of the frame, see `out_of_frame`."""
    flow_agreement: Tensor
    """[B, 1, h/2, w/2]: 1 where track and flow to the key lead to one place, 0 where not."""
    similarity: Tensor
    """[B, 3, h/4, w/4]: of the frame's descriptors to those of `previous`, `key` and `tracked`,
    in [-1, 1]."""
    place_similarity: Tensor
    """[B, 3, h/8, w/8]: of the frame's places to those of `previous`, `key` and `tracked`, by what
    attention compares, in [-1, 1]."""


class Mixed(NamedTuple):
    """What the mixer makes of the candidates, at half size."""

    correction: Tensor
    """[B, 2, h/2, w/2]: what to add to the chroma of `previous`."""
    detail: Tensor
    """[B, 1, h/2, w/2] in [0, 1]: how much to keep of what `previous` has of finer detail."""
    confidence: Tensor
    """[B, 1, h/2, w/2] in [0, 1]."""
    log_errors: Tensor
    """[B, 6, h/2, w/2]: the predicted log-error of each candidate, against HALF_CONFIDENCE."""
    guess: Tensor
    """[B, 2, h/2, w/2]: chroma that the mixer guesses from what it sees, the seventh candidate."""


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
        self.similar_at_quarter = nn.Conv2d(3, quarter, 3, padding=1)
        self.to_eighth = conv(quarter, eighth, stride=2)
        self.at_eighth = nn.Conv2d(eighth + 5 * width // 2, eighth, 3, padding=1)
        self.similar_at_eighth = zero_init(nn.Conv2d(3, eighth, 3, padding=1))
        self.refine_eighth = Residual(eighth)
        self.deep = nn.Sequential(conv(eighth, deep, stride=2), Residual(deep), Residual(deep))
        self.refine_deep = nn.Sequential(
            conv(deep, deep), zero_init(nn.Conv2d(deep, deep, 3, padding=1))
        )
        self.deep_to_eighth = nn.Conv2d(deep, eighth, 1)
        self.eighth_to_quarter = nn.Conv2d(eighth, quarter, 1)
        self.quarter_to_half = nn.Conv2d(quarter, half, 1)
        self.rise_eighth = Residual(eighth)
        self.rise_quarter = Residual(quarter)
        self.rise_half = conv(half, half)
        self.head = zero_init(nn.Conv2d(half, 3 * CANDIDATES + 5, 3, padding=1))
        self.guess = zero_init(nn.Conv2d(eighth, 4, 3, padding=1))
        self.gate = nn.Parameter(torch.tensor(0.5))
        with torch.no_grad():
            bias = self.head.get_parameter("bias")
            bias[0] = 3.0
            bias[self.DETAIL] = 3.0
            bias[-1] = GUESS_START

    def forward(self, small: Tensor, features: Features, candidates: Candidates) -> Mixed:
        """small: luma [B, 1, h/2, w/2]."""
        half, guess = self._read(small, features, candidates)
        parts = [CANDIDATES, CANDIDATES, 2, 1, 1, CANDIDATES, 1]
        weights, errors, retouch, sure, detail, lit, own = self.head(half).split(parts, dim=1)
        weights = torch.cat([weights - self.gate * errors, own], 1)
        # A softmax of the weights, divided by its sum at the end, where there are fewest planes.
        weights = torch.exp(weights - weights.amax(1, keepdim=True))
        shares = weights[:, :CANDIDATES] * torch.exp(lit * _light(small, candidates))
        mixed = (shares.unsqueeze(2) * candidates.chroma).sum(1) + weights[:, CANDIDATES:] * guess
        mixed = mixed / weights.sum(1, keepdim=True)
        correction = mixed - candidates.chroma[:, 0] + retouch / CHROMA_SCALE
        return Mixed(correction, torch.sigmoid(detail), torch.sigmoid(sure), errors, guess)

    def _read(
        self, small: Tensor, features: Features, candidates: Candidates
    ) -> tuple[Tensor, Tensor]:
        """The U-Net's features [B, c, h/2, w/2], and `Mixed.guess`."""
        # One concatenation of all: a second one would copy all these planes once more.
        half = self.at_half(torch.cat([features.half, *_evidence(small, candidates)], 1))
        quarter = self.at_quarter(torch.cat([self.to_quarter(half), features.quarter], 1))
        similar = self.similar_at_quarter(candidates.similarity)
        quarter = F.leaky_relu(quarter + similar, 0.1)
        eighth = self.at_eighth(torch.cat([self.to_eighth(quarter), features.eighth], 1))
        similar = self.similar_at_eighth(candidates.place_similarity)
        eighth = self.refine_eighth(F.leaky_relu(eighth + similar, 0.1))
        deep = self.deep(eighth)
        deep = deep + self.refine_deep(deep)
        eighth = self.rise_eighth(eighth + double(self.deep_to_eighth(deep)))
        quarter = self.rise_quarter(quarter + double(self.eighth_to_quarter(eighth)))
        half = self.rise_half(half + double(self.quarter_to_half(quarter)))
        return half, self._guess(small, eighth)

    def _guess(self, small: Tensor, eighth: Tensor) -> Tensor:
        """Chroma [B, 2, h/2, w/2]: a place's mean, and how it changes with luma within it."""
        mean, slope = (enlarge(part, 4) for part in self.guess(eighth).split([2, 2], dim=1))
        residual = small - enlarge(F.avg_pool2d(small, 4), 4)
        return (mean + slope * residual) / CHROMA_SCALE


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


def _evidence(small: Tensor, candidates: Candidates) -> list[Tensor]:
    """64 planes [B, n, h/2, w/2]: the candidates and what speaks for or against each."""
    chroma = candidates.chroma * CHROMA_SCALE
    residual = (candidates.luma - small) * CHROMA_SCALE
    differs = residual.abs()
    # Summed by hand below: PyTorch takes several times as long for a sum over two.
    first, second = (torch.tensor(which, device=small.device) for which in (FIRST, SECOND))
    apart = (chroma.index_select(1, first) - chroma.index_select(1, second)).abs()
    own = torch.cat([candidates.chroma[:, 0], small], 1)
    varied = _around(own.square()) - _around(own).square()
    to_previous, _, track = candidates.flow.unbind(1)
    return [
        chroma.flatten(1, 2),
        residual,
        differs,
        _around(differs),
        apart[:, :, 0] + apart[:, :, 1],
        candidates.best,
        candidates.spread * SPREAD_SCALE,
        varied * SPREAD_SCALE,
        candidates.fine * CHROMA_SCALE,
        candidates.outside,
        candidates.confidence,
        candidates.visibility,
        candidates.flow_agreement,
        to_previous * FLOW_SCALE,
        track * TRACK_SCALE,
    ]
