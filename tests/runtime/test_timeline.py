"""The arithmetic of random access, checked against plain counting."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidcolor.timeline import CHUNK, FIRST_INTERVAL, Checkpoints, nearest, next_chunk

frames = st.integers(min_value=0, max_value=5000)


@given(frame=frames, stored=st.sets(frames))
def test_nearest_is_the_last_at_or_before(frame, stored):
    counted = [n for n in range(frame + 1) if n in stored]
    assert nearest(frame, stored) == (counted[-1] if counted else None)


@given(start=st.integers(0, 300), gap=st.integers(0, 300), size=st.integers(1, 40))
def test_chunks_lead_to_the_frame_before(start, gap, size):
    frame, at, fetched = start + gap, start, []
    while chunk := next_chunk(at, frame, size=size):
        assert len(chunk) <= size
        fetched += chunk
        at = chunk[-1]
    assert fetched == list(range(start + 1, frame))


def test_a_chunk_is_8_to_32_frames_by_default():
    assert 8 <= len(next_chunk(0, 10_000)) == CHUNK <= 32


@given(order=st.lists(frames, max_size=400), limit=st.integers(1, 20))
def test_checkpoints_hold_the_limit_and_name_what_goes(order, limit):
    checkpoints, kept = Checkpoints(limit), set()
    for frame in order:
        kept.add(frame)
        gone = checkpoints.offer(frame)
        assert gone <= kept
        kept -= gone
        assert kept == checkpoints.frames
        assert len(kept) <= limit
        assert all(n % checkpoints.interval == 0 for n in kept)


def test_a_straight_run_keeps_evenly_spread_frames():
    checkpoints = Checkpoints(512)
    for frame in range(170_000):
        checkpoints.offer(frame)
    assert checkpoints.interval == 512
    assert sorted(checkpoints.frames) == list(range(0, 170_000, 512))


def test_the_key_is_never_let_go():
    checkpoints = Checkpoints(1)
    for frame in range(0, 100 * FIRST_INTERVAL, FIRST_INTERVAL):
        checkpoints.offer(frame)
    assert checkpoints.frames == {0}


def test_no_room_is_refused():
    with pytest.raises(ValueError, match="limit must be at least 1, got 0"):
        Checkpoints(0)
