"""Segments against the runs of every single frame."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidcolor.film.segments import Segment, split_segments
from vidcolor.timeline import BACKWARD, DIRECTIONS, FORWARD, Pass, Shots, Timeline


@st.composite
def films(draw):
    """Length, keys, first frames of shots, direction."""
    length = draw(st.integers(1, 40))
    numbers = st.integers(0, length - 1)
    keys = draw(st.sets(numbers, min_size=1, max_size=6))
    return length, keys, draw(st.sets(numbers, max_size=6)), draw(st.sampled_from(DIRECTIONS))


@given(film=films())
def test_every_frame_is_in_the_segment_of_its_runs(film):
    length, keys, cuts, direction = film
    timeline, shots = Timeline(keys, direction), Shots(length, cuts)
    plan = split_segments(timeline, cuts, length)
    assert [frame for s in plan for frame in range(s.start, s.stop)] == list(range(length))
    for segment in plan:
        for frame in range(segment.start, segment.stop):
            assert segment.passes == (() if frame in keys else timeline.passes(frame, shots))


@given(film=films(), start=st.integers(0, 39), count=st.integers(1, 40))
def test_the_frames_of_a_segment_that_are_wanted(film, start, count):
    length, keys, cuts, direction = film
    wanted = range(start, min(length, start + count))
    for segment in split_segments(Timeline(keys, direction), cuts, length):
        frames = set(range(segment.start, segment.stop))
        assert set(segment.part(wanted)) == set(wanted) & frames
        assert [frame for part in segment.parts(wanted) for frame in part] == sorted(
            set(wanted) & frames
        )


@pytest.mark.parametrize(("strides", "back"), [((1,), False), ((-1,), True), ((1, -1), True)])
def test_what_has_backward_pass(strides, back):
    runs = {FORWARD: Pass(2, FORWARD, True, (9, 2)), BACKWARD: Pass(9, BACKWARD, True, (2, 9))}
    segment = Segment(3, 9, tuple(runs[direction] for direction in strides))
    assert segment.has_backward_pass is back
    assert segment.keys == (2, 9)
    assert segment.has_key_in_shot
