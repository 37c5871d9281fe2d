from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage.color import rgb2lab

from training.models.lab import (
    CHROMATICITY,
    LIGHTNESS_HALF,
    lab_to_chroma,
    lightness,
    planes_to_lab,
)
from vidcolor.color import rgb_to_key


@pytest.fixture(scope="module")
def cube() -> np.ndarray:
    """Every 15th level of R, G and B: [18, 324, 3] in [0, 1]."""
    levels = np.arange(0, 256, 15, dtype=np.float32) / 255
    return np.stack(np.meshgrid(levels, levels, levels), -1).reshape(18, 324, 3)


@pytest.fixture(scope="module")
def planes(cube: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    key = rgb_to_key(cube, "bt601")
    return torch.from_numpy(key.luma)[None], torch.from_numpy(key.chroma)


def test_lab_is_that_of_scikit_image(cube, planes):
    scale = torch.tensor([LIGHTNESS_HALF, CHROMATICITY, CHROMATICITY]).view(3, 1, 1)
    lab = planes_to_lab(*planes) * scale + torch.tensor([LIGHTNESS_HALF, 0, 0]).view(3, 1, 1)
    # kornia and scikit-image round the sRGB matrix differently: 0.05 is far below a visible step.
    assert np.abs(np.moveaxis(lab.numpy(), 0, -1) - rgb2lab(cube)).max() < 0.05


def test_every_colour_fits_a_tanh_and_comes_back(planes):
    lab = planes_to_lab(*planes)
    assert lab.abs().max() <= 1.0
    assert (lab[1:].abs().amax() * CHROMATICITY) > 100  # and little of the range is left unused
    assert (lab_to_chroma(lab) - planes[1]).abs().max() < 1e-5


def test_colours_outside_the_gamut_are_clipped():
    luma, chroma = torch.ones(1, 4, 4), torch.full((2, 4, 4), 0.5)
    assert torch.isfinite(planes_to_lab(luma, chroma)).all()
    assert lab_to_chroma(torch.ones(3, 4, 4)).abs().max() <= 0.5 + 1e-6


def test_lightness_is_the_gray_frames():
    luma = torch.linspace(0, 1, 16).view(1, 4, 4)
    gray = planes_to_lab(luma, torch.zeros(2, 4, 4))
    assert torch.allclose(lightness(luma), gray[:1])
    assert lightness(luma)[0, 0, 0] == -1
    assert gray[1:].abs().max() < 1e-3


def test_autocast_does_not_round_colours(planes):
    exact = planes_to_lab(*planes)
    with torch.autocast("cpu", torch.bfloat16):
        lab = planes_to_lab(*planes)
    assert lab.dtype == torch.float32
    assert torch.equal(lab, exact)
