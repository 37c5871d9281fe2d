"""The mixer: which candidates to trust where, in what light, how far, what to add and to keep."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.models.encoder import Features
from training.models.evidence import CANDIDATES, CHROMA_SCALE, KNOWN, Candidates, evidence_of
from training.models.layers import SLOPE, Residual, conv, double, enlarge, zero_init

GUESS_START = -3.0
"""The logit that the guess begins with: 1/400 of the weight that `previous` has."""


class Mixed(NamedTuple):
    """What the mixer makes of the candidates, at half size."""

    chroma: Tensor
    """[B, 2, h/2, w/2]."""
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
    apart = False
    """Whether convolutions of few channels are computed by themselves. Onnxruntime is fast on CPUs
    where input channels are a multiple of 16, in 8 bits twice as fast."""
    EVIDENCE = 64
    """Channels beside luma's features: see `evidence_of`."""

    def __init__(self, width: int) -> None:
        super().__init__()
        half, quarter, eighth, deep = width, 3 * width // 2, 2 * width, 3 * width
        self.at_half = conv(width // 2 + self.EVIDENCE, half)
        self.to_quarter = conv(half, quarter, stride=2)
        self.at_quarter = nn.Conv2d(quarter + width, quarter, 3, padding=1)
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
        chroma, evidence, light = evidence_of(candidates)
        half, guess = self._read(small, features, candidates, evidence)
        weight, bias = self._head()
        head = F.conv2d(half, weight, bias, padding=1)
        weights, errors, lit, retouch, rest = head.split(HEAD, dim=1)
        # A softmax of the weights, divided by its sum at the end, where there are fewest planes.
        weights = torch.exp(weights - weights.amax(1, keepdim=True))
        shares = weights * torch.exp(lit * light)
        offers = torch.cat([chroma, guess], 1).unflatten(1, (-1, 2))
        mixed = (offers * shares.unsqueeze(2)).sum(1) / weights.sum(1, keepdim=True)
        detail, sure = torch.sigmoid(rest).split(1, dim=1)
        return Mixed(mixed + retouch, detail, sure, errors, guess)

    def _head(self) -> tuple[Tensor, Tensor]:
        """`head` with what is linear after it: planes in the order and number of `HEAD`.

        Their log-errors are taken from the candidates' weights, light's share of the guess is zero,
        the retouch is scaled, and detail comes before confidence.
        """
        after = _AFTER_HEAD.to(self.gate.device)
        after = after + self.gate * _ERRORS_AFTER_HEAD.to(self.gate.device)
        weight, bias = (self.head.get_parameter(name) for name in ("weight", "bias"))
        return (after @ weight.flatten(1)).unflatten(1, weight.shape[1:]), after @ bias

    def _read(
        self, small: Tensor, features: Features, candidates: Candidates, evidence: list[Tensor]
    ) -> tuple[Tensor, Tensor]:
        """The U-Net's features [B, c, h/2, w/2], and `Mixed.guess`."""
        # One concatenation of all: a second one would copy all these planes once more.
        half = self._at_half(torch.cat([features.half, *evidence], 1))
        planes = [self.to_quarter(half), features.quarter, candidates.similarity]
        quarter = self._added((self.at_quarter, self.similar_at_quarter), planes)
        planes = [self.to_eighth(quarter), features.eighth, candidates.place_similarity]
        eighth = self._added((self.at_eighth, self.similar_at_eighth), planes)
        eighth = self.refine_eighth(eighth)
        deep = self.deep(eighth)
        deep = deep + self.refine_deep(deep)
        eighth = self.rise_eighth(eighth + double(self.deep_to_eighth(deep)))
        quarter = self.rise_quarter(quarter + double(self.eighth_to_quarter(eighth)))
        half = self.rise_half(half + double(self.quarter_to_half(quarter)))
        return half, self._guess(small, eighth)

    def _added(self, layers: tuple[nn.Conv2d, nn.Conv2d], planes: list[Tensor]) -> Tensor:
        """Leaky ReLU of the sum of two 3x3 convolutions, the second of the last planes alone."""
        one, other = layers
        if self.apart:
            x = one(torch.cat(planes[:-1], 1)) + other(planes[-1])
        else:
            weight = torch.cat([one.weight, other.weight], 1)
            bias = one.get_parameter("bias") + other.get_parameter("bias")
            x = F.conv2d(torch.cat(planes, 1), weight, bias, padding=1)
        return F.leaky_relu(x, SLOPE)

    def _at_half(self, planes: Tensor) -> Tensor:
        """`at_half`, which knows what is `sure` in another order."""
        layer = self.at_half[0]
        weight = layer.get_parameter("weight")
        own = weight.shape[1] - self.EVIDENCE
        order = torch.cat([torch.arange(own), own + torch.tensor(KNOWN)]).to(weight.device)
        x = F.conv2d(planes, weight.index_select(1, order), layer.get_parameter("bias"), padding=1)
        return F.leaky_relu(x, SLOPE)

    def _guess(self, small: Tensor, eighth: Tensor) -> Tensor:
        """Chroma [B, 2, h/2, w/2]: a place's mean, and how it changes with luma within it."""
        weight, bias = (
            self.guess.get_parameter(name) / CHROMA_SCALE for name in ("weight", "bias")
        )
        mean, slope = enlarge(F.conv2d(eighth, weight, bias, padding=1), 4).split(2, dim=1)
        guess: Tensor = mean + slope * (small - enlarge(F.avg_pool2d(small, 4), 4))
        return guess


HEAD = (CANDIDATES + 1, CANDIDATES, CANDIDATES + 1, 2, 2)
"""Planes that `Mixer._head` gives: logits of all candidates; log-errors; how far each follows
light; what to add to chroma; and of detail and confidence."""


def _after_head() -> tuple[Tensor, Tensor]:
    """What `Mixer._head` makes of what `head` knows, [24, 23]; and of log-errors, for each gate."""
    weights, errors, retouch, sure, detail, lit, own = torch.arange(3 * CANDIDATES + 5).split(
        [CANDIDATES, CANDIDATES, 2, 1, 1, CANDIDATES, 1]
    )
    after = torch.eye(3 * CANDIDATES + 5)
    after[retouch] /= CHROMA_SCALE
    none = torch.zeros(1, len(after))
    rows = (weights, own, errors, lit)
    after = torch.cat(
        [*(after[row] for row in rows), none, after[retouch], after[detail], after[sure]]
    )
    gated = torch.zeros_like(after)
    gated[:CANDIDATES, errors] = -torch.eye(CANDIDATES)
    return after, gated


_AFTER_HEAD, _ERRORS_AFTER_HEAD = _after_head()
