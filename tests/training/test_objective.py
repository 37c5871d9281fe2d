from __future__ import annotations

import math

import pytest
import torch

from training.objective import Objective

PAINTED = torch.tensor([0.1, 0.4]).view(1, 1, 1, 2)
TRUTH = torch.tensor([0.2, 0.0]).view(1, 1, 1, 2)
L1 = (0.1 + 0.4) / 2


def log_sigmoid(x: float) -> float:
    return -math.log(1 + math.exp(-x))


def test_hybrid_is_alpha_times_adversarial_plus_beta_times_l1():
    logits = torch.tensor([0.5, -2.0])
    adversarial = -(log_sigmoid(0.5) + log_sigmoid(-2.0)) / 2
    loss = Objective(alpha=3, beta=10).generator(PAINTED, TRUTH, logits)
    assert loss.item() == pytest.approx(3 * adversarial + 10 * L1, rel=1e-6)


def test_supervised_is_l1_alone():
    assert Objective(alpha=0, beta=10).generator(PAINTED, TRUTH, None).item() == pytest.approx(
        10 * L1
    )


def test_generator_loss_does_not_saturate():
    """Where D is sure that a frame is painted, the gradient must be at its largest, -1."""
    logits = torch.tensor([-8.0, 0.0, 8.0], requires_grad=True)
    Objective(alpha=1, beta=0).generator(TRUTH, TRUTH, logits).backward()
    expected = [-torch.sigmoid(torch.tensor(-x)).item() / 3 for x in (-8.0, 0.0, 8.0)]
    assert logits.grad.tolist() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_discriminator_smooths_true_labels_only(smoothing):
    true, painted = torch.tensor([1.0, 3.0]), torch.tensor([-1.0, 2.0])
    objective = Objective(label_smoothing=smoothing)
    on_true = sum(
        (1 - smoothing) * log_sigmoid(x) + smoothing * log_sigmoid(-x) for x in (1.0, 3.0)
    )
    on_painted = sum(log_sigmoid(-x) for x in (-1.0, 2.0))
    loss = objective.discriminator(true, painted).item()
    assert loss == pytest.approx(-(on_true + on_painted) / 2, rel=1e-6)
