from __future__ import annotations

import numpy as np

from vidcolor.inference.contract import FLOW_KEY, FLOW_PREVIOUS, FLOW_TRACK, FLOWS
from vidcolor.motion.frame_inputs import prepare_inputs
from vidcolor.motion.optical_flow import flow, to_uint8
from vidcolor.motion.pad import pad
from vidcolor.motion.track import direct_flow, enlarge_flow, follow, half_size, halve_flow

RNG = np.random.default_rng(0)
HERE, BEFORE, KEY = RNG.random((3, 45, 61), np.float32)


def test_a_frame_is_prepared_for_the_one_before_and_every_key() -> None:
    here, before = to_uint8(HERE), to_uint8(BEFORE)
    keys = tuple(half_size(to_uint8(luma), 8) for luma in (KEY, BEFORE))
    inputs = prepare_inputs(
        HERE, None, required_flows=FLOWS, multiple=8, previous=before, keys=keys
    )
    np.testing.assert_array_equal(inputs.luma, pad(HERE[None], 8))
    np.testing.assert_array_equal(inputs.flows[FLOW_PREVIOUS], pad(flow(here, before), 8))
    direct = [direct_flow(half_size(here, 8), key) for key in keys]
    np.testing.assert_array_equal(inputs.direct, direct)
    at_full = np.stack([enlarge_flow(f, np.empty((2, 48, 64), np.float32)) for f in direct])
    np.testing.assert_array_equal(inputs.flows[FLOW_KEY], at_full)
    planes = 48 * 64 * (1 + 2 + 4) + 24 * 32 * 4
    assert inputs.nbytes == 4 * planes + 45 * 61 + 24 * 32
    assert repr(inputs) == "FrameInputs(size=(45, 61), flows=['flow.key', 'flow.previous'])"


def test_tracks_go_on_from_those_of_the_frame_before() -> None:
    previous = to_uint8(BEFORE)
    keys = tuple(half_size(to_uint8(luma), 8) for luma in (KEY, BEFORE))
    inputs = prepare_inputs(
        HERE, None, required_flows=FLOWS, multiple=8, previous=previous, keys=keys
    )
    since = tuple(np.full((2, 24, 32), shift, np.float32) for shift in (0, 3))
    followed = inputs.with_tracks(since)
    step = halve_flow(inputs.flows[FLOW_PREVIOUS][0])
    for place, key in enumerate(keys):
        expected = follow(
            half_size(to_uint8(HERE), 8),
            key,
            direct=inputs.direct[place],
            to_previous=step,
            previous_track=since[place],
        )
        np.testing.assert_array_equal(followed.tracks[place], expected)
        expected = enlarge_flow(expected, np.empty((2, 48, 64), np.float32))
        np.testing.assert_array_equal(followed.flows[FLOW_TRACK][place], expected)
    assert inputs.tracks is None, "inputs are a value"
    assert followed.with_tracks(since) is followed
    assert followed.with_tracks(None).tracks == inputs.direct
    for unasked in (frozenset({FLOW_PREVIOUS, FLOW_KEY}), frozenset[str]()):
        alone = prepare_inputs(
            HERE, None, required_flows=unasked, multiple=8, previous=previous, keys=()
        )
        assert alone.with_tracks(since) is alone


def test_flow_to_a_key_that_was_found_already_is_taken_over() -> None:
    keys = tuple(half_size(to_uint8(luma), 8) for luma in (KEY, BEFORE))
    one = prepare_inputs(HERE, None, required_flows=FLOWS, multiple=8, previous=None, keys=keys[1:])
    other = prepare_inputs(
        HERE, None, required_flows=FLOWS, multiple=8, previous=None, keys=keys, reuse=one
    )
    assert other.direct[1] is one.direct[0]


def test_only_what_the_model_asks_for_is_made() -> None:
    alone = prepare_inputs(
        HERE, None, required_flows=frozenset(), multiple=8, previous=None, keys=()
    )
    assert (alone.flows, alone.luma8) == ({}, None)
    still = prepare_inputs(
        HERE, None, required_flows=frozenset({FLOW_PREVIOUS}), multiple=8, previous=None, keys=()
    )
    assert list(still.flows) == [FLOW_PREVIOUS]
    assert not still.flows[FLOW_PREVIOUS].any()


def test_which_frames_it_was_prepared_for() -> None:
    before, key, another = (
        to_uint8(BEFORE),
        half_size(to_uint8(KEY), 8),
        half_size(to_uint8(HERE), 8),
    )
    inputs = prepare_inputs(
        HERE, None, required_flows=FLOWS, multiple=8, previous=before, keys=(key,)
    )
    assert inputs.follows(before, (key,))
    assert inputs.follows(before.copy(), (key.copy(),))
    for previous, keys in (
        (None, (key,)),
        (to_uint8(KEY), (key,)),
        (before, (another,)),
        (before, ()),
        (before, (key, key)),
    ):
        assert not inputs.follows(previous, keys)
