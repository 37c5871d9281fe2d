"""Frames whose chroma is brought to the clip's size, by the CPU and by what stands beside it."""

from __future__ import annotations

from functools import cache

import numpy as np

from tests.support.scenes import render
from vidcolor.color import Codes, Coding, decode_luma
from vidcolor.grid import Grid
from vidcolor.inference.enlarge import Guide
from vidcolor.planes import Plane
from vidcolor.working_size import WorkingSize

QUARTER = 0.25 / 255
"""A quarter of a code of 8 bits, in planes."""
SUBSAMPLINGS = [(0, 0), (1, 0), (0, 1), (1, 1), (2, 0), (2, 2)]
CODINGS = [
    Coding("bt709", full_range=False),
    Coding("bt709", full_range=True, bits=10),
    Coding("bt2020", full_range=False, bits=16),
    Coding("bt709", full_range=True, bits=16, is_float=True),
    Coding("bt709", full_range=True, bits=32, is_float=True),
]


def codes_of(luma: Plane, coding: Coding) -> Codes:
    zero, span = coding.luma_scale
    codes = luma * span + zero
    return (codes if coding.is_float else np.rint(codes)).astype(coding.dtype)


@cache
def frame(fit: WorkingSize, coding: Coding) -> tuple[Plane, Guide]:
    """Chroma that is noise, and a rendered luma with noise in its lower half."""
    rng = np.random.default_rng(0)
    luma = render(1, fit.height, fit.width).luma[0].copy()
    luma[fit.height // 2 :] = rng.random(luma[fit.height // 2 :].shape)
    codes = codes_of(luma, coding)
    small = fit.downsample(decode_luma(codes, coding))
    return rng.random((2, *small.shape), np.float32) - np.float32(0.5), Guide(codes, coding, small)


def on_cpu(fit: WorkingSize, chroma: Plane, guide: Guide, grid: Grid) -> Plane:
    return fit.upsample(chroma, guide.small, guide.luma, grid.subsampling, grid.siting)
