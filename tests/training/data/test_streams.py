"""Rollouts that follow each other: `RolloutOptions.stream`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.support.footage import scene_clip
from tests.training.data.test_rollouts import PLAIN, assert_equal, numbered, positions
from training.data.options import RolloutOptions
from training.data.rollouts import Rollouts
from training.models.flagship import Flagship
from training.rollout import Unroll
from vidcolor.errors import ArgumentError

STREAM = replace(PLAIN, frames=3, own_output=True, stream=(6, 15))


def walk(options: RolloutOptions, steps: int = 60) -> list[tuple[list[int], int, bool]]:
    rollouts = Rollouts([numbered()], options=options, seed=0)
    examples = [rollouts.example(step, 0) for step in range(steps)]
    return [(*positions(example), bool(example.follows)) for example in examples]


@pytest.mark.parametrize("reverse", [False, True])
def test_a_rollout_begins_where_the_one_it_follows_ended(reverse):
    lengths, before, length = set(), None, 0
    for frames, key, follows in walk(replace(STREAM, dt=(1, 2), reverse=reverse)):
        if follows:
            assert before is not None
            assert (frames[0], key) == (before[0][-1], before[1])
            assert np.diff(frames).tolist() == np.diff(before[0]).tolist()
        else:
            assert frames[0] == key
            lengths.add(length)
            length = 0
        length += 3
        before = frames, key
    assert lengths - {0} == {6, 9, 12, 15}


def test_a_stream_is_varied_as_one():
    """What follows is cut, turned and mirrored as what it follows: the shared frame is the same."""
    options = replace(
        STREAM, crop=48, flip=True, chroma_rotation=180.0, saturation=1.5, film=1.0, stream=(6, 6)
    )
    rollouts = Rollouts([scene_clip(seed) for seed in range(2)], options=options, seed=3)
    for place in range(3):
        first, second = rollouts.example(0, place), rollouts.example(1, place)
        assert bool(second.follows)
        assert torch.equal(first.luma[:, -1], second.luma[:, 0])
        assert torch.equal(first.chroma[:, -1], second.chroma[:, 0])
        assert torch.equal(first.key_chroma, second.key_chroma)


def test_a_stream_depends_on_seed_step_and_place_alone():
    walked = Rollouts([scene_clip()], options=STREAM, seed=5)
    for step in range(9):
        walked.batch(step, range(2))
    jumped = Rollouts([scene_clip()], options=STREAM, seed=5)
    assert_equal(walked.batch(9, range(2)), jumped.batch(9, range(2)))
    assert_equal(walked.batch(2, range(2)), jumped.batch(2, range(2)))  # back again


def test_film_wears_luma_and_not_colour():
    clean = replace(STREAM, film=0.0)
    worn, plain = (
        Rollouts([scene_clip()], options=options, seed=0).example(0, 0)
        for options in (replace(STREAM, film=1.0), clean)
    )
    assert worn.luma.shape == plain.luma.shape
    assert not torch.equal(worn.luma, plain.luma)
    assert torch.equal(worn.chroma, plain.chroma)


def test_saturation_scales_chroma_within_its_bounds():
    factors = []
    for step in range(20):
        plain, scaled = (
            Rollouts([scene_clip()], options=options, seed=0).example(step, 0).chroma
            for options in (PLAIN, replace(PLAIN, saturation=1.5))
        )
        factors.append((scaled.abs().sum() / plain.abs().sum()).item())
    assert min(factors) >= 1 / 1.5 - 1e-3
    assert max(factors) <= 1.5 + 1e-3
    assert max(factors) - min(factors) > 0.3


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"own_output": False}, "own-output"),
        ({"key_distance": (1, 9)}, "key_distance"),
        ({"film": 1.5}, "film"),
        ({"saturation": 0.5}, "saturation"),
    ],
)
def test_what_does_not_fit_together_is_refused(changes, named):
    with pytest.raises(ArgumentError, match=named):
        Rollouts([numbered()], options=replace(STREAM, **changes), seed=0)


def test_a_cold_start_has_no_past():
    """No flow to the frame before, and no colours of it: what is painted comes from the key."""
    options = replace(STREAM, cold=1.0, crop=32)
    rollouts = Rollouts([scene_clip()], options=options, seed=0, flows=Flagship.flows)
    starts = [rollouts.example(step, 0) for step in range(12)]
    assert [bool(r.no_history) for r in starts] == [not bool(r.follows) for r in starts]
    assert not starts[0].flow_previous[:, 0].any()
    assert starts[0].flow_previous[:, 1:].any()
    warm = Rollouts([scene_clip()], options=replace(options, cold=0.0), seed=0)
    assert not any(bool(warm.example(step, 0).no_history) for step in range(12))

    torch.manual_seed(0)
    rolling = Unroll(Flagship(width=8, match_width=16), own_output=True).eval()
    start = starts[0]
    other = replace(start, chroma=-start.chroma)
    assert torch.equal(rolling(start).chroma, rolling(other).chroma)
    warm_starts = [replace(r, no_history=torch.tensor([False])) for r in (start, other)]
    assert not torch.equal(*(rolling(r).chroma for r in warm_starts))
