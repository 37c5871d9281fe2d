"""What is varied about an example, and what models are shown of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evaluation.clips import Clip
from evaluation.old_film import OldFilm
from tests.support.footage import scene_clip
from training.data.options import RolloutOptions
from training.data.rollouts import Rollouts
from training.data.scene import Scene
from vidcolor.motion.preparer import Preparer

FLICKER = 0.08


@pytest.fixture(scope="module")
def clip() -> Clip:
    """In the middle of luma's range, so that exposure does not clip it."""
    clip = scene_clip(frames=12)
    return replace(clip, luma=(64 + clip.luma // 2).astype(np.uint8))


def scene(
    clip: Clip,
    flicker: float,
    *,
    mirrored: bool = False,
    no_history: bool = False,
    evened: bool = True,
) -> Scene:
    return Scene(
        clip=clip,
        frames=range(12),
        key=0,
        rows=slice(0, 128),
        columns=slice(8, 136),
        mirrored=mirrored,
        chroma_matrix=np.eye(2, dtype=np.float32),
        film=OldFilm(seed=3, flicker=flicker),
        no_history=no_history,
        evened=evened,
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


def test_without_history_the_first_coloured_frame_is_what_the_others_are_as_bright_as(
    clip: Clip,
) -> None:
    steady, _ = scene(clip, 0).planes(range(1, 12))
    shown, _ = scene(clip, FLICKER, no_history=True).planes(range(1, 12))
    film = OldFilm(seed=3, flicker=FLICKER)
    assert np.array_equal(shown[0], film.degrade(steady[0], 1))
    left = np.median(shown / steady.astype(np.float32), axis=(1, 2))
    assert left[2:] == pytest.approx(left[0], rel=0.03)


@pytest.mark.parametrize(
    ("flows", "evened"),
    [((), False), (("flow.key",), False), (("flow.previous",), True), (("flow.track",), True)],
)
def test_flicker_is_evened_out_for_the_models_for_which_the_runtime_does_it(
    clip: Clip, flows: tuple[str, ...], evened: bool
) -> None:
    options = RolloutOptions(frames=6, crop=64, film=1.0)
    rollouts = Rollouts([clip], options=options, seed=0, flows=frozenset(flows))
    assert rollouts._draw([0, 0, 0]).evened is evened
    previous = Preparer(frozenset(flows), 2, lambda _: {}).previous(clip.luma[0])
    assert (previous is not None) is evened


def test_flicker_that_is_not_evened_out_is_shown(clip: Clip) -> None:
    shown, _ = scene(clip, FLICKER, evened=False).planes(range(12))
    film = OldFilm(seed=3, flicker=FLICKER)
    filmed = [film.degrade(clip.luma[n, :128, 8:136], n) for n in range(12)]
    assert np.array_equal(shown, np.stack(filmed))
