"""The arithmetic of random access, checked against plain counting."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidcolor.timeline import (
    BACKWARD,
    CHUNK,
    DIRECTIONS,
    FIRST_INTERVAL,
    FORWARD,
    Checkpoints,
    Pass,
    Shots,
    Timeline,
    nearest,
    next_chunk,
)

frames = st.integers(min_value=0, max_value=5000)


@given(frame=frames, start=frames, stored=st.sets(frames))
def test_nearest_is_the_last_on_the_way(frame, start, stored):
    direction = FORWARD if start < frame else BACKWARD
    counted = [n for n in range(frame, start, -direction) if n in stored]
    run = Pass(start=start, direction=direction, has_key_in_shot=True, keys=(start,))
    assert nearest(frame, stored, run) == (counted[0] if counted else None)


@given(start=st.integers(0, 600), frame=st.integers(0, 600))
def test_chunks_lead_to_the_frame_before(start, frame):
    at, fetched, direction = start, [], 1 if start <= frame else -1
    while chunk := next_chunk(at, frame):
        assert len(chunk) <= CHUNK
        fetched += chunk
        at = chunk[-1]
    assert fetched == list(range(start + direction, frame, direction))


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


@st.composite
def clips(draw):
    """Length, keys, first frames of shots, direction, and a frame that is no key."""
    length = draw(st.integers(2, 40))
    numbers = st.integers(0, length - 1)
    keys = draw(st.sets(numbers, min_size=1, max_size=min(6, length - 1)))
    cuts = draw(st.sets(numbers, max_size=6))
    frame = draw(numbers.filter(lambda n: n not in keys))
    return length, keys, cuts, draw(st.sampled_from(DIRECTIONS)), frame


def seen(frame, direction, length, keys, cuts):
    """What lies that way from `frame` in its shot: a key's frame, or None and the frame beyond."""
    while True:
        into = frame if direction == FORWARD else frame + 1  # the later one of a frame and the next
        frame -= direction
        if not 0 <= frame < length or into in cuts:
            return None, frame
        if frame in keys:
            return frame, frame


@given(clip=clips())
def test_runs_are_what_looking_around_from_the_frame_finds(clip):
    length, keys, cuts, direction, frame = clip
    runs = Timeline(keys, direction).passes(frame, Shots(length, cuts))
    left, left_edge = seen(frame, FORWARD, length, keys, cuts)
    right, right_edge = seen(frame, BACKWARD, length, keys, cuts)
    forward, backward = left is not None, right is not None
    forward &= direction != "backward"
    backward &= direction != "forward"
    if forward and backward:
        assert runs == (Pass(left, 1, True, (right, left)), Pass(right, -1, True, (left, right)))
    elif forward:
        assert runs == (Pass(left, 1, True, (left,)),)
    elif backward:
        assert runs == (Pass(right, -1, True, (right,)),)
    else:
        before = [key for key in sorted(keys) if key < frame][-1:]
        after = [key for key in sorted(keys) if key > frame][:1]
        is_back = direction == "backward" or (direction == "both" and not before)
        start, direction = (right_edge, -1) if is_back else (left_edge, 1)
        assert runs == (Pass(start, direction, False, (*before, *after)),)


@given(clip=clips())
def test_shots_are_learned_before_runs_are_told(clip):
    length, keys, cuts, direction, frame = clip
    timeline, shots = Timeline(keys, direction), Shots(length)
    learned = []
    while missing := timeline.unknown(frame, shots):
        assert len(missing) <= CHUNK
        learned += missing
        for n in missing:
            shots.learn(n, starts=n in cuts)
    assert len(learned) == len(set(learned))
    assert timeline.passes(frame, shots) == timeline.passes(frame, Shots(length, cuts))


def test_nothing_is_learned_beyond_what_matters():
    timeline, shots = Timeline([100, 200], "both"), Shots(1000)
    for n in (120, 180):
        shots.learn(n, starts=True)
    asked = []
    while missing := timeline.unknown(150, shots):
        asked += missing
        for n in missing:
            shots.learn(n, starts=False)
    assert asked == [*range(121, 151), *range(151, 180)]


def test_shots_that_are_given_are_the_truth():
    shots = Shots(10, [0, 4])
    shots.learn(7, starts=True)
    shots.learn(4, starts=False)
    assert not shots.unknown(0, 9)
    assert [shots.first_cut(1, 9), shots.last_cut(1, 9)] == [4, 4]


def test_lanes():
    assert Timeline([0], "both").n_directions == 1
    assert Timeline([0, 5], "forward").n_directions == 1
    assert Timeline([5], "both").n_directions == 2
