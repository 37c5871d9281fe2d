"""The one law: whatever the order of requests, the threads and the caches, the same bytes."""

from threading import Event

import numpy as np
import pytest
import vapoursynth as vs

from tests.support.scenes import render
from tests.vapoursynth_plugin.reference import Case, planes_of
from vidcolor.propagate import Propagator
from vidcolor.timeline import CHUNK
from vsvidcolor import propagate
from vsvidcolor.replay import Replay

core = vs.core
LENGTH = 120


@pytest.fixture(scope="module")
def case():
    return Case(render(LENGTH, 64, 88), "YUV420P8", size=32)


@pytest.fixture(scope="module")
def plain(case, session):
    return case.plain_loop(session)


@pytest.fixture
def cold(monkeypatch):
    """No room for caches or for more than a few steps: every far request is replayed."""
    threads, size = core.num_threads, core.max_cache_size
    core.num_threads, core.max_cache_size = 8, 1
    monkeypatch.setattr(propagate, "Replay", lambda *parts, **_: Replay(*parts, budget=1))
    yield
    core.num_threads, core.max_cache_size = threads, size


def together(clip, numbers, at_once=8):
    """Bytes of frames asked for `at_once` at a time, in the order of `numbers`."""
    waiting, out = [], []
    for number in numbers:
        if len(waiting) == at_once:
            out.append(planes_of(waiting.pop(0).result()))
        waiting.append(clip.get_frame_async(number))
    return out + [planes_of(future.result()) for future in waiting]


ORDERS = {
    "straight": range(LENGTH),
    "backwards": range(LENGTH - 1, -1, -1),
    "random": np.random.default_rng(4).integers(LENGTH, size=200).tolist(),
    "two places": [n for pair in zip(range(60), range(60, 120), strict=True) for n in pair],
    "every frame twice": [n for n in range(0, LENGTH, 3) for _ in (0, 1)],
    "from the end": [LENGTH - 1, 0, LENGTH - 2, 1],
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.usefixtures("cold")
def test_any_order_from_eight_threads(order, case, plain, toy_bundle):
    colored = case.propagate(toy_bundle)
    assert together(colored, ORDERS[order]) == [plain[n] for n in ORDERS[order]]


@pytest.mark.usefixtures("cold")
def test_requests_one_at_a_time_from_eight_threads(case, plain, toy_bundle):
    colored = case.propagate(toy_bundle)
    order = ORDERS["random"][:60]
    assert [planes_of(colored.get_frame(n)) for n in order] == [plain[n] for n in order]


def test_two_instances_do_not_know_each_other(case, plain, toy_bundle):
    one, two = case.propagate(toy_bundle), case.propagate(toy_bundle)
    futures = [(one.get_frame_async(n), two.get_frame_async(LENGTH - 1 - n)) for n in range(LENGTH)]
    assert [planes_of(f.result()) for f, _ in futures] == plain
    assert [planes_of(f.result()) for _, f in futures] == plain[::-1]


def test_a_straight_run_steps_once_per_frame(case, toy_bundle, monkeypatch):
    steps = count_steps(monkeypatch)
    together(case.propagate(toy_bundle), range(LENGTH))
    assert len(steps) == LENGTH - 1


def test_a_failing_step_fails_its_frame_only(case, plain, toy_bundle, monkeypatch):
    colored = case.propagate(toy_bundle)
    count_steps(monkeypatch, explode_at=20)
    assert planes_of(colored.get_frame(19)) == plain[19]
    with pytest.raises(vs.Error) as caught:
        colored.get_frame(20)
    assert str(caught.value) == "Propagate: frame 20: RuntimeError: model exploded"
    assert [planes_of(colored.get_frame(n)) for n in (20, 21)] == plain[20:22]


def test_a_failing_input_fails_what_needs_it_only(case, plain, toy_bundle):
    good, broken = case.clip(), Event()
    broken.set()

    def pass_on(n, f):
        if n == 40 and broken.is_set():
            raise RuntimeError("source is gone")
        return f

    source = core.std.ModifyFrame(good, good, pass_on)
    colored = case.propagate(toy_bundle, clip=source)
    assert planes_of(colored.get_frame(39)) == plain[39]
    for needs_it in (40, 90):
        with pytest.raises(vs.Error, match="source is gone"):
            colored.get_frame(needs_it)
    broken.clear()
    assert [planes_of(colored.get_frame(n)) for n in (90, 40, 3)] == [plain[n] for n in (90, 40, 3)]


def test_a_far_seek_fetches_the_clip_in_chunks(case, toy_bundle):
    """Nothing is fetched before what lies two chunks ahead of it, so that memory stays bounded."""
    source, made = case.clip(), []

    def pass_on(n, f):
        made.append(n)
        return f

    watched = core.std.ModifyFrame(source, source, pass_on)
    case.propagate(toy_bundle, clip=watched).get_frame(LENGTH - 1)
    gap = [n for n in made if 0 < n < LENGTH - 1]
    assert sorted(gap) == list(range(1, LENGTH - 1))
    assert all(gap.index(n) < gap.index(n + 2 * CHUNK) for n in gap if n + 2 * CHUNK in gap)


def count_steps(monkeypatch, explode_at=None):
    """One entry for each step from now on; the `explode_at`th fails."""
    steps, step = [], Propagator.step

    def counted(self, luma, state):
        steps.append(1)
        if len(steps) == explode_at:
            raise RuntimeError("model exploded")
        return step(self, luma, state)

    monkeypatch.setattr(Propagator, "step", counted)
    return steps
