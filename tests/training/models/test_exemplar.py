from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from training.models.exemplar import Exemplar, ExemplarColorizer
from training.models.trunk import Trunk, TrunkFeatures

SIDE = 48


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


def planted_scene(generator: torch.Generator, *, colors: Tensor) -> Exemplar:
    """Two textures, parted at a random place: upright stripes in one colour, lying in the other.

    Args:
        generator: What is random depends on it.
        colors: Chroma [2, 2], of each texture.
    """
    stripes = 0.5 + 0.3 * (torch.arange(SIDE) // 4 % 2 - 0.5)
    upright, lying = stripes.expand(SIDE, SIDE), stripes.expand(SIDE, SIDE).T
    parted = 16 * int(torch.randint(1, SIDE // 16, (), generator=generator))
    first = (torch.arange(SIDE) < parted).expand(SIDE, SIDE)
    if torch.rand((), generator=generator) < 0.5:
        first = first.flip(1)
    luma = torch.where(first, upright, lying)[None]
    chroma = torch.where(first, *colors[:, :, None, None])
    return Exemplar(luma, chroma)


def planted_batch(count: int, *, seed: int) -> tuple[Exemplar, Exemplar]:
    """Frames, and an exemplar for each: the same textures in the same colours, parted elsewhere."""
    generator = torch.Generator().manual_seed(seed)
    frames, exemplars = [], []
    for _ in range(count):
        colors = torch.rand(2, 2, generator=generator) - 0.5
        frames.append(planted_scene(generator, colors=colors))
        exemplars.append(planted_scene(generator, colors=colors))
    frame, exemplar = (
        Exemplar(*map(torch.stack, zip(*s, strict=True))) for s in (frames, exemplars)
    )
    return frame, exemplar


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
        frame, exemplar = planted_batch(8, seed=step)
        loss = (network(frame.luma, exemplar) - frame.chroma).square().mean()
        adam.zero_grad()
        loss.backward()
        adam.step()
    frame, exemplar = planted_batch(16, seed=1000)
    gray = frame.chroma.square().mean()
    mean = (exemplar.chroma.mean((2, 3), keepdim=True) - frame.chroma).square().mean()
    with torch.no_grad():
        shown = (network(frame.luma, exemplar) - frame.chroma).square().mean()
        alone = (network(frame.luma) - frame.chroma).square().mean()
    assert shown < 0.35 * gray
    assert shown < 0.75 * mean
    assert alone > 0.9 * gray
