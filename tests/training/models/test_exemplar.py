from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from tests.training.planted import planted_batch
from training.models.exemplar import Exemplar, ExemplarColorizer
from training.models.trunk import Trunk, TrunkFeatures


@pytest.fixture(scope="module")
def network() -> ExemplarColorizer:
    """On the trunk's own weights; its last layer is not zero, so that it colours."""
    torch.manual_seed(0)
    network = ExemplarColorizer(width=0.5)
    network.load_pretrained()
    torch.nn.init.normal_(network.last.weight, std=0.05)
    return network.eval()


def test_shapes_and_ranges(network):
    luma = torch.rand(2, 1, 48, 80)
    with torch.no_grad():
        alone = network(luma)
        shown = network(luma, Exemplar(torch.rand(2, 1, 64, 32), torch.rand(2, 2, 64, 32) - 0.5))
    assert alone.shape == shown.shape == (2, 2, 48, 80)
    assert max(alone.abs().max(), shown.abs().max()) <= 0.5
    assert not torch.equal(alone, shown)


def test_a_fresh_one_leaves_frames_gray():
    torch.manual_seed(0)
    with torch.no_grad():
        assert not ExemplarColorizer(width=0.25)(torch.rand(1, 1, 32, 48)).any()


def test_colours_follow_luma_within_a_place(network):
    """Chroma is linear in luma there: an edge that is finer than eight pixels stays one."""
    luma = torch.full((1, 1, 64, 64), 0.5)
    luma[..., 1::2] = 0.7
    with torch.no_grad():
        chroma = network(luma)[0, :, 16:48, 16:48]
    across = (chroma[..., 1::2] - chroma[..., ::2]).abs().mean()
    along = (chroma[:, 1::2] - chroma[:, ::2]).abs().mean()
    assert across > 3 * along


def each_plane_once(trunk: Trunk) -> Callable[[Tensor], TrunkFeatures]:
    """What a trunk whose weights stay computes of lumas, of which there are few."""
    compute, known = trunk.forward, {}

    def look_up(luma: Tensor) -> TrunkFeatures:
        keys = [plane.numpy().tobytes() for plane in luma]
        for key, plane in zip(keys, luma, strict=True):
            if key not in known:
                known[key] = compute(plane[None])
        return TrunkFeatures(*map(torch.cat, zip(*(known[key] for key in keys), strict=True)))

    return look_up


def test_it_learns_to_take_the_palette_of_a_planted_scene(monkeypatch):
    """Colours are drawn anew for each scene, so that only the exemplar tells of them."""
    torch.manual_seed(1)
    network = ExemplarColorizer(width=0.5)
    network.load_pretrained()
    network.trunk.requires_grad_(False)
    monkeypatch.setattr(network.trunk, "forward", each_plane_once(network.trunk))
    adam = torch.optim.Adam([p for p in network.parameters() if p.requires_grad], lr=5e-4)
    for step in range(180):
        batch = planted_batch(8, seed=step)
        shown = Exemplar(batch.exemplar_luma, batch.exemplar_chroma)
        loss = (network(batch.luma, shown) - batch.chroma).square().mean()
        adam.zero_grad()
        loss.backward()
        adam.step()
    batch = planted_batch(16, seed=1000)
    exemplar = Exemplar(batch.exemplar_luma, batch.exemplar_chroma)
    gray = batch.chroma.square().mean()
    mean = (exemplar.chroma.mean((2, 3), keepdim=True) - batch.chroma).square().mean()
    with torch.no_grad():
        shown = (network(batch.luma, exemplar) - batch.chroma).square().mean()
        alone = (network(batch.luma) - batch.chroma).square().mean()
    assert shown < 0.35 * gray
    assert shown < 0.75 * mean
    assert alone > 0.9 * gray
