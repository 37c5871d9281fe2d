"""Both caches stay within their budget, and hold what is needed next."""

from pathlib import Path

import numpy as np
import pytest

from vidcolor.inference.session import Session
from vidcolor.motion.frame_inputs import prepare_inputs
from vidcolor.planes import Key
from vidcolor.propagate import Propagator
from vidcolor.timeline import FIRST_INTERVAL, FORWARD, Pass
from vsvidcolor.cache import RECENT, InputCache, StepCache

LENGTH, HEIGHT, WIDTH = 300, 24, 40
STEP_BYTES = 10 * 4 * HEIGHT * WIDTH  # chroma and confidence twice, and with luma as toy's state


@pytest.fixture(scope="module")
def propagator(toy_bundle: Path):
    return Propagator(Session.load(toy_bundle, provider="cpu", threads=1))


@pytest.fixture(scope="module")
def lumas():
    return np.random.default_rng(0).random((LENGTH, HEIGHT, WIDTH), np.float32)


@pytest.fixture(scope="module")
def key(lumas):
    chroma = np.random.default_rng(1).random((2, HEIGHT, WIDTH), np.float32) - 0.5
    return Key(luma=lumas[0], chroma=chroma)


def test_kept_steps_stay_within_the_budget(propagator, lumas, key):
    state = propagator.init_state(key)
    kept = StepCache(100 * STEP_BYTES, least=2, interval=FIRST_INTERVAL)
    pass_ = Pass(start=0, direction=FORWARD, has_key_in_shot=True, keys=(0,))
    held = set()
    for n in range(1, LENGTH):
        step = propagator.step(lumas[n], state)
        kept.add(n, step, pass_)
        state = step.state
        held = {at for at in range(n + 1) if (found := kept.nearest(at, pass_)) and found[0] == at}
        assert len(held) <= 100
    assert set(range(LENGTH - RECENT, LENGTH)) <= held
    assert len(held) > RECENT


def test_checkpoints_of_other_passes_make_room(propagator, lumas, key):
    """However many passes there are, the latest one has a checkpoint every few frames."""
    kept = StepCache(40 * STEP_BYTES, least=2, interval=4)
    state = propagator.init_state(key)
    passes = [
        Pass(start=n, direction=FORWARD, has_key_in_shot=True, keys=(n,))
        for n in range(0, LENGTH, 50)
    ]
    for pass_ in passes:
        for n in range(pass_.start + 1, pass_.start + 50):
            kept.add(n, propagator.step(lumas[n], state), pass_)
    found = [kept.nearest(n, passes[-1])[0] for n in range(passes[-1].start + 4, LENGTH)]
    assert all(n - at < 4 for n, at in enumerate(found, passes[-1].start + 4))
    assert kept.nearest(49, passes[0]) is None
    assert sum(map(len, kept._checkpoints.values())) + len(kept._recent) <= 40


def test_inputs_are_dropped_after_their_step_and_bounded():
    pass_, other = (
        Pass(0, FORWARD, has_key_in_shot=True, keys=(0,)),
        Pass(9, FORWARD, has_key_in_shot=True, keys=(9,)),
    )
    lumas = np.random.default_rng(0).random((4, 16, 16), np.float32)
    inputs = [
        prepare_inputs(luma, None, required_flows=frozenset(), multiple=8, previous=None, keys=())
        for luma in lumas
    ]
    cache = InputCache(budget=2 * inputs[0].nbytes)
    cache.put(1, pass_, inputs[1])
    assert cache.get(1, other) is None
    assert cache.get(2, pass_) is None
    assert cache.get(1, pass_) is cache.get(1, pass_) is inputs[1]
    cache.drop(1, pass_)
    assert cache.get(1, pass_) is None
    for n in (1, 2, 1, 3):
        cache.put(n, pass_, inputs[n])
    assert [cache.get(n, pass_) is inputs[n] for n in (1, 2, 3)] == [True, False, True]
    for n in (1, 2, 3, 1):
        cache.drop(n, pass_)
    for n in (1, 2):
        cache.put(n, pass_, inputs[n])
    assert [cache.get(n, pass_) is inputs[n] for n in (1, 2)] == [True, True]
    cache.replace(1, pass_, inputs[1], inputs[0])
    cache.replace(2, pass_, inputs[3], inputs[0])  # others came in between
    cache.replace(3, pass_, inputs[3], inputs[0])  # its step is made
    assert [cache.get(n, pass_) for n in (1, 2, 3)] == [inputs[0], inputs[2], None]
