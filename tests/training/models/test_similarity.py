from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from torch import Tensor, nn

from tests.training.models.stills import WIDTH, halves, planes
from training.models.encoder import Features
from training.models.lab import lab_to_chroma, lightness, planes_to_lab
from training.models.similarity import SimilarityUNet

BLUE, YELLOW = (0.05, 0.0), (-0.2, 0.0)


class Tones(nn.Module):
    """Features that are how dark and how bright a place is."""

    def forward(self, luma: Tensor) -> Features:
        tone = nn.functional.avg_pool2d(luma, 8)
        return Features(luma, luma, torch.cat([tone, 1 - tone], 1))


@pytest.fixture(scope="module")
def model() -> SimilarityUNet:
    torch.manual_seed(0)
    return SimilarityUNet(width=1 / 16, similarity_width=4, match_width=8).eval()


def test_before_training_it_paints_what_it_fetched(model):
    luma, chroma = halves(BLUE, YELLOW)
    memory, state = model.remember(luma, chroma)
    step, painted = model.paint(luma, state, memory, {})
    told = planes_to_lab(luma, step.fetched[:, 0])
    assert torch.allclose(painted[:, 1:], told[:, 1:], atol=1e-6)
    assert torch.equal(painted[:, :1], lightness(luma))
    assert torch.allclose(step.chroma, lab_to_chroma(painted))
    assert (step.confidence == 0.5).all()


def test_the_sub_net_fetches_what_moved_anywhere_in_the_key(model):
    """The two halves of the picture change places; likeness of luma brings their colours along."""
    tones = deepcopy(model)
    tones.features, tones.match = Tones(), nn.Identity()
    luma, chroma = halves(BLUE, YELLOW)
    memory, state = tones.remember(luma, chroma)
    fetched = tones.propagate(luma.roll(WIDTH // 2, -1), state, memory, {}).fetched[:, 0].detach()
    inner = slice(8, WIDTH // 2 - 8)  # at the border places are mixed by the way up
    assert fetched[:, 0, :, inner].mean() == pytest.approx(-0.2, abs=0.02)
    assert fetched[:, 0, :, WIDTH // 2 + 8 : -8].mean() == pytest.approx(0.05, abs=0.02)


def test_of_several_keys_each_place_takes_from_the_one_that_is_like_it(model):
    tones = deepcopy(model)
    tones.features, tones.match = Tones(), nn.Identity()
    luma, chroma = halves(BLUE, YELLOW)
    dark, state = tones.remember(luma * 0.0 + 0.1, chroma * 0 + 0.3)
    bright, _ = tones.remember(luma * 0.0 + 0.9, chroma * 0 - 0.3)
    both = {name: torch.cat([dark[name], bright[name]], 1) for name in dark}
    fetched = tones.propagate(luma, state, both, {}).fetched[:, 0]
    assert fetched[..., 8 : WIDTH // 2 - 8].mean() > 0.25
    assert fetched[..., WIDTH // 2 + 8 : -8].mean() < -0.25


@pytest.mark.parametrize("name", ["chroma", "confidence"])
def test_the_frame_before_is_given_too(model, name):
    trained = deepcopy(model)
    nn.init.normal_(trained.head.weight, std=0.2)
    luma, chroma = halves(BLUE, YELLOW)
    memory, state = trained.remember(luma, chroma)
    other = {**state, name: 0.2 - state[name]}
    one, two = (trained.propagate(luma, s, memory, {}).chroma for s in (state, other))
    assert (one - two).abs().max() > 1e-4


def test_confidence_is_not_the_law_of_collapse(model):
    luma, chroma = halves(BLUE, YELLOW)
    memory, state = model.remember(luma, chroma)
    before = model.propagate(luma, state, memory, {}).confidence
    model.calibrate(0.9)
    assert torch.equal(model.propagate(luma, state, memory, {}).confidence, before)
    assert "eta" not in model.state_dict()


def test_everything_learns():
    model = SimilarityUNet(width=1 / 16, similarity_width=4, match_width=8)
    nn.init.normal_(model.head.weight, std=0.2)  # zero at first, so that nothing below it learns
    luma, chroma = planes(1), planes(2, 2) - 0.5
    memory, state = model.remember(luma, chroma)
    step = model.propagate(planes(5), state, memory, {})
    (step.chroma.square().sum() + step.confidence.sum()).backward()
    assert not [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()]
