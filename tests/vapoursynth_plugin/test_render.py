"""The renderer: from a request for a frame to its colours, whatever it needs meanwhile."""

import numpy as np
import pytest

from tests.support.scenes import render
from tests.vapoursynth_plugin.loops import color_all
from vidcolor.planes import Key
from vidcolor.propagate import Propagator
from vidcolor.timeline import CHUNK, Shots
from vsvidcolor.key_clip import Keys
from vsvidcolor.render import Renderer
from vsvidcolor.replay import Replay
from vsvidcolor.request import ClipFrame, InputRequest, InputResponse, KeyFrame

LENGTH = 90


@pytest.fixture(scope="module")
def lumas():
    return render(LENGTH, 32, 40).luma


class Clip:
    """A clip, its keys and a renderer; counts what is asked for."""

    def __init__(self, session, lumas, keys, *, cuts=None, tagged=False, direction="both"):
        rng = np.random.default_rng(5)
        self.lumas, self.cuts, self.tagged, self.asked = lumas, cuts or (), tagged, []
        shape = 2, *lumas[0].shape
        self.keys = {n: Key(lumas[n], rng.random(shape, np.float32) - 0.5) for n in keys}
        numbers = list(keys)
        clip_keys = Keys(
            numbers,
            count=len(keys),
            length=LENGTH,
            direction=direction,
            fit=lambda image, frame: self.keys[numbers[image.image]],
        )
        shots = Shots(LENGTH, None if tagged else cuts)
        replay = Replay(Propagator(session), clip_keys, shots, requests=4)
        self.renderer = Renderer(replay, clip_keys, shots)
        self.plain = color_all(Propagator(session), lumas, self.keys, self.cuts, direction)

    def frame(self, number):
        return ClipFrame(self.lumas[number], number in self.cuts if self.tagged else None)

    def response(self, request):
        self.asked.append(request)
        return InputResponse(
            {n: self.frame(n) for n in request.lumas}, {n: KeyFrame(n) for n in request.keys}
        )

    def color(self, number, token=0):
        given = self.frame(number)
        answer = self.renderer.advance(number, token, clip_frame=given)
        while isinstance(answer, InputRequest):
            response = self.response(answer)
            answer = self.renderer.advance(number, token, clip_frame=given, response=response)
        return answer

    def check(self, number):
        made, (chroma, confidence, has_key) = self.color(number), self.plain[number]
        np.testing.assert_array_equal(made.chroma, chroma)
        np.testing.assert_array_equal(made.confidence, confidence)
        assert made.has_key == has_key
        return made


def test_a_key_frame_names_its_key_and_needs_nothing_else(session, lumas):
    clip = Clip(session, lumas, (40, 7))
    made = clip.check(7)
    assert made.key == 1
    assert made.confidence.min() == 1
    assert clip.asked == [InputRequest(lumas=(7,), keys=(1,))]
    assert clip.check(8).key is None


@pytest.mark.parametrize("direction", ["forward", "backward", "both"])
@pytest.mark.parametrize("tagged", [False, True])
def test_any_frame_is_the_plain_loops(direction, tagged, session, lumas):
    clip = Clip(session, lumas, (8, 70), cuts=(30, 50), tagged=tagged, direction=direction)
    for number in (69, 9, 45, 3, 89, 29, 30, 71):
        clip.check(number)


def test_a_cut_that_turns_up_on_the_way_is_not_stepped_over(session, lumas):
    """The frame asked for is not tagged itself, so the cut is only found in the second chunk."""
    clip = Clip(session, lumas, (0,), cuts=(60,), tagged=True)
    clip.frame = lambda n: ClipFrame(lumas[n], True if n == 60 else None)
    clip.check(80)
    assert [list(request.lumas)[:1] for request in clip.asked[1:3]] == [[1], [1 + CHUNK]]


def test_no_request_asks_for_more_than_a_chunk_for_each_direction(session, lumas):
    clip = Clip(session, lumas, (0, LENGTH - 1))
    clip.check(45)
    assert max(len(request.lumas) + len(request.keys) for request in clip.asked) <= 2 * CHUNK
    assert {n for request in clip.asked for n in request.lumas} >= {*range(1, 89)} - {45}


def test_a_dropped_request_leaves_nothing(session, lumas):
    clip = Clip(session, lumas, (0,))
    answer = clip.renderer.advance(80, 7, clip_frame=clip.frame(80))
    assert isinstance(answer, InputRequest)
    assert clip.renderer._tasks.keys() == {7}
    clip.renderer.drop(7)
    assert not clip.renderer._tasks
