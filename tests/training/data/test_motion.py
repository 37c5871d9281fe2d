from __future__ import annotations

import numpy as np
import pytest

from evaluation.clips import Clip
from tests.support.scenes import render
from training.data.motion import STILL, motion, sampling_weights
from training.data.options import RolloutOptions
from training.data.rollouts import Rollouts


def clip(pan: int, *, frames: int = 12) -> Clip:
    """A gray picture along which the camera moves by so many pixels a frame."""
    picture = np.rint(render(1, 96, 128 + 12 * 3, seed=3).luma[0] * 255).astype(np.uint8)
    luma = np.stack([picture[:, pan * n : pan * n + 128] for n in range(frames)])
    return Clip(f"pan {pan}", luma, np.full((frames, 2, 96, 128), 128, np.uint8))


@pytest.mark.parametrize("pan", [0, 1, 3])
def test_motion_is_pixels_a_frame(pan):
    assert motion(clip(pan)) == pytest.approx(pan, abs=0.3)


def test_a_clip_of_one_frame_does_not_move():
    assert motion(clip(1, frames=1)) == 0


def test_sampling_weights_are_in_proportion():
    fast, slow = clip(3), clip(1)
    expected = np.array([motion(fast), motion(slow)]) + STILL
    np.testing.assert_allclose(sampling_weights([fast, slow], 1.0), expected / expected.sum())
    np.testing.assert_allclose(sampling_weights([fast, slow], 0.0), 0.5)


@pytest.mark.parametrize(("power", "share"), [(0.0, 0.5), (2.0, 0.9)])
def test_clips_that_move_are_drawn_more_often(power, share):
    """Told apart by chroma: the moving one has none."""
    still = clip(0)
    still = Clip("still", still.luma, still.chroma + 10)
    options = RolloutOptions(crop=32, flip=False, motion=power)
    rollouts = Rollouts([clip(3), still], options=options, seed=0)
    moving = [not rollouts.example(step, 0).chroma.any() for step in range(200)]
    assert np.mean(moving) == pytest.approx(share, abs=0.1)
