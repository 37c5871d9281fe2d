from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.data.prepare.splits import folder_split, random_split
from vidcolor.errors import ArgumentError

names = st.lists(st.text(st.characters(codec="ascii"), min_size=1), unique=True)


@given(names, st.floats(0, 0.5), st.integers(0, 9), st.randoms())
def test_law_of_the_random_split(videos, share, seed, shuffle):
    found = random_split(videos, test=share, seed=seed)
    assert set(found) == set(videos)
    tests = sum(split == "test" for split in found.values())
    assert abs(tests - share * len(videos)) <= 1
    if len(videos) > 1 and share:
        assert 1 <= tests < len(videos)
    shuffled = shuffle.sample(videos, len(videos))
    assert random_split(shuffled, test=share, seed=seed) == found


def test_seeds_split_differently():
    videos = [f"{n}.mp4" for n in range(100)]
    splits = [random_split(videos, test=0.5, seed=seed) for seed in range(2)]
    both = sum(splits[0][video] == splits[1][video] == "test" for video in videos)
    assert 15 < both < 35


def test_the_outermost_folder_with_a_telling_name_decides():
    assert folder_split(["Val/train/a.mp4"]) == {"Val/train/a.mp4": "test"}


def test_a_video_in_no_such_folder_is_refused():
    with pytest.raises(ArgumentError, match=r"x/a\.mp4 lies in no folder called train, training"):
        folder_split(["x/a.mp4"])
