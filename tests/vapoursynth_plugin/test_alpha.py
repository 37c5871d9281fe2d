"""Keys that are painted in parts."""

import re
import subprocess
import sys

import cv2
import numpy as np
import pytest
import vapoursynth as vs

from tests.support import need
from tests.support.scenes import render
from tests.vapoursynth_plugin.reference import Case, clip_of, planes_of
from vidcolor.key import paint

need.scipy()

core = vs.core
LENGTH = 12
KEYS = (3, 9)


@pytest.fixture(scope="module")
def case():
    return Case(render(LENGTH, 48, 64), "YUV420P8", size=32, keys=KEYS, painted=0.5)


@pytest.fixture(scope="module")
def plain(case, session):
    return case.plain_loop(session)


def every(clip):
    return [planes_of(frame) for frame in clip.frames()]


def test_alpha_is_an_argument_or_a_property(case, plain, toy_bundle):
    assert every(case.propagate(toy_bundle)) == plain
    key = core.std.ClipToProp(case.key(), case.alpha(), prop="_Alpha")
    assert every(case.propagate(toy_bundle, key=key, alpha=None)) == plain
    whole = Case(case.scene, "YUV420P8", size=32, keys=KEYS)
    assert plain != every(whole.propagate(toy_bundle))


@pytest.mark.parametrize("name", ["GRAY8", "GRAY10", "GRAY16", "GRAYS"])
def test_alpha_of_any_gray_format(name, case, toy_bundle):
    """Of alpha that is all or nothing, depth makes no difference."""
    hard = core.std.Expr(case.alpha(), "x 127 > 255 0 ?")
    form = core.get_video_format(getattr(vs, name))
    most = 1 if form.sample_type == vs.FLOAT else (1 << form.bits_per_sample) - 1
    deep = core.std.Expr(hard, f"x 127 > {most} 0 ?", format=form.id)
    got, want = (case.propagate(toy_bundle, alpha=alpha) for alpha in (deep, hard))
    assert every(got) == every(want)


def test_alpha_in_limited_range_is_taken_as_such(case, toy_bundle):
    hard = core.std.Expr(case.alpha(), "x 127 > 255 0 ?")
    limited = core.std.Expr(hard, "x 127 > 235 16 ?").std.SetFrameProps(_Range=0)
    got, want = (case.propagate(toy_bundle, alpha=alpha) for alpha in (limited, hard))
    assert every(got) == every(want)


def test_alpha_that_hides_nothing_changes_nothing(case, toy_bundle):
    opaque = core.std.BlankClip(case.alpha(), color=255)
    whole = Case(case.scene, "YUV420P8", size=32, keys=KEYS)
    got = case.propagate(toy_bundle, alpha=opaque)
    assert every(got) == every(whole.propagate(toy_bundle))


@pytest.mark.parametrize("name", ["YUV420P8", "YUV444P10", "YUV422PH"])
def test_within_solid_paint_a_key_frame_has_the_keys_codes(name, toy_bundle):
    """And the luma of the clip, and other colours where there is no paint."""
    case = Case(render(LENGTH, 48, 64), name, size=32, keys=KEYS)
    key = core.resize.Bicubic(case.key(), format=getattr(vs, name), matrix=1)
    codes = np.zeros((48, 64), np.uint8)
    codes[:, :40] = 255
    alpha = clip_of("GRAY8", [[codes]] * 2, [{}] * 2)
    colored = case.propagate(toy_bundle, key=key, alpha=alpha)
    across, _ = case.subsampling
    solid = (40 >> across) - 2
    for place, n in enumerate(KEYS):
        frame, own = colored.get_frame(n), key.get_frame(place)
        assert planes_of(frame)[0] == case.luma_codes[n].tobytes()
        for index in (1, 2):
            got, want = np.asarray(frame[index]), np.asarray(own[index])
            assert np.array_equal(got[:, :solid], want[:, :solid])
            assert not np.array_equal(got[:, -10:], want[:, -10:])


