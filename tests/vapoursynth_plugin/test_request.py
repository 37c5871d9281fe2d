"""Tasks that run side by side, and how much one may ask for."""

import re
from pathlib import Path
from threading import Barrier, BrokenBarrierError

import pytest

from tests.support.scenes import render
from tests.support.waiting import DEADLINE
from tests.vapoursynth_plugin.reference import Case, planes_of
from vidcolor.propagate import Propagator
from vidcolor.timeline import CHUNK
from vsvidcolor.request import MAX_INPUTS, InputRequest, InputResponse, run_concurrently

LENGTH = 16
SHIM = Path(__file__).parents[2] / "vapoursynth_plugin" / "shim.c"


def counter(*numbers):
    """A task that needs these frames, one after the other, and returns what it was given."""
    seen = []
    for number in numbers:
        response = yield InputRequest(lumas=[number])
        seen.append(response.lumas[number])
    return seen


def run(task):
    """What `task` needed, turn by turn, and its result."""
    requests, response = [], None
    while True:
        try:
            request = next(task) if response is None else task.send(response)
        except StopIteration as done:
            return requests, done.value
        requests.append(request)
        response = InputResponse(lumas={n: f"luma {n}" for n in request.lumas}, keys={})


@pytest.mark.parametrize("streams", [1, 2, 3])
def test_inputs_are_fetched_together_and_results_kept_apart(streams):
    requests, results = run(
        run_concurrently([counter(1, 2, 3), counter(2), counter()], streams=streams)
    )
    assert [tuple(request.lumas) for request in requests] == [(1, 2), (2,), (3,)]
    assert results == [["luma 1", "luma 2", "luma 3"], ["luma 2"], []]


@pytest.mark.parametrize("streams", [1, 2])
def test_what_one_raises_is_raised(streams):
    def broken():
        yield InputRequest(lumas=[4])
        raise ValueError("broken")

    with pytest.raises(ValueError, match=r"^broken$"):
        run(run_concurrently([counter(1, 2, 3), broken()], streams=streams))


def meeting(monkeypatch, seconds):
    """Steps wait so long for another; one entry for each that met one."""
    barrier, step, met = Barrier(2), Propagator.step, []

    def slow(self, luma, state):
        try:
            barrier.wait(seconds)
            met.append(1)
        except BrokenBarrierError:
            barrier.reset()
        return step(self, luma, state)

    monkeypatch.setattr(Propagator, "step", slow)
    return met


@pytest.mark.parametrize("streams", [1, 2])
def test_between_two_keys_both_steps_are_made_at_a_time(streams, session, toy_bundle, monkeypatch):
    case = Case(render(3, 48, 64), "YUV420P8", size=32, keys=(0, 2))
    plain = case.plain_loop(session)
    met = meeting(monkeypatch, DEADLINE if streams == 2 else 0.4)
    colored = case.propagate(toy_bundle, num_streams=streams)
    assert planes_of(colored.get_frame(1)) == plain[1]
    assert len(met) == (2 if streams == 2 else 0)


def test_a_step_that_fails_beside_another_fails_its_frame(toy_bundle, session, monkeypatch):
    case = Case(render(LENGTH, 48, 64), "YUV420P8", size=32, keys=(0, LENGTH - 1))
    plain, step = case.plain_loop(session), Propagator.step
    broken = []

    def fragile(self, luma, state):
        broken.append(1)
        if len(broken) == 9:
            raise RuntimeError("model exploded")
        return step(self, luma, state)

    monkeypatch.setattr(Propagator, "step", fragile)
    colored = case.propagate(toy_bundle, num_streams=2)
    with pytest.raises(Exception, match=r"^Propagate: frame \d+: RuntimeError: model exploded$"):
        colored.get_frame(8)
    assert planes_of(colored.get_frame(8)) == plain[8]


def test_two_chunks_fit_into_one_request_of_the_shim():
    """The bound is named once in C and once in Python; the shim refuses what is above it."""
    (bound,) = re.findall(r"^#define MAX_INPUTS (\d+)", SHIM.read_text(), re.MULTILINE)
    assert int(bound) == MAX_INPUTS == 2 * CHUNK
