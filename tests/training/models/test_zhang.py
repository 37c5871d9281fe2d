from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from tests.support.footage import scene_clip
from training.colorizer_losses import BinsLoss, cross_entropy
from training.data.stills import StillSource, color_probability
from training.models.bins import rebalance
from training.models.zhang import SCALE, Zhang, guided


@pytest.fixture
def network() -> Zhang:
    torch.manual_seed(0)
    return Zhang(width=0.25)


def test_shapes_and_ranges(network):
    luma = torch.rand(2, 1, 48, 80)
    assert network.logits(luma).shape == (2, len(network.bins), 12, 20)
    chroma = network.eval()(luma)
    assert chroma.shape == (2, 2, 48, 80)
    assert chroma.abs().max() <= 0.5


def test_the_whole_one_is_of_the_size_that_was_meant():
    parameters = sum(p.numel() for p in Zhang().parameters())
    assert 1e6 < parameters < 3e6


def test_guided_planes_follow_the_guide():
    """A linear function of the guide comes back at full size; over a flat guide it is bilinear."""
    full = torch.rand(1, 1, 32, 48, generator=torch.Generator().manual_seed(0))
    full = torch.where(full > 0.5, 1.0, -1.0).repeat_interleave(4, 2)[:, :, :32]
    small = F.avg_pool2d(full, SCALE)
    planes = torch.cat([0.3 * small + 0.1, -0.2 * small], dim=1)
    wanted = torch.cat([0.3 * full + 0.1, -0.2 * full], dim=1)
    sharp = guided(planes, small, full)
    linear = F.interpolate(planes, scale_factor=SCALE, mode="bilinear")
    assert (sharp - wanted).abs().mean() < 0.1 * (linear - wanted).abs().mean()
    flat = guided(planes, torch.zeros_like(small), torch.zeros_like(full))
    torch.testing.assert_close(flat, linear)


def test_the_loss_by_hand():
    """Two places, three bins: cross-entropies of shares against softmax, weighed by the nearest."""
    logits = torch.log(torch.tensor([[0.5, 0.2], [0.25, 0.2], [0.25, 0.6]])).view(1, 3, 1, 2)
    bins, shares = torch.tensor([[0, 1], [2, 0]]), torch.tensor([[0.75, 0.25], [1.0, 0.0]])
    weights = torch.tensor([2.0, 9.0, 0.5])
    first = -2.0 * (0.75 * torch.log(torch.tensor(0.5)) + 0.25 * torch.log(torch.tensor(0.25)))
    second = -0.5 * torch.log(torch.tensor(0.6))
    loss = cross_entropy(logits, bins, shares, weights)
    torch.testing.assert_close(loss, (first + second) / 2)


def test_it_learns_the_colours_of_one_frame(network):
    """Overfit: of gray's squared error a quarter is left; bins 10 apart leave a twentieth."""
    clip = scene_clip(seed=2, frames=1)
    source = StillSource([clip], crop=64, flip=False)
    weights = rebalance(color_probability([clip], network.bins))
    loss_of = BinsLoss(network.bins, weights)
    still = source.batch(0, range(2))
    adam = torch.optim.Adam(network.parameters(), lr=3e-3)
    for step in range(100):
        loss = loss_of(network.logits, still, step)
        adam.zero_grad()
        loss.backward()
        adam.step()
    with torch.no_grad():
        error = (network(still.luma) - still.chroma).square().mean()
    assert error < 0.25 * still.chroma.square().mean()
