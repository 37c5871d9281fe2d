from __future__ import annotations

import math

import pytest
import torch

from training.models.base import HALF_CONFIDENCE
from training.objective import Objective
from training.options import ObjectiveOptions

PREDICTION = torch.tensor([0.1, 0.4]).view(1, 1, 1, 2)
TARGET = torch.tensor([0.2, 0.0]).view(1, 1, 1, 2)
L1 = (0.1 + 0.4) / 2


def objective(**weights: float) -> Objective:
    return Objective(ObjectiveOptions(**weights))


def log_sigmoid(x: float) -> float:
    return -math.log(1 + math.exp(-x))


def test_hybrid_is_alpha_times_adversarial_plus_beta_times_l1():
    logits = torch.tensor([0.5, -2.0])
    adversarial = -(log_sigmoid(0.5) + log_sigmoid(-2.0)) / 2
    loss = objective(alpha=3, beta=10).generator(PREDICTION, TARGET, logits)
    assert loss.item() == pytest.approx(3 * adversarial + 10 * L1, rel=1e-6)


def test_supervised_is_l1_alone():
    assert objective(alpha=0, beta=10).generator(PREDICTION, TARGET, None).item() == pytest.approx(
        10 * L1
    )


def test_generator_loss_does_not_saturate():
    """Where D is sure that a frame is prediction, the gradient must be at its largest, -1."""
    logits = torch.tensor([-8.0, 0.0, 8.0], requires_grad=True)
    objective(alpha=1, beta=0).generator(TARGET, TARGET, logits).backward()
    expected = [-torch.sigmoid(torch.tensor(-x)).item() / 3 for x in (-8.0, 0.0, 8.0)]
    assert logits.grad.tolist() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_discriminator_smooths_true_labels_only(smoothing):
    true, prediction = torch.tensor([1.0, 3.0]), torch.tensor([-1.0, 2.0])
    smoothed = objective(label_smoothing=smoothing)
    on_true = sum(
        (1 - smoothing) * log_sigmoid(x) + smoothing * log_sigmoid(-x) for x in (1.0, 3.0)
    )
    on_prediction = sum(log_sigmoid(-x) for x in (-1.0, 2.0))
    loss = smoothed.discriminator(true, prediction).item()
    assert loss == pytest.approx(-(on_true + on_prediction) / 2, rel=1e-6)


def chroma_terms(objective: Objective, prediction: torch.Tensor, **given: torch.Tensor) -> float:
    target = torch.zeros(2, 2, 1, 1)
    given = {"fetched": None, "confidence": torch.full((2, 1, 1, 1), 0.5), **given}
    return objective.chroma(prediction, target, **given).item()


def test_fidelity_is_the_mean_over_frames_of_log_squared_error():
    prediction = torch.tensor([0.1, 0.3]).view(2, 1, 1, 1).expand(2, 2, 1, 1)
    expected = (math.log(0.01 + 1e-5) + math.log(0.09 + 1e-5)) / 2
    assert chroma_terms(objective(fidelity=2), prediction) == pytest.approx(2 * expected, rel=1e-5)


def test_matching_is_the_l1_of_what_was_fetched():
    wrong = torch.tensor([0.25, 0.75]).view(1, 2, 1, 1, 1).expand(2, 2, 2, 1, 1)
    loss = chroma_terms(objective(matching=4), torch.zeros(2, 2, 1, 1), fetched=wrong)
    assert loss == pytest.approx(2.0)


def test_doubts_learn_the_error_of_each_candidate_and_the_candidates_nothing():
    """The likelihood is greatest where each doubt stands for the very error of its candidate."""
    wrong = torch.tensor([0.04, 0.01]).view(1, 1, 2, 1, 1, 1)
    candidates = wrong.expand(1, 3, 2, 2, 2, 2).clone().requires_grad_()
    right = torch.log(wrong / HALF_CONFIDENCE).expand(1, 3, 2, 2, 2, 2)[..., 0, :, :]
    prediction, target = torch.zeros(1, 3, 2, 4, 4), torch.zeros(1, 3, 2, 4, 4)
    losses = []
    for shift in (-0.3, 0.0, 0.3):
        log_errors = (right + shift).detach().requires_grad_()
        loss = objective(doubt=2.0).chroma(
            prediction, target, confidence=prediction, candidates=candidates, log_errors=log_errors
        )
        loss.backward()
        losses.append(loss.item())
    assert losses[1] == min(losses)
    assert losses[1] == pytest.approx(2 * (1 + math.log(2.0) / 2 + math.log(0.5) / 2), rel=1e-5)
    assert candidates.grad is None
    assert log_errors.grad.abs().min() > 0


def test_confidence_learns_the_error_and_the_error_learns_nothing_from_it():
    """The likelihood is greatest where confidence stands for the very error there is."""
    prediction = torch.full((2, 2, 1, 1), 0.06, requires_grad=True)
    certain = objective(confidence=1.0)
    right = 1 / (1 + 0.06 / HALF_CONFIDENCE)
    losses = [
        chroma_terms(certain, prediction, confidence=torch.full((2, 1, 1, 1), value))
        for value in (right * 0.7, right, right * 1.4)
    ]
    assert losses[1] == min(losses)
    assert losses[1] == pytest.approx(1 + math.log(0.06), rel=1e-5)
    confidence = torch.full((2, 1, 1, 1), 0.5, requires_grad=True)
    target = torch.zeros(2, 2, 1, 1)
    certain.chroma(prediction, target, fetched=None, confidence=confidence).backward()
    assert prediction.grad is None
    assert confidence.grad.abs().sum() > 0
