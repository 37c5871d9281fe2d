from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from evaluation.clips import Clip
from tests.support.footage import scene_clip
from training.data.options import RolloutOptions
from training.data.prefetch import prefetch
from training.data.rollout import Rollout
from training.data.rollouts import Rollouts
from vidcolor.errors import ArgumentError
from vidcolor.inference.contract import FLOW_KEY, FLOW_PREVIOUS, FLOW_TRACK, FLOWS

PLAIN = RolloutOptions(crop=32, flip=False)


def numbered(frames: int = 40) -> Clip:
    """A clip whose frame n has luma n and chroma 128 + n, 128 - n everywhere."""
    n = np.arange(frames, dtype=np.uint8)
    luma = np.broadcast_to(n[:, None, None], (frames, 48, 64))
    chroma = np.stack([128 + n, 128 - n], axis=1)[:, :, None, None]
    return Clip("numbered", luma, np.broadcast_to(chroma, (frames, 2, 48, 64)))


def positions(rollout: Rollout) -> tuple[list[int], int]:
    """Frame numbers of the rollout and of its key, read off a numbered clip's planes."""
    luma = (rollout.luma[0, :, 0, 0, 0] * 255).round().int().tolist()
    cb = (rollout.chroma[0, :, 0, 0, 0] * 255).round().int().tolist()
    assert luma == cb
    return luma, int((rollout.key_luma[0, 0, 0, 0, 0] * 255).round())


def draws(options: RolloutOptions, *, frames: int = 40) -> list[tuple[list[int], int]]:
    rollouts = Rollouts([numbered(frames)], options=options, seed=0)
    return [positions(rollouts.example(step, 0)) for step in range(60)]


def assert_equal(one: Rollout, other: Rollout) -> None:
    for f in fields(Rollout):
        first, second = getattr(one, f.name), getattr(other, f.name)
        assert (first is None and second is None) or torch.equal(first, second), f.name


@pytest.mark.parametrize("dt", [(1, 1), (5, 5), (1, 3)])
def test_frames_are_dt_apart_anywhere_in_the_clip(dt):
    seen = set()
    for frames, key in draws(replace(PLAIN, frames=3, dt=dt)):
        assert len(frames) == 4
        steps = set(np.diff(frames).tolist())
        assert len(steps) == 1
        seen |= steps
        assert frames[0] >= 0
        assert frames[-1] < 40
        assert key == 0
    assert seen == set(range(dt[0], dt[1] + 1))


def test_every_start_is_drawn_the_last_one_too():
    starts = {frames[0] for frames, _ in draws(PLAIN, frames=5)}
    assert starts == {0, 1, 2, 3}


def test_keys_lie_at_the_distance_asked_for():
    distances = {f[0] - key for f, key in draws(replace(PLAIN, key_distance=(4, 9)))}
    assert distances == set(range(4, 10))
    far = {f[0] - key for f, key in draws(replace(PLAIN, key_distance=(100, 100)))}
    assert far == {38}  # as far as a clip of 40 frames allows


def test_reversed_clips_play_backward_from_their_last_frame():
    options = replace(PLAIN, reverse=True, frames=2)
    both = draws(options)
    forward = [f for f, key in both if f[0] < f[1] and key == 0]
    backward = [f for f, key in both if f[0] > f[1] and key == 39]
    assert len(forward) + len(backward) == len(both)
    assert len(forward) > 10
    assert len(backward) > 10


