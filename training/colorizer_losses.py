"""What colorizers of single frames minimise: a class for each of `training.models.COLORIZERS`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from training.data.stills import Stills, true_ab
from training.models.bins import soft_encode
from training.models.exemplar import Exemplar
from training.objective import regression


class ColorizerLoss(Protocol):
    """How far a network is from the truth."""

    name: str
    """As the log and the progress bar call it."""

    def __call__(self, network: Callable[..., Tensor], stills: Stills, step: int) -> Tensor:
        """The mean over a batch.

        Not part of the network's forward pass, and so in float32, whatever that computes in.

        Args:
            network: What is trained: gives the logits of bins, or chroma.
            stills: The examples.
            step: Updates done before.
        """


class BinsLoss:
    """Zhang's: the cross-entropy of bins.

    Args:
        bins: ab [Q, 2].
        weights: [Q], see `training.models.bins.rebalance`.
    """

    name = "cross_entropy"

    def __init__(self, bins: Tensor, weights: Tensor) -> None:
        self._bins, self._weights = bins, weights

    def __call__(self, network: Callable[..., Tensor], stills: Stills, step: int) -> Tensor:
        """See `ColorizerLoss`."""
        del step  # every update is like the others
        colors = true_ab(stills.luma, stills.chroma).movedim(1, -1).flatten(0, 2)
        bins, shares = soft_encode(colors, self._bins)
        return cross_entropy(network(stills.luma), bins, shares, self._weights)


class RegressionLoss:
    """`ExemplarColorizer`'s: `training.objective.regression`, at half size.

    Args:
        share: Of the updates that are shown exemplars.
        seed: Which these are is drawn from it and the step.
    """

    name = "regression"

    def __init__(self, *, share: float, seed: int) -> None:
        self._share, self._seed = share, seed

    def __call__(self, network: Callable[..., Tensor], stills: Stills, step: int) -> Tensor:
        """See `ColorizerLoss`."""
        shown = np.random.default_rng([self._seed, step]).random() < self._share
        exemplar = Exemplar(stills.exemplar_luma, stills.exemplar_chroma) if shown else None
        return regression(F.avg_pool2d(network(stills.luma, exemplar).float() - stills.chroma, 2))


def cross_entropy(logits: Tensor, bins: Tensor, shares: Tensor, weights: Tensor) -> Tensor:
    """The paper's equation 2: the cross-entropy of each place, weighted by its colour's rarity.

    Args:
        logits: [B, Q, h / 4, w / 4].
        bins: [B h/4 w/4, 5], the bins among which the true colour of each place is shared out.
        shares: [B h/4 w/4, 5], by how much.
        weights: [Q], of the bins.

    Returns:
        The mean over all places.
    """
    logs = torch.log_softmax(logits.float(), dim=1).movedim(1, -1).flatten(0, 2)
    entropy = -(logs.gather(1, bins) * shares).sum(dim=1)
    return (entropy * weights[bins[:, 0]]).mean()
