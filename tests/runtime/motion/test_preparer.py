from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from tests.support.waiting import DEADLINE
from vidcolor.errors import ArgumentError
from vidcolor.inference.contract import FLOW_KEY, FLOW_PREVIOUS, FLOW_TRACK, FLOWS
from vidcolor.motion import preparer
from vidcolor.motion.frame_inputs import FrameInputs, prepare_inputs
from vidcolor.motion.optical_flow import to_uint8
from vidcolor.motion.preparer import Preparer
from vidcolor.motion.track import first_tracks, half_size

SIZE = (45, 61)
LUMAS = np.random.default_rng(0).random((5, *SIZE), np.float32)
PREPARER = Preparer(FLOWS, 8)
START = to_uint8(LUMAS[0])
KEYS = (half_size(START, 8),)
TRACKS = first_tracks(KEYS[0], KEYS)


def ahead(lumas: Any, workers: int) -> Any:
    return PREPARER.ahead(
        lumas, size=SIZE, previous=START, keys=KEYS, tracks=TRACKS, workers=workers
    )


@pytest.mark.parametrize("workers", [1, 3])
def test_ahead_is_the_same_as_one_by_one(workers: int) -> None:
    previous, tracks = START, TRACKS
    found = list(ahead(iter(LUMAS[1:]), workers))
    assert len(found) == len(LUMAS) - 1
    for luma, inputs in zip(LUMAS[1:], found, strict=True):
        expected = PREPARER.prepare(luma, size=SIZE, previous=previous, keys=KEYS)
        expected = expected.with_tracks(tracks)
        assert inputs.flows.keys() == expected.flows.keys() == FLOWS
        for name, flow in expected.flows.items():
            np.testing.assert_array_equal(inputs.flows[name], flow)
        np.testing.assert_array_equal(inputs.luma, expected.luma)
        previous, tracks = to_uint8(luma), expected.tracks


def test_other_threads_prepare_while_this_one_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second frame's flow waits for the first frame's step, and both arrive."""
    stepped, lookers, seen = threading.Event(), set(), 0

    def late(*arguments: Any, **options: Any) -> FrameInputs:
        nonlocal seen
        seen += 1
        lookers.add(threading.current_thread())
        assert seen == 1 or stepped.wait(DEADLINE)
        return prepare_inputs(*arguments, **options)

    monkeypatch.setattr(preparer, "prepare_inputs", late)
    prepared = ahead(LUMAS[1:4], workers=1)
    next(prepared)
    stepped.set()
    assert len(list(prepared)) == 2
    assert threading.current_thread() not in lookers


def test_what_is_wrong_is_raised_at_its_place() -> None:
    """No thread waits for the tracks of a frame that has none."""
    prepared = ahead([LUMAS[1], LUMAS[2][:40], LUMAS[3]], workers=3)
    next(prepared)
    with pytest.raises(ArgumentError, match=r"luma is 61x40 pixels, its state is .* of 61x45"):
        next(prepared)


def test_a_luma_of_another_type_is_refused() -> None:
    with pytest.raises(ArgumentError, match=r"luma must be \[h, w\] float32, got .* float64"):
        PREPARER.prepare(LUMAS[1].astype(float), size=SIZE, previous=None, keys=())


@pytest.mark.parametrize(
    ("flows", "needed"),
    [((), False), ((FLOW_KEY,), False), ((FLOW_PREVIOUS,), True), ((FLOW_TRACK,), True)],
)
def test_the_frame_before_is_kept_where_flow_goes_to_it(flows: tuple, needed: bool) -> None:
    kept = Preparer(frozenset(flows), 8).previous(START)
    assert kept is (START if needed else None)
