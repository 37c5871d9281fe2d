"""The reports' hybrid objective: -alpha E[log D(G, c_{t-1})] + beta L1, non-saturating.

alpha = 0 is their supervised model, alpha = 1 and beta = 100 their cGAN. To these come the terms
that the flagship is trained with; they are 0 in the reports.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, binary_cross_entropy_with_logits, l1_loss, softplus

from evaluation.help_text import manual
from training.models.base import HALF_CONFIDENCE

CERTAIN = 1e-4
"""Confidence is kept this far from 0 and 1, where its likelihood has no bounds."""
NOISE_FLOOR = 1e-5
"""Squared chroma error of about one 8-bit code value: what nobody sees is not worth learning."""


@manual
@dataclass(frozen=True)
class Objective:
    """What generator and discriminator minimise."""

    alpha: float = 1.0
    """Weight of the adversarial term; 0 trains the reports' supervised model, without a
    discriminator."""
    beta: float = 100.0
    """Weight of the mean absolute error in the model's colour space."""
    label_smoothing: float = 0.0
    """One-sided label smoothing: true frames are labelled 1 minus this, painted ones stay 0."""
    fidelity: float = 0.0
    """Weight of the mean over frames of the log of chroma's mean squared error: what PSNR, taken
    frame by frame, measures."""
    matching: float = 0.0
    """Weight of the mean absolute error of the chroma that similarity sub-nets found alone."""
    doubt: float = 0.0
    """Weight of the negative log likelihood of the errors of each candidate that a mixing model
    chose from, under the scales that it expected."""
    confidence: float = 0.0
    """Weight of the negative log likelihood of the errors, under a Laplace distribution of the
    scale that the model's confidence stands for (Kendall and Gal 2017)."""

    def generator(self, painted: Tensor, truth: Tensor, logits: Tensor | None) -> Tensor:
        """Loss of frames [N, 3, h, w] that D gave `logits`; None where alpha is 0."""
        loss = self.beta * l1_loss(painted, truth)
        if logits is not None:
            loss = loss + self.alpha * softplus(-logits).mean()  # softplus(-x) = -log sigmoid(x)
        return loss

    def chroma(
        self,
        painted: Tensor,
        truth: Tensor,
        *,
        confidence: Tensor,
        fetched: Tensor | None = None,
        candidates: Tensor | None = None,
        doubts: Tensor | None = None,
    ) -> Tensor:
        """The terms on planes: chroma [..., 2, h, w] in ±0.5, confidence [..., 1, h, w].

        fetched, candidates, doubts: as in `training.models.base.Propagated`.
        """
        loss = painted.new_zeros(())
        if self.fidelity:
            squared = (painted - truth).square().mean((-3, -2, -1))
            loss = loss + self.fidelity * (squared + NOISE_FLOOR).log().mean()
        if self.matching and fetched is not None:
            loss = loss + self.matching * (fetched - truth.unsqueeze(-4)).abs().mean()
        if self.doubt and candidates is not None and doubts is not None:
            loss = loss + self.doubt * _doubt(candidates, truth, doubts)
        if self.confidence:
            loss = loss + self.confidence * _surprise(painted, truth, confidence)
        return loss

    def discriminator(self, true_logits: Tensor, painted_logits: Tensor) -> Tensor:
        """-E[log D(c_t, c_{t-1})] - E[log(1 - D(G, c_{t-1}))] of logits of any shape."""
        label = torch.full_like(true_logits, 1.0 - self.label_smoothing)
        truth = binary_cross_entropy_with_logits(true_logits, label)
        return truth + softplus(painted_logits).mean()


def _doubt(candidates: Tensor, truth: Tensor, doubts: Tensor) -> Tensor:
    """-E[log p(error)] of candidates [..., n, 2, h/2, w/2], which learn nothing from it."""
    small = avg_pool2d(truth.flatten(0, -4), 2).unflatten(0, truth.shape[:-3])
    error = (candidates.detach() - small.unsqueeze(-4)).abs().mean(-3) / HALF_CONFIDENCE
    return (error * torch.exp(-doubts) + doubts).mean()


def _surprise(painted: Tensor, truth: Tensor, confidence: Tensor) -> Tensor:
    """-E[log p(error)]; the error is taken as it is, so that only the confidence learns from it."""
    error = (painted.detach() - truth).abs().mean(-3, keepdim=True)
    sure = confidence.clamp(CERTAIN, 1 - CERTAIN)
    scale = HALF_CONFIDENCE * (1 - sure) / sure
    return (error / scale + scale.log()).mean()
