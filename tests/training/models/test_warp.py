from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from tests.training.models.stills import HEIGHT, WIDTH, planes
from training.models.mixer import OUTSIDE, out_of_frame
from training.models.warp import warp


def test_warp_fetches_from_where_the_flow_points():
    moved = planes(0)
    flow = torch.zeros(1, 2, HEIGHT, WIDTH)
    flow[:, 0], flow[:, 1] = 3, -2
    there = warp(moved, flow)
    assert torch.allclose(there[..., 4:-4, 4:-4], moved[..., 2:-6, 7:-1], atol=1e-5)


@pytest.mark.parametrize("channels", [2, 16])
def test_an_exported_warp_is_the_same(channels):
    """Planes of many channels are fetched in another way there."""

    class Warp(nn.Module):
        def forward(self, planes: Tensor, flow: Tensor) -> Tensor:
            return warp(planes, flow)

    torch.manual_seed(0)
    given = torch.rand(2, channels, HEIGHT, WIDTH), 20 * torch.randn(2, 2, HEIGHT, WIDTH)
    program = torch.export.export(Warp(), given)
    assert ("grid_sampler" in str(program.graph)) == (channels == 2)
    assert torch.allclose(program.module()(*given), warp(*given), atol=1e-4)


def test_what_comes_into_the_picture_is_told():
    """A pan by three pixels to the right: columns from the right edge on were outside before."""
    flow = torch.zeros(1, 2, 6, 20)
    flow[:, 0] = 3.0
    outside = out_of_frame(flow)[0, 0]
    assert torch.equal(outside, outside[:1].expand_as(outside))
    assert outside[0, -4:].tolist() == pytest.approx([0.0, 1 / OUTSIDE, 2 / OUTSIDE, 3 / OUTSIDE])
    assert not outside[:, :-4].any()
    assert (out_of_frame(-flow)[0, 0, 0] > 0).tolist() == [True] * 3 + [False] * 17
    down = out_of_frame(flow.flip(1) * 100)[0, 0]
    assert torch.equal(down, torch.ones(6, 20))
