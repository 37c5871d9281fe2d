from __future__ import annotations

import torch
from torch import nn

from tests.training.models.fields import linear, seen
from training.models.discriminator import Discriminator


def test_layers_are_the_reports():
    with torch.device("meta"):
        layers = Discriminator().layers
    convolutions = [m for m in layers if isinstance(m, nn.Conv2d)]
    assert [(c.in_channels, c.out_channels, c.stride[0]) for c in convolutions] == [
        (6, 64, 2),
        (64, 128, 2),
        (128, 256, 2),
        (256, 512, 2),
        (512, 512, 2),
        (512, 512, 2),
        (512, 512, 1),
        (512, 1, 1),
    ]
    assert all(c.kernel_size == (4, 4) for c in convolutions)
    kinds = [type(m) for m in layers]
    assert kinds.count(nn.BatchNorm2d) == 6  # neither after the first nor after the last
    assert kinds[:2] == [nn.Conv2d, nn.LeakyReLU]
    assert kinds[-1] is nn.Conv2d


def test_one_logit_for_every_64_pixels_of_both_frames():
    torch.manual_seed(0)
    discriminator = Discriminator(width=1 / 16)
    frame, previous, other = torch.rand(3, 2, 3, 128, 256).mul(2).sub(1).unbind()
    logits = discriminator(frame, previous)
    assert logits.shape == (2, 1, 2, 4)
    assert not torch.allclose(logits, discriminator(frame, other))
    assert not torch.allclose(logits, discriminator(other, previous))


def test_parameters_are_those_of_the_reports_widths():
    """4x4 filters; a bias where no batch norm follows, which has two numbers for each channel."""
    with torch.device("meta"):
        count = sum(p.numel() for p in Discriminator().parameters())
    normed = [(64, 128), (128, 256), (256, 512), (512, 512), (512, 512), (512, 512)]
    expected = 6 * 64 * 16 + 64 + sum(a * b * 16 + 2 * b for a, b in normed) + 512 * 16 + 1
    assert count == expected == 15_354_689


def test_a_logit_sees_574_pixels_of_each_side():
    """Six 4x4 at stride 2: 1 + 3 (1 + 2 + ... + 32) = 190; two more at stride 1: + 2 * 3 * 64."""
    layers = linear(Discriminator(width=1 / 64)).layers
    assert seen(layers, torch.ones(1, 6, 768, 768), 6, 6) == (574, 574)
