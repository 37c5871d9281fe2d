from __future__ import annotations

import pytest
import torch

from tests.training.models.stills import HEIGHT, WIDTH, planes
from training.models.fetch import OUTSIDE, out_of_frame
from training.models.warp import toward, warp


def test_warp_fetches_from_where_the_flow_points():
    moved = planes(0)
    flow = torch.zeros(1, 2, HEIGHT, WIDTH)
    flow[:, 0], flow[:, 1] = 3, -2
    there = warp(moved, flow)
    assert torch.allclose(there[..., 4:-4, 4:-4], moved[..., 2:-6, 7:-1], atol=1e-5)


def test_beyond_the_picture_its_edge_is_repeated():
    moved, flow = planes(0), torch.zeros(1, 2, HEIGHT, WIDTH)
    flow[:, 0], flow[:, 1, : HEIGHT // 2] = 2.0 * WIDTH, -3.0
    there = warp(moved, flow)
    assert torch.allclose(there[..., 3, :], moved[..., 0, -1:].expand(1, 1, WIDTH), atol=1e-5)
    assert torch.allclose(there[..., -1, :], moved[..., -1, -1:].expand(1, 1, WIDTH), atol=1e-5)


def test_it_is_what_grid_sample_gives_with_a_border():
    torch.manual_seed(0)
    moved, flow = torch.rand(2, 3, HEIGHT, WIDTH), 20 * torch.randn(2, 2, HEIGHT, WIDTH)
    y, x = torch.meshgrid(torch.arange(HEIGHT), torch.arange(WIDTH), indexing="ij")
    at = torch.stack([x, y]) + flow
    sides = torch.tensor([WIDTH, HEIGHT]).view(2, 1, 1)
    grid = ((2 * at + 1) / sides - 1).permute(0, 2, 3, 1)
    expected = torch.nn.functional.grid_sample(
        moved, grid, padding_mode="border", align_corners=False
    )
    assert torch.allclose(warp(moved, flow), expected, atol=2e-5)


def test_what_comes_into_the_picture_is_told():
    """A pan by three pixels to the right: columns from the right edge on were outside before."""
    flow = torch.zeros(1, 2, 6, 20)
    flow[:, 0] = 3.0
    outside = out_of_frame(toward(flow))[0]
    assert torch.equal(outside, outside[:1].expand_as(outside))
    assert outside[0, -4:].tolist() == pytest.approx(
        [0.0, 1 / OUTSIDE, 2 / OUTSIDE, 3 / OUTSIDE], abs=1e-6
    )
    assert outside[:, :-4].max() < 1e-6
    assert (out_of_frame(toward(-flow))[0, 0] > 1e-6).tolist() == [True] * 3 + [False] * 17
    down = out_of_frame(toward(flow.flip(1) * 100))[0]
    assert torch.equal(down, torch.ones(6, 20))
