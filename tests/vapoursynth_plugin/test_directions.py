"""Where colour comes from: before and after, and never from another shot."""

import dataclasses

import numpy as np
import pytest
import vapoursynth as vs

from tests.support.scenes import render
from tests.vapoursynth_plugin.reference import Case, planes_of
from vidcolor.propagate import Propagator

core = vs.core
LENGTH = 25


@pytest.fixture(scope="module")
def scene():
    return render(LENGTH, 48, 64)


@pytest.fixture
def steps(monkeypatch):
    """One entry for each step from now on."""
    made, step = [], Propagator.step

    def counted(self, luma, state):
        made.append(luma.shape)
        return step(self, luma, state)

    monkeypatch.setattr(Propagator, "step", counted)
    return made


def chroma_means(clip):
    """[t, 2]"""
    return np.array([[np.mean(frame[i]) for i in (1, 2)] for frame in clip.frames()])


def test_between_two_differing_keys_color_changes_from_one_to_the_other(scene, toy_bundle):
    """A pan; the keys are flat, so what the picture shows has no part in the mean."""
    case = Case(scene, "GRAYS", size=48, keys=(0, LENGTH - 1))
    colors = ([150, 60, 40], [40, 60, 150])
    first, last = (core.std.BlankClip(case.key()[0], color=color) for color in colors)
    means = chroma_means(case.propagate(toy_bundle, key=first + last))
    for column in means.T:
        steps = np.diff(column) * np.sign(column[-1] - column[0])
        assert (steps >= -1e-4).all()  # luma's own change leaves a trace that small in the toy
        assert steps.max() < 0.3 * abs(column[-1] - column[0])
    assert np.abs(means[-1] - means[0]).min() > 0.1


@pytest.mark.parametrize("direction", ["forward", "backward", "both"])
def test_before_the_first_key_and_after_the_last(direction, scene, session, toy_bundle):
    case = Case(scene, "YUV420P8", size=32, keys=(8, 16), direction=direction)
    colored = case.propagate(toy_bundle)
    assert [planes_of(f) for f in colored.frames()] == case.plain_loop(session)
    has_key = [f.props["VidcolorKeyed"] for f in colored.frames()]
    first = 8 if direction == "forward" else 0
    last = 16 if direction == "backward" else LENGTH - 1
    assert has_key == [int(first <= n <= last) for n in range(LENGTH)]


@pytest.mark.parametrize("is_tagged", [False, True])
@pytest.mark.parametrize("direction", ["forward", "backward", "both"])
def test_nothing_is_carried_over_a_cut(direction, is_tagged, scene, toy_bundle):
    """Frames of one shot may not depend on the frames, other than keys, of another."""
    cuts, keys = (6, 13, 19), (2, 15)
    other = scene.luma.copy()
    other[6:13] = 1 - other[6:13]
    one, two = (
        Case(
            scene._replace(luma=luma),
            "YUV420P8",
            size=32,
            keys=keys,
            direction=direction,
            cuts=cuts,
        )
        for luma in (scene.luma, other)
    )
    given = [
        {"clip": case.clip(is_tagged=is_tagged), "key": one.key()}
        | ({"scenes": None} if is_tagged else {})
        for case in (one, two)
    ]
    before, after = (
        [planes_of(f) for f in case.propagate(toy_bundle, **arguments).frames()]
        for case, arguments in zip((one, two), given, strict=True)
    )
    changed = [n for n in range(LENGTH) if before[n][1:] != after[n][1:]]
    assert changed == list(range(6, 13))


def test_a_shot_without_a_key_says_so_and_remembers_the_nearest(scene, session, toy_bundle):
    case = Case(scene, "YUV420P8", size=32, keys=(2, 20), cuts=(8, 14))
    frames = list(case.propagate(toy_bundle).frames())
    assert [f.props["VidcolorKeyed"] for f in frames] == [
        int(not 8 <= n < 14) for n in range(LENGTH)
    ]
    assert [planes_of(f) for f in frames] == case.plain_loop(session)
    means = [np.asarray(frames[n][1]).mean() for n in (2, 20)]
    assert abs(np.asarray(frames[13][1]).mean() - 128) > 0.1 * min(abs(m - 128) for m in means)


