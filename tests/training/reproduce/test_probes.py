"""Models of which it is known what they do, and what the probes say of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from evaluation.clips import CHROMA_ZERO, CODING, Clip
from training.reproduce.probes import RECOVERY, Fetching, Probe
from vidcolor.color import decode_chroma
from vidcolor.planes import Key, Plane
from vidcolor.propagate import State, Step

FRAMES, SIZE, BLOCK = 12, 48, 4
DARKEST = 100

Policy = Callable[[int, Plane, Plane], Plane]
"""What a model paints frame t with, given the frame before's chroma and the key's."""


@pytest.fixture(scope="module")
def clip() -> Clip:
    """A blue block wanders to the right over a red ground; luma tells the frame's number."""
    luma = np.empty((FRAMES, SIZE, SIZE), np.uint8)
    chroma = np.empty((FRAMES, 2, SIZE, SIZE), np.uint8)
    for t in range(FRAMES):
        luma[t] = DARKEST + t
        chroma[t] = np.reshape((CHROMA_ZERO - 20, CHROMA_ZERO + 30), (2, 1, 1))
        block = slice(BLOCK * t, BLOCK * (t + 1))
        chroma[t, :, :, block] = np.reshape((CHROMA_ZERO + 40, CHROMA_ZERO - 20), (2, 1, 1))
    return Clip("block", luma, chroma)


class Model:
    """A propagator that does what it is told, as the runtime's does what its graphs say."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy

    def init_state(self, key: Key) -> State:
        kept = {"chroma": key.chroma}
        return State(key.luma.shape, tensors=kept, memory=kept, luma=None, key_lumas=())

    def step(self, luma: Plane, state: State) -> Step:
        t = round(float(luma.mean()) * 255) - DARKEST
        chroma = self.policy(t, state.tensors["chroma"], state.memory["chroma"])
        after = State(state.size, {"chroma": chroma}, state.memory, None, ())
        return Step(chroma, np.ones_like(luma), after)


def probe(clip: Clip, policy: Policy) -> Probe:
    return Probe(Model(policy), [clip], frames=4)


def truth(clip: Clip) -> Policy:
    return lambda t, before, key: decode_chroma(*clip.chroma[t], CODING)


def copy(t: int, before: Plane, key: Plane) -> Plane:
    return before


@pytest.mark.parametrize("distance", [1, 5])
def test_transfer_of_a_copier_errs_where_the_block_was_and_is(clip, distance):
    found = probe(clip, copy).transfer(distance)
    assert found.accuracy == pytest.approx(1 - 2 * BLOCK / SIZE)
    assert found.l1 > 1
    right = probe(clip, truth(clip)).transfer(distance)
    assert right.accuracy == 1
    assert right.l1 == pytest.approx(0, abs=0.5)  # chroma is rounded to codes


def test_a_copier_copies_and_a_tracker_tracks(clip):
    copied = probe(clip, copy).tracking(5)
    assert (copied.accuracy, copied.copied) == (0, 1)
    tracked = probe(clip, truth(clip)).tracking(5)
    assert (tracked.accuracy, tracked.copied) == (1, 0)
    assert tracked.saturation == pytest.approx(1)


def test_what_moves_and_turns_gray_is_neither_right_nor_copied(clip):
    faded = probe(clip, lambda t, before, key: truth(clip)(t, before, key) * 0).tracking(5)
    assert (faded.accuracy, faded.copied, faded.saturation) == (0, 0, pytest.approx(0, abs=0.02))
    half = probe(clip, lambda t, before, key: truth(clip)(t, before, key) / 2).tracking(5)
    assert 0.35 < half.saturation < 0.65


def test_still_clips_have_nothing_to_track(clip):
    still = Clip("still", clip.luma, np.repeat(clip.chroma[:1], FRAMES, axis=0))
    found = Probe(Model(copy), [still], 3).tracking(5)
    assert (found.accuracy, found.copied, found.saturation) == (0, 0, 0)


def test_only_a_fetcher_brings_lost_colours_back(clip):
    assert probe(clip, copy).fetching() == Fetching(0, 0)
    fetched = probe(clip, lambda t, before, key: key).fetching()
    # The key's block is not where the frame's is: two blocks of the picture are wrong.
    assert fetched.with_key == pytest.approx(1 - 2 * BLOCK / SIZE)
    assert fetched.without_key == 0
    assert fetched.gain == fetched.with_key
    guessed = probe(clip, truth(clip)).fetching()
    assert (guessed.with_key, guessed.without_key, guessed.gain) == (1, 1, 0)


def test_fetching_takes_its_time(clip):
    """Half of what is missing each frame: seen after the last of `RECOVERY`, not the first."""
    painted = []

    def slow(t: int, before: Plane, key: Plane) -> Plane:
        painted.append(t)
        return before + (key - before) / 2

    assert probe(clip, slow).fetching().gain > 0.5
    assert len(painted) % RECOVERY == 0


def test_clips_shorter_than_the_distance_are_left_out(clip):
    short = Clip("short", clip.luma[:4], clip.chroma[:4])
    both = Probe(Model(copy), [short, clip], 4)
    assert both.transfer(5) == probe(clip, copy).transfer(5)
