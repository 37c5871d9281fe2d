"""Bins of the ab plane, against values worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch
from kornia.color import rgb_to_lab

from training.models.bins import annealed_mean, gamut_bins, rebalance, smooth, soft_encode


def test_bins_are_the_cells_that_the_gamut_reaches():
    bins = gamut_bins()
    assert len(bins) == 261
    assert torch.equal(bins, torch.unique((bins / 10).round(), dim=0) * 10)
    colours = torch.rand(1, 3, 200, 500, generator=torch.Generator().manual_seed(0))
    ab = rgb_to_lab(colours)[0, 1:].flatten(1).T
    found = torch.unique((ab / 10).round(), dim=0) * 10
    known = {tuple(b) for b in bins.tolist()}
    assert {tuple(b) for b in found.tolist()} <= known
    # sRGB's own corners: red, green and blue as Lab gives them.
    assert {(80.0, 70.0), (-90.0, 80.0), (80.0, -110.0), (0.0, 0.0)} <= known
    assert not {(80.0, 100.0), (-100.0, -100.0)} & known


def test_a_colour_is_shared_out_among_the_five_nearest():
    """Of (3, 1), by squared distances that are easily worked out."""
    bins, (which, shares) = gamut_bins(), soft_encode(torch.tensor([[3.0, 1.0]]), gamut_bins())
    squares = {(0, 0): 10, (10, 0): 50, (0, 10): 90, (0, -10): 130, (10, 10): 130}
    found = dict(zip(map(tuple, bins[which[0]].int().tolist()), shares[0].tolist(), strict=True))
    total = sum(math.exp(-square / 50) for square in squares.values())
    assert found == {
        bin_: pytest.approx(math.exp(-square / 50) / total, rel=1e-4)
        for bin_, square in squares.items()
    }
    assert tuple(bins[which[0, 0]].tolist()) == (0.0, 0.0)


def test_shares_of_any_colour_sum_to_one_and_begin_with_the_nearest():
    ab = torch.randn(500, 2, generator=torch.Generator().manual_seed(0)) * 40
    bins = gamut_bins()
    which, shares = soft_encode(ab, bins)
    torch.testing.assert_close(shares.sum(1), torch.ones(500))
    nearest = torch.cdist(ab.double(), bins.double())
    torch.testing.assert_close(
        nearest.gather(1, which), nearest.topk(5, largest=False).values, atol=1e-3, rtol=0
    )


def test_smoothing_hands_on_and_loses_nothing():
    """At a distance of 10 arrives exp(-2) of what stays, at 14 exp(-4)."""
    bins = gamut_bins()
    counts = torch.zeros(len(bins))
    middle = int((bins == 0).all(dim=1).nonzero())
    counts[middle] = 7.0
    probability = smooth(counts, bins)
    assert probability.sum().item() == pytest.approx(1.0)
    beside = int((bins == torch.tensor([10.0, 0.0])).all(dim=1).nonzero())
    across = int((bins == torch.tensor([-10.0, 10.0])).all(dim=1).nonzero())
    assert (probability[beside] / probability[middle]).item() == pytest.approx(math.exp(-2))
    assert (probability[across] / probability[middle]).item() == pytest.approx(math.exp(-4))


@pytest.mark.parametrize("uniform", [0.0, 0.5, 1.0])
def test_a_pixels_expected_weight_is_one(uniform):
    probability = torch.tensor([0.6, 0.3, 0.1])
    weights = rebalance(probability, uniform=uniform)
    assert (probability * weights).sum().item() == pytest.approx(1.0)
    # In the ratio of 1 / ((1 - lambda) p + lambda / Q).
    mixed = (1 - uniform) * probability + uniform / 3
    torch.testing.assert_close(weights * mixed, (weights * mixed)[0].expand(3))


def test_weights_at_lambda_one_half():
    """p = (3/4, 1/4): mixed (5/8, 3/8), inverse (8/5, 8/3), whose expectation is 28/15."""
    weights = rebalance(torch.tensor([0.75, 0.25]), uniform=0.5)
    torch.testing.assert_close(weights, torch.tensor([8 / 5, 8 / 3]) * 15 / 28)


def test_the_annealed_mean_lies_between_mean_and_mode():
    """Two bins with probabilities 3/4 and 1/4."""
    bins = torch.tensor([[10.0, -20.0], [50.0, 40.0]])
    logits = torch.log(torch.tensor([0.75, 0.25])).view(1, 2, 1, 1) + 3.0
    mean = annealed_mean(logits, bins, temperature=1.0).flatten()
    torch.testing.assert_close(mean, torch.tensor([20.0, -5.0]))
    mode = annealed_mean(logits, bins, temperature=1e-3).flatten()
    torch.testing.assert_close(mode, torch.tensor([10.0, -20.0]))
    share = 0.75 ** (1 / 0.38) / (0.75 ** (1 / 0.38) + 0.25 ** (1 / 0.38))
    between = annealed_mean(logits, bins).flatten()
    torch.testing.assert_close(between, share * bins[0] + (1 - share) * bins[1])