def test_scenes_overrule_the_clips_properties(scene, session, toy_bundle):
    tagged = Case(scene, "YUV420P8", size=32, cuts=(5, 9))
    as_listed = dataclasses.replace(tagged, cuts=(12,))
    colored = as_listed.propagate(toy_bundle, clip=tagged.clip(is_tagged=True))
    assert [planes_of(f) for f in colored.frames()] == as_listed.plain_loop(session)


@pytest.mark.parametrize("is_tagged", [False, True])
def test_in_a_tagged_clip_a_seek_costs_no_more_than_its_shot(is_tagged, toy_bundle, steps):
    case = Case(render(100, 48, 64), "YUV420P8", size=32, cuts=(90,) if is_tagged else ())
    colored = case.propagate(toy_bundle, clip=case.clip(is_tagged=is_tagged), scenes=None)
    colored.get_frame(95)
    assert len(steps) == (6 if is_tagged else 95)


def test_cuts_that_only_show_on_the_way_are_found(session, toy_bundle):
    """Only the first frames of shots are tagged, and not the frame that is asked for."""
    case = Case(render(100, 48, 64), "YUV420P8", size=32, cuts=(40, 70))
    clip = case.clip()
    cut = core.std.SetFrameProps(clip, _SceneChangePrev=1)
    clip = clip[:40] + cut[40] + clip[41:70] + cut[70] + clip[71:]
    colored = case.propagate(toy_bundle, clip=clip, scenes=None)
    plain = case.plain_loop(session)
    for n in (99, 45, 80, 39):
        assert planes_of(colored.get_frame(n)) == plain[n]


def test_a_reverse_read_of_a_backward_run_steps_once_per_frame(scene, toy_bundle, steps):
    case = Case(scene, "YUV420P8", size=32, keys=(LENGTH - 1,))
    colored = case.propagate(toy_bundle)
    for n in reversed(range(LENGTH)):
        colored.get_frame(n)
    assert len(steps) == LENGTH - 1


def test_a_linear_read_between_two_keys_steps_at_most_three_times_per_frame(toy_bundle, steps):
    length = 200
    case = Case(render(length, 48, 64), "YUV420P8", size=32, keys=(0, length - 1))
    colored = case.propagate(toy_bundle)
    for n in range(length):
        colored.get_frame(n)
    assert len(steps) <= 3 * length


def test_a_model_that_asks_for_flow(scene, flow_bundle):
    from vidcolor.inference.session import Session

    case = Case(scene, "YUV420P8", size=32, keys=(3, 15, 24), cuts=(10,))
    plain = case.plain_loop(Session.load(flow_bundle, provider="cpu"))
    assert [planes_of(f) for f in case.propagate(flow_bundle).frames()] == plain


@pytest.mark.parametrize("keys", [(3,), (3, 15, 24)])
def test_a_model_whose_features_are_computed_apart(keys, scene, toy_bundle, split_bundle):
    """Once for a frame, whatever leads to it, and before its step."""
    case = Case(scene, "YUV420P8", size=32, keys=keys, cuts=(10,))
    plain = [planes_of(frame) for frame in case.propagate(toy_bundle).frames()]
    clip = case.propagate(split_bundle)
    assert [planes_of(frame) for frame in clip.frames()] == plain
    assert [planes_of(clip.get_frame(n)) for n in (20, 3, 9)] == [plain[n] for n in (20, 3, 9)]


def test_a_key_is_a_key_whatever_its_own_luma(scene, toy_bundle):
    """What of a key matters is its chroma: luma is the clip's."""
    case = Case(scene, "YUV420P8", size=32)
    yuv = core.resize.Bicubic(case.key(), format=vs.YUV444P8, matrix=1)
    darker = core.std.Expr(yuv, ["x 2 /", "", ""])
    one, two = (case.propagate(toy_bundle, key=key).get_frame(7) for key in (yuv, darker))
    assert planes_of(one) == planes_of(two)