def test_one_stroke_in_each_of_two_flat_regions_colors_them(toy_bundle):
    """All of the frame that is the key, and what is carried from it."""
    luma = np.full((48, 64), 90, np.uint8)
    luma[:, 30:] = 180
    clip = clip_of("GRAY8", [[luma]] * 3, [{"_Matrix": 1, "_Range": 1}] * 3)
    rgb = np.zeros((48, 64, 3), np.uint8)
    alpha = np.zeros((48, 64), np.uint8)
    rgb[20:24, 4:12], rgb[20:24, 40:60] = (200, 60, 60), (60, 60, 200)
    alpha[20:24, 4:12] = alpha[20:24, 40:60] = 255
    key = clip_of("RGB24", [list(np.moveaxis(rgb, -1, 0))], [{}])
    mask = clip_of("GRAY8", [[alpha]], [{}])
    colored = core.vidcolor.Propagate(
        clip, key, alpha=mask, model=str(toy_bundle), provider="cpu", size=48
    )
    frame = colored.get_frame(0)
    for index in (1, 2):
        codes = np.asarray(frame[index])
        assert set(codes[:, :30].flat) == {codes[21, 6]}
        assert set(codes[:, 30:].flat) == {codes[21, 50]}
        assert codes[21, 6] != codes[21, 50]
    assert np.ptp(np.asarray(colored.get_frame(2)[1]).astype(int)) > 10


def test_a_transparent_image_is_a_key_painted_in_parts(case, toy_bundle, tmp_path):
    """BestSource gives alpha as the property."""
    for place, (rgb, alpha) in enumerate(zip(case.key_rgb, case.key_alpha, strict=True)):
        image = np.dstack([rgb[..., ::-1], alpha])
        cv2.imwrite(str(tmp_path / f"{place}.png"), image)
    key = core.std.Splice([core.bs.VideoSource(str(tmp_path / f"{n}.png")) for n in (0, 1)])
    got = case.propagate(toy_bundle, key=key, alpha=None)
    assert every(got) == every(case.propagate(toy_bundle))


def blank(name="GRAY8", width=64, height=48, length=2):
    return core.std.BlankClip(format=getattr(vs, name), width=width, height=height, length=length)


@pytest.mark.parametrize(
    ("alpha", "sentence"),
    [
        (blank("YUV420P8"), "alpha is YUV420P8, accepted is GRAY of 8 to 16 bits or half or"),
        (blank("GRAY32"), "alpha is Gray32, accepted is GRAY of 8 to 16 bits or half or single"),
        (blank(width=62), "alpha is 62x48, key is 64x48; they must have one size"),
        (blank(length=3), "alpha has 3 frames, key has 2; accepted is one for each frame of key"),
    ],
)
def test_alpha_that_cannot_be_is_told_at_once(alpha, sentence, case, toy_bundle):
    with pytest.raises(vs.Error, match=f"^Propagate: {re.escape(sentence)}"):
        case.propagate(toy_bundle, alpha=alpha)


def test_alpha_without_paint_fails_its_frame(case, toy_bundle):
    colored = case.propagate(toy_bundle, alpha=blank())
    with pytest.raises(vs.Error, match=r"^Propagate: frame 3: key: nothing of it is painted, its"):
        colored.get_frame(3)


def test_an_alpha_property_of_another_size_fails_its_frame(case, toy_bundle):
    key = core.std.ClipToProp(case.key(), blank(width=32), prop="_Alpha")
    colored = case.propagate(toy_bundle, key=key, alpha=None)
    with pytest.raises(vs.Error, match=r"^Propagate: frame 9: key: its _Alpha is Gray8 32x48, acc"):
        colored.get_frame(9)


@pytest.mark.parametrize("streams", [1, 2])
def test_a_key_is_spread_once(streams, case, toy_bundle, monkeypatch):
    spread, made = paint.spread, []
    monkeypatch.setattr(paint, "spread", lambda *parts: made.append(1) or spread(*parts))
    for frame in case.propagate(toy_bundle, num_streams=streams).frames():
        frame.close()
    assert len(made) == len(KEYS)


def test_without_scipy_alpha_is_refused_at_once():
    script = """
import sys, vapoursynth as vs
sys.modules["scipy.sparse"] = None
clip = vs.core.std.BlankClip(format=vs.GRAY8, width=64, height=48, length=2)
key = vs.core.std.BlankClip(clip, format=vs.RGB24, length=1)
vs.core.vidcolor.Propagate(clip, key)
try:
    vs.core.vidcolor.Propagate(clip, key, alpha=clip[0])
except vs.Error as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("Propagate: spreading the colours")
    assert "needs SciPy, which is not installed" in done.stdout
    assert done.stdout.count("\n") == 1
