from __future__ import annotations

import threading
from typing import Any

import cv2
import numpy as np
import pytest

from tests.support.waiting import DEADLINE
from vidcolor.errors import ArgumentError
from vidcolor.inference.contract import FLOW_KEY, FLOW_PREVIOUS, FLOW_TRACK, FLOWS
from vidcolor.motion import frame_inputs, preparer, track
from vidcolor.motion import previous as previous_flows
from vidcolor.motion.exposure import STEADY
from vidcolor.motion.frame_inputs import FrameInputs, prepare_inputs
from vidcolor.motion.optical_flow import flow, to_uint8
from vidcolor.motion.preparer import Preparer
from vidcolor.motion.track import first_tracks, follow, half_size

SIZE = (45, 61)
LUMAS = np.random.default_rng(0).random((5, *SIZE), np.float32)
PREPARER = Preparer(FLOWS, 8, lambda luma: {})
START = to_uint8(LUMAS[0])
KEYS = (half_size(START, 8),)
TRACKS = first_tracks(KEYS[0], KEYS)


def ahead(lumas: Any, workers: int) -> Any:
    return PREPARER.ahead(
        lumas, size=SIZE, previous=START, keys=KEYS, tracks=TRACKS, exposure=STEADY, workers=workers
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
        for name, planes in expected.flows.items():
            np.testing.assert_array_equal(inputs.flows[name], planes)
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


def test_flows_of_as_many_frames_as_there_are_threads_are_under_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And never more; each is OpenCV's work of one thread."""
    together, lock = threading.Barrier(3, timeout=DEADLINE), threading.Lock()
    under_way, most, met, threads = 0, 0, 0, cv2.getNumThreads()

    def counted(*arguments: Any, **options: Any) -> Any:
        nonlocal under_way, most, met
        with lock:
            under_way, met = under_way + 1, met + 1
            most = max(most, under_way)
            is_first = met <= 3
        assert cv2.getNumThreads() == 1
        if is_first:
            together.wait()  # for the first flows of the two other frames
        found = flow(*arguments, **options)
        with lock:
            under_way -= 1
        return found

    monkeypatch.setattr(previous_flows, "flow", counted)
    monkeypatch.setattr(track, "flow", counted)
    assert len(list(ahead(LUMAS[1:], workers=3))) == 4
    assert most == 3
    assert cv2.getNumThreads() == threads


def test_keys_are_followed_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    """One thread follows the second key in a frame, and another the first key in the next frame."""
    keys = (*KEYS, half_size(to_uint8(LUMAS[4]), 8))
    frames = [half_size(to_uint8(luma), 8).tobytes() for luma in LUMAS]
    together = threading.Barrier(2, timeout=DEADLINE)

    def meeting(here: Any, key: Any, **given: Any) -> Any:
        place = frames.index(here.tobytes()), [key is k for k in keys].index(True)
        if place in ((1, 1), (2, 0)):
            together.wait()
        return follow(here, key, **given)

    begun = first_tracks(KEYS[0], keys)
    previous, tracks, expected = START, begun, []
    for luma in LUMAS[1:]:
        inputs = PREPARER.prepare(luma, size=SIZE, previous=previous, keys=keys)
        inputs = inputs.with_tracks(tracks)
        previous, tracks = to_uint8(luma), inputs.tracks
        expected.append(inputs.flows[FLOW_TRACK])
    monkeypatch.setattr(frame_inputs, "follow", meeting)
    running = PREPARER.ahead(
        LUMAS[1:], size=SIZE, previous=START, keys=keys, tracks=begun, exposure=STEADY, workers=2
    )
    np.testing.assert_array_equal([inputs.flows[FLOW_TRACK] for inputs in running], expected)


def test_a_step_takes_the_tracks_that_were_followed_ahead() -> None:
    """It would follow the keys again if they did not go on from the very tracks of its state."""
    tracks = TRACKS
    for inputs in ahead(LUMAS[1:], 2):
        assert inputs.with_tracks(tuple(tracks)) is inputs
        tracks = inputs.tracks


def test_without_a_past_tracks_begin_anew() -> None:
    running = PREPARER.ahead(
        LUMAS[1:3], size=SIZE, previous=None, keys=KEYS, tracks=None, exposure=STEADY, workers=2
    )
    first, second = running
    assert first.tracks == first.direct
    assert second.with_tracks(first.tracks) is second


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
    kept = Preparer(frozenset(flows), 8, lambda luma: {}).previous(START)
    assert kept is (START if needed else None)
