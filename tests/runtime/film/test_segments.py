"""Stretches against the runs of every single frame."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidcolor.film.segments import Stretch, stretches
from vidcolor.timeline import BACKWARD, DIRECTIONS, FORWARD, Pass, Shots, Timeline


@st.composite
def films(draw):
    """Length, keys, first frames of shots, direction."""
    length = draw(st.integers(1, 40))
    numbers = st.integers(0, length - 1)
    keys = draw(st.sets(numbers, min_size=1, max_size=6))
    return length, keys, draw(st.sets(numbers, max_size=6)), draw(st.sampled_from(DIRECTIONS))


@given(film=films())
def test_every_frame_is_in_the_stretch_of_its_runs(film):
    length, keys, cuts, direction = film
    timeline, shots = Timeline(keys, direction), Shots(length, cuts)
    plan = stretches(timeline, cuts, length)
    assert [frame for s in plan for frame in range(s.start, s.stop)] == list(range(length))
    for stretch in plan:
        for frame in range(stretch.start, stretch.stop):
            assert stretch.runs == (() if frame in keys else timeline.runs(frame, shots))


@given(film=films(), start=st.integers(0, 39), count=st.integers(1, 40))
def test_a_part_reaches_back_to_where_its_runs_come_from(film, start, count):
    length, keys, cuts, direction = film
    wanted = range(start, min(length, start + count))
    for stretch in stretches(Timeline(keys, direction), cuts, length):
        part = stretch.part(wanted)
        assert set(part) == set(wanted) & set(range(stretch.start, stretch.stop))
        if not part:
            continue
        steps = {frame for frame in part if not stretch.runs}
        for run in stretch.runs:
            far = part[-1] if run.direction == FORWARD else part[0]
            steps |= set(range(run.start + run.direction, far + run.direction, run.direction))
        assert set(stretch.reach(part)) == steps


@pytest.mark.parametrize(("strides", "back"), [((1,), False), ((-1,), True), ((1, -1), True)])
def test_what_goes_back(strides, back):
    runs = {FORWARD: Pass(2, FORWARD, True, (9, 2)), BACKWARD: Pass(9, BACKWARD, True, (2, 9))}
    stretch = Stretch(3, 9, tuple(runs[direction] for direction in strides))
    assert stretch.goes_back is back
    assert stretch.keys == (2, 9)
    assert stretch.keyed
