from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from evaluation.clips import Clip
from tests.support.footage import scene_clip
from tests.training.data.test_rollouts import assert_equal
from training.data import flows as module
from training.data.flows import FlowCache
from training.data.options import RolloutOptions
from training.data.rollouts import Rollouts
from vidcolor.errors import ArgumentError
from vidcolor.inference.contract import FLOWS
from vidcolor.motion.previous import previous_flow

PLAIN = RolloutOptions(crop=96, frames=3, own_output=True)
CUT = replace(PLAIN, flow_cache=True)
EDGE = 16
"""Pixels from the crop's edge: nearer, the whole frame shows where things came from, the crop does
not, so the cut flow is the better one."""
TOLERANCE_MEAN, TOLERANCE_MEDIAN = 0.15, 0.05
"""Pixels by which cut flow may differ from that of the crop alone: the search begins on coarser
scales of a larger picture, and its patches lie elsewhere."""


@pytest.fixture(scope="module")
def clip() -> Clip:
    return scene_clip(3, frames=8, pan=2.0)


def rollouts(options: RolloutOptions, clip: Clip, folder) -> Rollouts:
    return Rollouts([clip], options=options, seed=1, flows=FLOWS, flow_folder=folder)


@pytest.mark.parametrize("changes", [{}, {"reverse": True}, {"flip": False}])
def test_cut_flows_are_the_computed_ones_within_the_tolerance(clip, tmp_path, changes):
    computed = rollouts(replace(PLAIN, **changes), clip, None)
    cut = rollouts(replace(CUT, **changes), clip, tmp_path)
    for step in range(6):
        one, other = computed.example(step, 0), cut.example(step, 0)
        assert torch.equal(one.luma, other.luma)
        assert torch.equal(one.chroma, other.chroma)
        inside = np.s_[..., EDGE:-EDGE, EDGE:-EDGE]
        apart = (one.flow_previous - other.flow_previous)[inside].abs()
        assert apart.mean() < TOLERANCE_MEAN
        assert apart.median() < TOLERANCE_MEDIAN
        assert one.flow_previous[inside].abs().mean() > 5 * TOLERANCE_MEAN  # things do move


def test_flow_is_of_each_frame_to_the_one_that_is_shown_before_it(clip, tmp_path):
    cache = FlowCache(tmp_path)
    forth, back = (cache.flows(clip, backward=backward) for backward in (False, True))
    assert forth.shape == back.shape == (8, 2, *clip.luma.shape[1:])
    assert not forth[0].any()
    assert not back[-1].any()
    np.testing.assert_allclose(forth[3], previous_flow(clip.luma[3], clip.luma[2]), atol=0.02)
    np.testing.assert_allclose(back[3], previous_flow(clip.luma[3], clip.luma[4]), atol=0.02)


def test_a_mirrored_clip_moves_the_other_way(clip, tmp_path):
    """Of twenty examples, some mirrored: flow always leads to where luma is found again."""
    cut = rollouts(replace(CUT, crop=64), clip, tmp_path)
    seen = set()
    for step in range(20):
        example = cut.example(step, 0)
        motion = example.flow_previous[0, 0].numpy()
        here, before = (example.luma[0, t, 0].numpy() for t in (1, 0))
        rows, columns = np.mgrid[:64, :64]
        y = np.clip(np.rint(rows + motion[1]), 0, 63).astype(int)
        x = np.clip(np.rint(columns + motion[0]), 0, 63).astype(int)
        inside = np.s_[EDGE:-EDGE, EDGE:-EDGE]
        moved = np.abs(here - before[y, x])[inside].mean()
        assert moved < 0.6 * np.abs(here - before)[inside].mean()
        seen.add(bool(np.median(motion[0]) > 0))
    assert seen == {True, False}


def test_they_are_computed_once(clip, tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(
        module, "previous_flow", lambda *planes: calls.append(1) or previous_flow(*planes)
    )
    cut = rollouts(replace(CUT, reverse=True), clip, tmp_path)
    for step in range(8):
        cut.example(step, 0)
    assert len(calls) == 2 * (len(clip) - 1)  # in each direction
    again = rollouts(replace(CUT, reverse=True), clip, tmp_path)
    assert_equal(again.example(3, 0), cut.example(3, 0))
    assert len(calls) == 2 * (len(clip) - 1)
    other = replace(clip, luma=clip.luma[::-1].copy())  # of the same name
    rollouts(CUT, other, tmp_path).example(0, 0)
    assert len(calls) == 3 * (len(clip) - 1)


@pytest.mark.parametrize("changes", [{"film": 1.0}, {"dt": (2, 2)}])
def test_degraded_frames_and_distant_ones_have_their_own_flow(clip, tmp_path, changes):
    computed = rollouts(replace(PLAIN, **changes), clip, None)
    cut = rollouts(replace(CUT, **changes), clip, tmp_path)
    for step in range(3):
        assert_equal(computed.example(step, 0), cut.example(step, 0))
    assert not list(tmp_path.iterdir())


def test_no_history_has_no_flow(clip, tmp_path):
    options = replace(CUT, stream=(6, 6), cold=1.0)
    first = rollouts(options, clip, tmp_path).example(0, 0)
    assert not first.flow_previous[:, 0].any()
    assert first.flow_previous[:, 1].any()


def test_without_a_folder_it_is_refused(clip):
    with pytest.raises(ArgumentError, match="flow_cache is on, but no folder"):
        rollouts(CUT, clip, None)
