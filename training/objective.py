"""The reports' hybrid objective: -alpha E[log D(G, c_{t-1})] + beta L1, non-saturating.

alpha = 0 is their supervised model, alpha = 1 and beta = 100 their cGAN.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, l1_loss, softplus

from training.manual import manual


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

    def generator(self, painted: Tensor, truth: Tensor, logits: Tensor | None) -> Tensor:
        """Loss of frames [N, 3, h, w] that D gave `logits`; None where alpha is 0."""
        loss = self.beta * l1_loss(painted, truth)
        if logits is not None:
            loss = loss + self.alpha * softplus(-logits).mean()  # softplus(-x) = -log sigmoid(x)
        return loss

    def discriminator(self, true_logits: Tensor, painted_logits: Tensor) -> Tensor:
        """-E[log D(c_t, c_{t-1})] - E[log(1 - D(G, c_{t-1}))] of logits of any shape."""
        label = torch.full_like(true_logits, 1.0 - self.label_smoothing)
        truth = binary_cross_entropy_with_logits(true_logits, label)
        return truth + softplus(painted_logits).mean()