def test_all_frames_and_the_key_are_cut_and_mirrored_alike():
    picture = scene_clip(frames=1)
    still = Clip("still", picture.luma.repeat(6, 0), picture.chroma.repeat(6, 0))
    rollouts = Rollouts([still], options=RolloutOptions(crop=32, frames=2), seed=0)
    examples = [rollouts.example(step, 0) for step in range(20)]
    for example in examples:
        for luma in example.luma[0]:
            assert torch.equal(luma, example.key_luma[0, 0])
        for chroma in example.chroma[0]:
            assert torch.equal(chroma, example.key_chroma[0, 0])
    windows = np.lib.stride_tricks.sliding_window_view(still.luma[0], (32, 32)).reshape(-1, 32, 32)
    cut = [(e.luma[0, 0, 0].numpy() * 255).round().astype(np.uint8) for e in examples]
    straight = [(windows == c).all((1, 2)).any() for c in cut]
    mirrored = [(windows == c[:, ::-1]).all((1, 2)).any() for c in cut]
    assert all(a or b for a, b in zip(straight, mirrored, strict=True))
    assert any(straight)
    assert any(mirrored)
    assert len({c.tobytes() for c in cut}) > 15


def test_chroma_is_turned_about_gray_by_one_angle_and_luma_is_not():
    options = replace(PLAIN, frames=2)
    plain = Rollouts([scene_clip()], options=options, seed=0).example(0, 0)
    turned = Rollouts([scene_clip()], options=replace(options, chroma_rotation=180.0), seed=0)
    turned = turned.example(0, 0)
    assert torch.equal(plain.luma, turned.luma)
    before = torch.complex(*torch.cat([plain.chroma, plain.key_chroma], 1).unbind(2))
    after = torch.complex(*torch.cat([turned.chroma, turned.key_chroma], 1).unbind(2))
    coloured = before.abs() > 0.02
    angles = (after / before)[coloured]
    assert torch.allclose(angles, angles[0], atol=1e-3)
    assert angles[0].abs().item() == pytest.approx(1.0, abs=1e-3)
    assert (angles[0] - 1).abs() > 0.1


def test_an_example_depends_on_seed_step_and_place_alone():
    clips = [scene_clip(seed) for seed in range(3)]
    options = RolloutOptions(crop=64, frames=2, dt=(1, 3), reverse=True, chroma_rotation=90)
    first = Rollouts(clips, options=options, seed=5)
    first.batch(0, range(4))  # what was drawn before must not matter
    assert_equal(
        first.batch(7, range(4)), Rollouts(clips, options=options, seed=5).batch(7, range(4))
    )
    halves = [first.batch(7, places) for places in (range(2), range(2, 4))]
    assert_equal(Rollout.stack(halves), first.batch(7, range(4)))
    assert not torch.equal(first.example(7, 0).luma, first.example(8, 0).luma)
    other = Rollouts(clips, options=options, seed=6)
    assert not torch.equal(first.example(7, 0).luma, other.example(7, 0).luma)


def test_shapes_and_ranges_with_flow():
    rollouts = Rollouts(
        [scene_clip()],
        options=replace(PLAIN, frames=3, crop=64),
        seed=0,
        flows=FLOWS,
    )
    batch = rollouts.batch(0, range(2))
    shapes = {f.name: tuple(getattr(batch, f.name).shape) for f in fields(Rollout)}
    assert shapes == {
        "luma": (2, 4, 1, 64, 64),
        "chroma": (2, 4, 2, 64, 64),
        "key_luma": (2, 1, 1, 64, 64),
        "key_chroma": (2, 1, 2, 64, 64),
        "flow_previous": (2, 3, 2, 64, 64),
        "flow_key": (2, 3, 1, 2, 64, 64),
        "flow_track": (2, 3, 1, 2, 64, 64),
        "follows": (2,),
        "no_history": (2,),
    }
    assert set(batch.flows(1)) == FLOWS
    assert batch.luma.min() >= 0
    assert batch.luma.max() <= 1
    assert batch.chroma.abs().max() <= 0.5


