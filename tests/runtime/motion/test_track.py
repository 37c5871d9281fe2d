from __future__ import annotations

import cv2
import numpy as np
import pytest

from vidcolor.motion.optical_flow import Flow, Luma8, flow
from vidcolor.motion.track import (
    STRIDE,
    direct_flow,
    enlarge_flow,
    first_tracks,
    follow,
    halve,
    halve_flow,
)

HEIGHT, WIDTH = 96, 160
RNG = np.random.default_rng(0)


def texture(height: int, width: int) -> Luma8:
    noise = cv2.GaussianBlur(RNG.standard_normal((height, width)), (0, 0), 3)
    return np.rint(127 + 60 * noise / noise.std()).clip(0, 255).astype(np.uint8)


def panned(frames: int, speed: int) -> list[Luma8]:
    """A camera that turns to the right, so that what it sees moves to the left."""
    ground = texture(HEIGHT, WIDTH + frames * speed)
    return [ground[:, n * speed : n * speed + WIDTH].copy() for n in range(frames)]


def walk(lumas: list[Luma8]) -> list[tuple[Flow, Flow]]:
    """Of frames 1, 2, ...: the track of frame 0 and the flow straight there."""
    before, there = flow(lumas[0], lumas[0]), []
    for here, previous in zip(lumas[1:], lumas[:-1], strict=True):
        direct = flow(here, lumas[0])
        step = flow(here, previous)
        before = follow(here, lumas[0], direct=direct, to_previous=step, previous_track=before)
        there.append((before, direct))
    return there


def test_a_track_arrives_where_flow_straight_to_the_key_is_lost() -> None:
    """After 28 frames of 3 pixels half of the key is out of sight: the other half is known."""
    track, direct = walk(panned(29, 3))[-1]
    seen = np.s_[8:-8, 4 : WIDTH - 28 * 3 - 8]
    wrong = [float((np.abs(motion[0][seen] - 84) > 1).mean()) for motion in (track, direct)]
    assert wrong[0] < 0.02
    assert wrong[1] > 0.5
    assert np.abs(track[1][seen]).max() < 1


def test_a_track_does_not_drift() -> None:
    """A step that is wrong by half a pixel each time is put right at the key each time."""
    lumas = [texture(HEIGHT, WIDTH)] * 20
    still = np.zeros((2, HEIGHT, WIDTH), np.float32)
    before = still
    for here in lumas:
        before = follow(
            here, lumas[0], direct=still + 9, to_previous=still + 0.5, previous_track=before
        )
    assert np.abs(before).mean() < 0.1


def test_grain_does_not_move_a_track() -> None:
    """Where there is nothing but grain, a search explains it a little better almost anywhere."""
    grain = np.random.default_rng(1).normal(127, 0.7, (2, HEIGHT, WIDTH))
    here, key = np.rint(grain).astype(np.uint8)
    still = np.zeros((2, HEIGHT, WIDTH), np.float32)
    track = follow(here, key, direct=still + 9, to_previous=still, previous_track=still)
    assert (np.abs(track).max(0) > 0.3).mean() < 0.2
    searched = flow(here, key, guess=still, stride=STRIDE)
    assert (np.abs(searched).max(0) > 0.3).mean() > 0.6


def test_what_was_hidden_is_found_again() -> None:
    """A wall hides a part of the picture for a while; flow straight to the key knows it again."""
    key = texture(HEIGHT, WIDTH)
    wall = key.copy()
    wall[:, 40:90] = texture(HEIGHT, 50)
    lost = np.zeros((2, HEIGHT, WIDTH), np.float32)
    lost[:, :, 40:90] = 25
    hidden = follow(wall, key, direct=flow(wall, key), to_previous=lost * 0, previous_track=lost)
    assert np.abs(hidden[:, 8:-8, 50:80]).mean() > 3
    again = follow(key, key, direct=flow(key, key), to_previous=lost * 0, previous_track=hidden)
    assert np.abs(again[:, 8:-8, 8:-8]).max() < 1


def test_the_first_tracks_are_the_direct_flow_to_each_key() -> None:
    """The keys lie 2 and 4 pixels on: what is seen moves to the left."""
    here, *keys = panned(3, 2)
    tracks = first_tracks(here, keys)
    assert [float(np.median(track[0])) for track in tracks] == pytest.approx([-2, -4], abs=0.1)
    np.testing.assert_array_equal(tracks[1], direct_flow(here, keys[1]))
    assert first_tracks(here, ()) == ()


def test_the_first_tracks_of_a_key_to_itself_are_zero() -> None:
    here = texture(HEIGHT, WIDTH)
    (track,) = first_tracks(here, (here,))
    assert not track.any()


@pytest.mark.parametrize(("height", "width"), [(8, 8), (8, 40), (16, 24), (24, 130), (70, 66)])
def test_planes_of_any_size_are_followed(height: int, width: int) -> None:
    here = texture(height, width)
    still = np.zeros((2, height, width), np.float32)
    track = follow(here, here, direct=still + 2, to_previous=still, previous_track=still)
    assert track.dtype == np.float32
    np.testing.assert_allclose(track, 0, atol=0.1)


def test_what_was_followed_before_does_not_matter() -> None:
    lumas = panned(4, 2)
    expected = walk(lumas)[-1][0]
    walk([luma[:70, :80].copy() for luma in lumas])
    np.testing.assert_array_equal(walk(lumas)[-1][0], expected)


def test_half_size_and_back() -> None:
    motion = np.full((2, 6, 8), 3, np.float32)
    motion[1] = -1
    half = halve_flow(motion)
    assert (half[0] == 1.5).all()
    assert (half[1] == -0.5).all()
    np.testing.assert_array_equal(enlarge_flow(half, np.empty((2, 6, 8), np.float32)), motion)
    plane = np.arange(8, dtype=np.uint8).repeat(2).reshape(4, 4)
    assert halve(plane * 2).tolist() == [[2, 4], [10, 12]]
