"""What is varied about an example, and what models are shown of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evaluation.clips import Clip
from evaluation.old_film import OldFilm
from tests.support.footage import scene_clip
from training.data.scene import Scene

FLICKER = 0.08


@pytest.fixture(scope="module")
def clip() -> Clip:
    """In the middle of luma's range, so that exposure does not clip it."""
    clip = scene_clip(frames=12)
    return replace(clip, luma=(64 + clip.luma // 2).astype(np.uint8))


def scene(clip: Clip, flicker: float, *, mirrored: bool = False) -> Scene:
    return Scene(
        clip=clip,
        frames=range(12),
        key=0,
        rows=slice(0, 128),
        columns=slice(8, 136),
        mirrored=mirrored,
        chroma_matrix=np.eye(2, dtype=np.float32),
        film=OldFilm(seed=3, flicker=flicker),
        no_history=False,
    )


@pytest.mark.parametrize("mirrored", [False, True])
def test_flicker_is_evened_out_as_the_runtime_does_it(clip: Clip, mirrored: bool) -> None:
    steady, shown = (
        scene(clip, flicker, mirrored=mirrored).planes(range(12))[0].astype(np.float32)
        for flicker in (0, FLICKER)
    )
    filmed = np.stack(
        [OldFilm(seed=3, flicker=FLICKER).degrade(luma, n) for n, luma in enumerate(steady)]
    )
    exposures = np.median(filmed / steady, axis=(1, 2))
    left = np.median(shown / steady, axis=(1, 2))
    assert np.ptp(exposures) > 0.15
    assert np.array_equal(shown[0], filmed[0])  # the key is as it was filmed
    assert left[2:] == pytest.approx(left[0], rel=0.03)


def test_a_part_of_a_scene_is_shown_as_in_the_whole(clip: Clip) -> None:
    whole, _ = scene(clip, FLICKER).planes(range(12))
    part, _ = scene(clip, FLICKER).planes([7, 8, 0])
    assert np.array_equal(part, whole[[7, 8, 0]])


def test_steady_film_is_left_as_it_is(clip: Clip) -> None:
    shown, _ = scene(clip, 0).planes(range(12))
    assert np.array_equal(shown, clip.luma[:, :128, 8:136])