def test_flow_points_from_each_frame_to_the_one_before_and_to_the_key():
    picture = scene_clip(frames=1, pan=0)
    luma = np.concatenate([np.roll(picture.luma, 2 * t, axis=2) for t in range(6)])
    moving = Clip("moving", luma, picture.chroma.repeat(6, 0))
    options = RolloutOptions(crop=128, flip=False, frames=2, dt=(2, 2))
    rollouts = Rollouts(
        [moving], options=options, seed=0, flows=frozenset({FLOW_PREVIOUS, FLOW_KEY})
    )
    example = rollouts.example(0, 0)
    # What was at x in the frame before is at x + 4 now, so it lies at -4 from here.
    previous = example.flow_previous[0, :, :, 32:96, 32:96]
    assert previous[:, 0].median().item() == pytest.approx(-4, abs=0.3)
    assert previous[:, 1].median().item() == pytest.approx(0, abs=0.3)
    to_key = example.flow_key[0, :, 0, 0, 32:96, 32:96].flatten(1).median(1).values
    assert (to_key[1] - to_key[0]).item() == pytest.approx(-4, abs=0.5)


def test_tracks_go_on_from_rollout_to_rollout_of_a_stream():
    """After 24 frames of 3 pixels only what was followed all the way knows where it came from."""
    picture = scene_clip(frames=1, pan=0)
    luma = np.concatenate([np.roll(picture.luma, 3 * t, axis=2) for t in range(25)])
    moving = Clip("moving", luma, picture.chroma.repeat(25, 0))
    options = RolloutOptions(
        crop=128, flip=False, frames=3, own_output=True, stream=(24, 24), cold=0.0
    )

    def rollouts() -> Rollouts:
        return Rollouts([moving], options=options, seed=0, flows=FLOWS)

    straight_through = rollouts()
    last = [straight_through.example(step, 0) for step in range(8)][-1]
    track = last.flow_track[0, -1, 0, 0, 16:112, 80:120]
    assert track.median().item() == pytest.approx(-72, abs=1)
    # Resumed there, and asked for an earlier step again.
    assert_equal(rollouts().example(7, 0), last)
    assert_equal(straight_through.example(4, 0), rollouts().example(4, 0))


def test_a_cold_start_follows_nothing():
    options = RolloutOptions(crop=64, frames=2, own_output=True, stream=(6, 6), cold=1.0)
    first = Rollouts([scene_clip()], options=options, seed=0, flows=FLOWS).example(0, 0)
    assert not first.flow_previous[:, 0].any()
    assert torch.equal(first.flow_track[:, 0], first.flow_key[:, 0])
    alone = Rollouts([scene_clip()], options=options, seed=0, flows=frozenset({FLOW_TRACK}))
    assert alone.example(0, 0).flows(1).keys() == {FLOW_TRACK}


def test_prefetched_batches_are_those_of_their_steps():
    rollouts = Rollouts([scene_clip()], options=PLAIN, seed=0)
    fetched = list(prefetch(rollouts, steps=range(3, 6), indices=range(2)))
    assert [step for step, _ in fetched] == [3, 4, 5]
    for step, batch in fetched:
        assert_equal(batch, rollouts.batch(step, range(2)))


def test_clips_too_short_are_left_out():
    rollouts = Rollouts([numbered(3), numbered(9)], options=replace(PLAIN, frames=4), seed=0)
    assert [len(clip) for clip in rollouts.clips] == [9]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"frames": 50}, "needs 51 frames"),
        ({"crop": 64}, "48 pixels"),
        ({"frames": 0}, "frames is 0"),
        ({"dt": (0, 1)}, "dt is 0 1"),
        ({"dt": (3, 2)}, "dt is 3 2"),
        ({"key_distance": (-1, 2)}, "key_distance is -1 2"),
        ({"motion": -1.0}, "motion is -1.0"),
        ({"motion": float("nan")}, "motion is nan"),
        ({"saturation": float("inf")}, "saturation is inf"),
    ],
)
def test_options_that_cannot_be(changes, message):
    with pytest.raises(ArgumentError, match=message):
        Rollouts([numbered()], options=replace(PLAIN, **changes), seed=0)
