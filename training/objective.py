"""The reports' hybrid objective: -alpha E[log D(G, c_{t-1})] + beta L1, non-saturating.

alpha = 0 is their supervised model, alpha = 1 and beta = 100 their cGAN. To these come the terms
that the flagship is trained with; they are 0 in the reports.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, binary_cross_entropy_with_logits, l1_loss, softplus

from training.models.base import HALF_CONFIDENCE
from training.options import ObjectiveOptions

CERTAIN = 1e-4
"""Confidence is kept this far from 0 and 1, where its likelihood has no bounds."""
NOISE_FLOOR = 1e-5
"""Squared chroma error of about one 8-bit code value: what nobody sees is not worth learning."""


ABSOLUTE, FIDELITY = 5.0, 0.5
"""Weights of the mean absolute error and of the log of the squared one, as the flagship's."""


def regression(error: Tensor) -> Tensor:
    """The loss of single frames: chroma's absolute error, and the log of each frame's squared one.

    The log is what PSNR measures.

    Args:
        error: [N, 2, h, w], chroma's.
    """
    squared = error.square().mean((1, 2, 3))
    return ABSOLUTE * error.abs().mean() + FIDELITY * (squared + NOISE_FLOOR).log().mean()


class Objective:
    """The losses, weighted as the options say."""

    def __init__(self, options: ObjectiveOptions) -> None:
        self.weights = options

    def generator(self, prediction: Tensor, target: Tensor, logits: Tensor | None) -> Tensor:
        """Loss of the generator on frames as it views them.

        Args:
            prediction: [N, 3, h, w] in [-1, 1], its own frames.
            target: [N, 3, h, w], the true frames.
            logits: What the discriminator says of the prediction, any shape; None where alpha is 0.

        Returns:
            A scalar.
        """
        loss = self.weights.beta * l1_loss(prediction, target)
        if logits is not None:  # softplus(-x) = -log sigmoid(x)
            loss = loss + self.weights.alpha * softplus(-logits).mean()
        return loss

    def chroma(
        self,
        prediction: Tensor,
        target: Tensor,
        *,
        confidence: Tensor,
        fetched: Tensor | None = None,
        candidates: Tensor | None = None,
        log_errors: Tensor | None = None,
    ) -> Tensor:
        """The terms on planes.

        Args:
            prediction: Chroma [..., 2, h, w] in ±0.5.
            target: The true chroma, of the same shape.
            confidence: [..., 1, h, w] in [0, 1].
            fetched: As in `training.models.base.Propagated`.
            candidates: The same.
            log_errors: The same.

        Returns:
            A scalar.
        """
        weights = self.weights
        loss = prediction.new_zeros(())
        if weights.fidelity:
            squared = (prediction - target).square().mean((-3, -2, -1))
            loss = loss + weights.fidelity * (squared + NOISE_FLOOR).log().mean()
        if weights.matching and fetched is not None:
            loss = loss + weights.matching * (fetched - target.unsqueeze(-4)).abs().mean()
        if weights.doubt and candidates is not None and log_errors is not None:
            loss = loss + weights.doubt * _candidate_likelihood(candidates, target, log_errors)
        if weights.confidence:
            loss = loss + weights.confidence * _confidence_likelihood(
                prediction, target, confidence
            )
        return loss

    def discriminator(self, true_logits: Tensor, predicted_logits: Tensor) -> Tensor:
        """Loss of the discriminator: -E[log D(c_t, c_{t-1})] - E[log(1 - D(G, c_{t-1}))].

        Args:
            true_logits: What it says of true frames, any shape.
            predicted_logits: What it says of the generator's.

        Returns:
            A scalar.
        """
        label = torch.full_like(true_logits, 1.0 - self.weights.label_smoothing)
        on_true = binary_cross_entropy_with_logits(true_logits, label)
        return on_true + softplus(predicted_logits).mean()


def _candidate_likelihood(candidates: Tensor, target: Tensor, log_errors: Tensor) -> Tensor:
    """Laplace NLL of each candidate's error, [..., n, 2, h/2, w/2]. Candidates are detached."""
    small = avg_pool2d(target.flatten(0, -4), 2).unflatten(0, target.shape[:-3])
    error = (candidates.detach() - small.unsqueeze(-4)).abs().mean(-3) / HALF_CONFIDENCE
    loss: Tensor = (error * torch.exp(-log_errors) + log_errors).mean()
    return loss


def _confidence_likelihood(prediction: Tensor, target: Tensor, confidence: Tensor) -> Tensor:
    """Laplace NLL of the prediction's error. The prediction is detached."""
    error = (prediction.detach() - target).abs().mean(-3, keepdim=True)
    sure = confidence.clamp(CERTAIN, 1 - CERTAIN)
    scale = HALF_CONFIDENCE * (1 - sure) / sure
    return (error / scale + scale.log()).mean()
