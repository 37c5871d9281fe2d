from __future__ import annotations

import numpy as np

from vidcolor.inference.contract import FLOW_PREVIOUS, FLOW_TRACK, FLOWS
from vidcolor.motion.clip_inputs import prepare_clip
from vidcolor.motion.optical_flow import flow
from vidcolor.motion.pad import pad
from vidcolor.motion.track import half_size

RNG = np.random.default_rng(0)
KEY, FIRST, SECOND = RNG.integers(0, 256, (3, 45, 61), np.uint8)


def test_frames_are_prepared_one_after_the_other() -> None:
    begun = (np.ones((2, 24, 32), np.float32),)
    first, second = prepare_clip(
        [FIRST, SECOND],
        required_flows=FLOWS,
        multiple=8,
        previous=KEY,
        keys=(half_size(KEY, 8),),
        tracks=begun,
    )
    assert first.previous_tracks is begun
    np.testing.assert_array_equal(first.flows[FLOW_PREVIOUS], pad(flow(FIRST, KEY), 8))
    assert second.previous_tracks is first.tracks
    np.testing.assert_array_equal(second.flows[FLOW_PREVIOUS], pad(flow(SECOND, FIRST), 8))
    assert set(second.flows) == FLOWS
    assert second.flows[FLOW_TRACK].shape == (1, 2, 48, 64)


def test_luma_is_that_of_the_codes() -> None:
    (inputs,) = prepare_clip(
        [FIRST], required_flows=frozenset(), multiple=8, previous=None, keys=(), tracks=None
    )
    luma = inputs.luma[0, 0, :45, :61]
    assert luma.dtype == np.float32
    np.testing.assert_allclose(luma * 255, FIRST, atol=1e-4)
