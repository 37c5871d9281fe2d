"""The native part: what it refuses, each with its own sentence."""

import re

import pytest
import vapoursynth as vs

from vsvidcolor.request import MAX_INPUTS

core = vs.core
LENGTH = 100


def filter_of(function, *, kind="Recurrence", clips=1, given=1):
    """A filter whose frames `function` makes, called as the shim calls it."""
    clip = core.std.BlankClip(format=vs.GRAY8, width=32, height=32, length=LENGTH)
    make = getattr(core.vidcolor, kind)
    return make([clip] * clips, given=given, func=function, format=vs.GRAY8, width=32, height=32)


@pytest.mark.parametrize("kind", ["Stage", "Recurrence"])
def test_as_many_inputs_as_a_request_holds_are_fetched(kind):
    numbers, seen = list(range(MAX_INPUTS)), []

    def answer(n, token, frames=None, need=None, fetched=None):
        if fetched is None:
            return {"need": [part for number in numbers for part in (0, number)]}
        seen.append((need[1::2], len(fetched)))
        return {"val": frames}

    filter_of(answer, kind=kind).get_frame(70)
    assert seen == [(numbers, MAX_INPUTS)]


@pytest.mark.parametrize("kind", ["Stage", "Recurrence"])
@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (
            {"need": [0, 1] * (MAX_INPUTS + 1)},
            f"need holds {MAX_INPUTS + 1} frames, accepted are up to {MAX_INPUTS}",
        ),
        ({"need": [0, 1, 0]}, "need is not pairs of a clip's place, 0 to 0, and a frame's number"),
        ({"need": [1, 5]}, "need is not pairs of a clip's place, 0 to 0, and a frame's number"),
        ({"need": [0, -1]}, "need is not pairs of a clip's place, 0 to 0, and a frame's number"),
        ({"need": [0.5, 1.5]}, "need is not pairs of a clip's place"),
        ({}, "the function gave neither need, nor a frame as val, nor error"),
        ({"val": 7}, "the function gave neither need, nor a frame as val, nor error"),
    ],
)
def test_an_answer_that_is_none_is_an_error_of_its_frame(kind, answer, sentence):
    bad = [answer]

    def function(n, token, frames=None, need=None, fetched=None):
        return bad.pop() if bad else {"val": frames}

    clip = filter_of(function, kind=kind)
    with pytest.raises(vs.Error, match=f"^vsvidcolor: {re.escape(sentence)}"):
        clip.get_frame(3)
    assert clip.get_frame(3).width == 32


def test_the_answers_error_is_the_frames():
    clip = filter_of(lambda **_: {"error": "Propagate: a sentence"})
    with pytest.raises(vs.Error, match=r"^Propagate: a sentence$"):
        clip.get_frame(0)


def test_a_request_whose_input_fails_is_told_to_python_once():
    told = []

    def answer(n, token, frames=None, need=None, fetched=None):
        told.append((n, frames is None))
        return {} if frames is None else {"need": [0, 50]}

    clip = core.std.BlankClip(format=vs.GRAY8, width=32, height=32, length=LENGTH)

    def fail(n, f):
        if n == 50:
            raise RuntimeError("source is gone")
        return f

    source = core.std.ModifyFrame(clip, clip, fail)
    made = core.vidcolor.Recurrence(
        [source], given=1, func=answer, format=vs.GRAY8, width=32, height=32
    )
    with pytest.raises(vs.Error, match="source is gone"):
        made.get_frame(4)
    assert told == [(4, False), (4, True)]


@pytest.mark.parametrize(("clips", "given"), [(9, 1), (1, 0), (1, 2)])
def test_clips_that_a_filter_cannot_have(clips, given):
    with pytest.raises(vs.Error, match='"clips" may be up to 8, "given" 1 to all of them'):
        filter_of(lambda **_: {}, clips=clips, given=given)


def test_a_format_that_is_none():
    clip = core.std.BlankClip(format=vs.GRAY8, width=32, height=32)
    with pytest.raises(vs.Error, match='"format" is not the id of a video format'):
        core.vidcolor.Stage([clip], given=1, func=lambda **_: {}, format=-1, width=32, height=32)
