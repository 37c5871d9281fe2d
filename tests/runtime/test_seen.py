from __future__ import annotations

import numpy as np
import pytest

from vidcolor.contract import FLOW_KEY, FLOW_PREVIOUS
from vidcolor.flow import flow, quantise
from vidcolor.seen import pad, see

RNG = np.random.default_rng(0)
HERE, BEFORE, KEY = RNG.random((3, 45, 61), np.float32)
ALL = frozenset({FLOW_PREVIOUS, FLOW_KEY})


@pytest.mark.parametrize(("height", "width"), [(45, 61), (48, 64), (40, 63), (41, 64)])
def test_padding_repeats_the_edges(height: int, width: int) -> None:
    planes = RNG.random((2, height, width), np.float32)
    padded = pad(planes, 8)
    around = ((0, 0), (0, -height % 8), (0, -width % 8))
    np.testing.assert_array_equal(padded, np.pad(planes, around, mode="edge")[None])
    assert padded.flags.c_contiguous


def test_a_frame_is_seen_beside_the_one_before_and_every_key() -> None:
    before, key = quantise(BEFORE), quantise(KEY)
    seen = see(HERE, None, asks=ALL, multiple=8, previous=before, keys=(key, before))
    here = quantise(HERE)
    for name, others in ((FLOW_PREVIOUS, [before]), (FLOW_KEY, [key, before])):
        expected = np.concatenate([pad(flow(here, other), 8) for other in others])
        np.testing.assert_array_equal(seen.flows[name], expected)
    np.testing.assert_array_equal(seen.luma, pad(HERE[None], 8))
    assert seen.nbytes == 4 * 48 * 64 * (1 + 2 + 4) + 45 * 61
    assert repr(seen) == "Seen(size=(45, 61), flows=['flow.key', 'flow.previous'])"


def test_only_what_the_model_asks_for_is_made() -> None:
    alone = see(HERE, None, asks=frozenset(), multiple=8, previous=None, keys=())
    assert (alone.flows, alone.luma8) == ({}, None)
    still = see(HERE, None, asks=frozenset({FLOW_PREVIOUS}), multiple=8, previous=None, keys=())
    assert list(still.flows) == [FLOW_PREVIOUS]
    assert not still.flows[FLOW_PREVIOUS].any()


def test_who_it_was_seen_beside() -> None:
    before, key = quantise(BEFORE), quantise(KEY)
    seen = see(HERE, None, asks=ALL, multiple=8, previous=before, keys=(key,))
    assert seen.follows(before, (key,))
    assert seen.follows(before.copy(), (key.copy(),))
    for previous, keys in (
        (None, (key,)),
        (key, (key,)),
        (before, (before,)),
        (before, ()),
        (before, (key, key)),
    ):
        assert not seen.follows(previous, keys)
