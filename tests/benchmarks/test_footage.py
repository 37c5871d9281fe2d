from __future__ import annotations

from itertools import pairwise

import numpy as np

from benchmarks.footage import key_of, pan, place
from vidcolor.motion.optical_flow import flow


def test_things_move_by_a_little_and_not_at_random() -> None:
    frames = pan(90, 160)
    assert {frame.shape for frame in frames} == {(90, 160)}
    assert all(frame.std() > 10 for frame in frames)
    motion = flow(frames[1], frames[0])
    assert np.median(np.abs(motion[0])) > 1


def test_a_clip_of_any_length_has_no_jump() -> None:
    places = [place(n) for n in range(100)]
    assert set(places) == set(range(len(pan(16, 16))))
    assert {abs(one - two) for one, two in pairwise(places)} == {1}


def test_a_key_has_colours() -> None:
    key = key_of(np.full((90, 160), 0.5, np.float32))
    assert 0.05 < key.chroma.std() < 0.4
