from __future__ import annotations

import pytest
import torch
from torch import nn

from tests.training.models.fields import linear, seen
from training.models import GENERATORS
from training.models.lab import planes_to_lab
from training.models.unet import ExtendedUNet, UNet

SEEDS = ["seeds", "extended"]


def frame(seed: int, *, batch: int = 1, height: int = 128, width: int = 128):
    draw = torch.Generator().manual_seed(seed)
    luma = torch.rand(batch, 1, height, width, generator=draw)
    return luma, torch.rand(batch, 2, height, width, generator=draw) * 0.3 - 0.15


def small(cls: type[UNet] = UNet) -> UNet:
    """Small, with the statistics of a few batches, in eval mode."""
    torch.manual_seed(0)
    model = cls(width=1 / 16)
    for seed in range(3):
        luma, chroma = frame(seed, batch=4)
        remembered = model.remember(luma, chroma)
        model.propagate(luma, remembered.state, remembered.memory, {})
    return model.eval()


def convolutions(modules: nn.Module) -> list[tuple[int, int, int, int]]:
    kinds = (nn.Conv2d, nn.ConvTranspose2d)
    layers = [m for m in modules.modules() if isinstance(m, kinds)]
    return [(m.in_channels, m.out_channels, m.kernel_size[0], m.stride[0]) for m in layers]


def test_layers_are_the_reports():
    with torch.device("meta"):
        model = UNet()
    assert convolutions(model.encoder) == [
        (4, 64, 4, 1),
        (64, 64, 4, 2),
        (64, 128, 4, 2),
        (128, 256, 4, 2),
        (256, 512, 4, 2),
        (512, 512, 4, 2),
        (512, 512, 4, 2),
        (512, 512, 4, 2),
    ]
    assert convolutions(model.decoder) == [
        (512, 512, 4, 2),
        (1024, 512, 4, 2),
        (1024, 512, 4, 2),
        (1024, 256, 4, 2),
        (512, 128, 4, 2),
        (256, 64, 4, 2),
        (128, 64, 4, 2),
    ]
    assert convolutions(model.head) == [(128, 3, 1, 1)]
    dropout = [any(isinstance(m, nn.Dropout) for m in level) for level in model.decoder]
    assert dropout == [True] * 3 + [False] * 4
    for level in [*model.encoder, *model.decoder]:
        kinds = [type(m) for m in level]
        assert nn.BatchNorm2d in kinds
        assert nn.LeakyReLU in kinds


@pytest.mark.parametrize(("name", "incoming"), [("seeds", 4), ("extended", 7)])
def test_parameters_are_those_of_the_reports_widths(name, incoming):
    """4x4 filters without bias, batch norm's two numbers a channel, and the 1x1 convolution."""
    with torch.device("meta"):
        count = sum(p.numel() for p in GENERATORS[name]().parameters())
    down = [(incoming, 64), (64, 64), (64, 128), (128, 256), (256, 512), *[(512, 512)] * 3]
    up = [(512, 512), (1024, 512), (1024, 512), (1024, 256), (512, 128), (256, 64), (128, 64)]
    layers = sum(a * b * 16 + 2 * b for a, b in down + up)
    assert count == layers + 128 * 3 + 3 == 42_022_275 + (incoming - 4) * 64 * 16


def test_a_place_of_the_bottleneck_sees_more_than_a_whole_frame():
    """4x4 at stride 1, then seven at stride 2: 1 + 3 + 3 (1 + 2 + ... + 64) = 385 pixels."""
    encoder = nn.Sequential(*linear(UNet(width=1 / 64)).encoder)
    assert seen(encoder, torch.ones(1, 4, 640, 640), 2, 2) == (385, 385)


def test_every_level_halves_the_frame():
    levels = UNet(width=1 / 64).eval().descend(torch.zeros(1, 4, 256, 256))
    assert [level.shape[-1] for level in levels] == [256, 128, 64, 32, 16, 8, 4, 2]


def test_width_multiplies_channels():
    with torch.device("meta"):
        model = UNet(width=0.125)
    assert [c[1] for c in convolutions(model.encoder)] == [8, 8, 16, 32, 64, 64, 64, 64]


@pytest.mark.parametrize("name", SEEDS)
def test_sizes_at_every_level(name):
    model = GENERATORS[name](width=1 / 16).eval()
    assert model.size_multiple == 128
    luma, chroma = frame(0, height=128, width=256)
    remembered = model.remember(luma, chroma)
    step, painted = model.paint(luma, remembered.state, remembered.memory, {})
    assert step.chroma.shape == chroma.shape
    assert step.confidence.shape == luma.shape
    assert painted.shape == (1, 3, 128, 256)
    assert {n: t.shape for n, t in step.state.items()} == {
        n: t.shape for n, t in remembered.state.items()
    }


def test_state_keeps_the_true_luma_and_only_chroma_goes_out():
    model = small()
    luma, chroma = frame(1)
    step = model.propagate(luma, model.remember(*frame(2)).state, {}, {})
    assert torch.equal(step.state["luma"], luma)
    assert torch.equal(step.state["chroma"], step.chroma)
    assert step.chroma.abs().max() <= 0.5
    assert chroma.shape == step.chroma.shape


def test_previous_frame_matters_and_a_zero_state_is_accepted():
    model = small()
    luma, _ = frame(1)
    state = model.remember(*frame(2)).state
    other = {**state, "chroma": -state["chroma"]}
    none = {name: torch.zeros_like(tensor) for name, tensor in state.items()}
    first, second, blank = (model.propagate(luma, s, {}, {}) for s in (state, other, none))
    assert not torch.allclose(first.chroma, second.chroma)
    assert torch.isfinite(blank.chroma).all()
    assert blank.confidence.max() == 0


def test_confidence_decays_as_the_reports_found_accuracy_to():
    model = small()
    model.calibrate(0.2)
    luma, chroma = frame(1)
    state = model.remember(luma, chroma).state
    for t in range(1, 4):
        step = model.propagate(luma, state, {}, {})
        assert torch.allclose(step.confidence, torch.full_like(luma, (1 - 0.2) ** t))
        state = step.state
    assert "eta" in model.state_dict()


def test_extended_fetches_from_the_key_and_the_plain_model_keeps_nothing():
    luma, _ = frame(1)
    plain, extended = small(), small(ExtendedUNet)
    assert plain.remember(*frame(2)).memory == {}
    state, memory = extended.remember(*frame(2)).state, extended.remember(*frame(3)).memory
    assert memory["chroma"].shape == (1, 1, 2, 128, 128)
    swapped = {**memory, "chroma": -memory["chroma"]}
    first, second = (extended.propagate(luma, state, m, {}).chroma for m in (memory, swapped))
    assert not torch.allclose(first, second)


def test_a_clips_colours_do_not_depend_on_the_others_in_the_batch():
    model = small()
    luma, chroma = frame(1, batch=3)
    together = model.propagate(luma, model.remember(luma, chroma).state, {}, {}).chroma
    alone = model.propagate(luma[:1], model.remember(luma[:1], chroma[:1]).state, {}, {}).chroma
    # Convolutions sum in another order for another batch size.
    assert torch.allclose(together[:1], alone, atol=1e-5)


def test_view_is_lab():
    luma, chroma = frame(1)
    assert torch.equal(UNet(width=1 / 64).view(luma, chroma), planes_to_lab(luma, chroma))
