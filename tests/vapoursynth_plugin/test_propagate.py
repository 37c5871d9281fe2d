"""core.vidcolor.Propagate: luma untouched, chroma the plain loop's, properties kept and set."""

import inspect

import numpy as np
import pytest
import vapoursynth as vs

from tests.support.scenes import render
from tests.vapoursynth_plugin.reference import SITINGS, SUBSAMPLINGS, Case, planes_of
from vsvidcolor.propagate import propagate

core = vs.core

FORMATS = [
    *("GRAY8", "GRAY9", "GRAY10", "GRAY12", "GRAY16", "GRAYH", "GRAYS"),
    *("YUV420P8", "YUV422P8", "YUV444P8", "YUV440P8", "YUV411P8", "YUV410P8"),
    *("YUV420P10", "YUV422P10", "YUV420P16", "YUV444P16", "YUV422PH", "YUV420PS", "YUV444PS"),
]
DEPTHS = [*range(8, 17), "H", "S"]


@pytest.fixture(scope="module")
def scene():
    return render(6, 96, 128)


@pytest.mark.parametrize("name", FORMATS)
def test_planes_are_the_plain_loops_and_luma_is_the_clips(name, scene, session, toy_bundle):
    case = Case(scene, name)
    colored = case.propagate(toy_bundle)
    kind, bits = case.form.sample_type, case.form.bits_per_sample
    assert colored.format == core.query_video_format(vs.YUV, kind, bits, *case.subsampling)
    assert colored.num_frames == len(scene.luma)
    for frame, luma, planes in zip(
        colored.frames(), case.luma_codes, case.plain_loop(session), strict=True
    ):
        got = planes_of(frame)
        assert got[0] == luma.tobytes()
        assert got == planes


def test_a_clip_whose_luma_is_no_number_is_refused_and_not_the_model(toy_bundle):
    clip = core.std.BlankClip(format=vs.YUV444PS, width=64, height=48, length=2)
    key = core.std.BlankClip(format=vs.RGB24, width=64, height=48, length=1, color=[200, 90, 30])
    broken = clip.std.Expr("0 0 /")
    colored = core.vidcolor.Propagate(broken, key, model=str(toy_bundle), provider="cpu")
    with pytest.raises(vs.Error, match=r"^Propagate: frame 0: luma must be in 0 to 1, got nan"):
        colored.get_frame(1)
    bad_key = core.resize.Point(key, format=vs.RGBS).std.Expr("0 0 /")
    colored = core.vidcolor.Propagate(clip, bad_key, model=str(toy_bundle), provider="cpu")
    with pytest.raises(vs.Error, match=r"^Propagate: frame 0: key: luma must be in 0 to 1"):
        colored.get_frame(1)


@pytest.mark.long
@pytest.mark.parametrize("layout", SUBSAMPLINGS)
def test_every_layout_at_every_depth(layout, session, toy_bundle):
    """Luma, chroma and properties; the odd ones out are seldom seen, and work all the same."""
    scene = render(2, 48, 64)
    tags = {"_Matrix": 9, "_Range": 1, "Mine": 7}
    for depth in DEPTHS:
        case = Case(
            scene, f"{layout}{depth}", matrix="bt2020", full_range=True, size=32, props=tags
        )
        for frame, luma, planes in zip(
            case.propagate(toy_bundle).frames(),
            case.luma_codes,
            case.plain_loop(session),
            strict=True,
        ):
            assert planes_of(frame)[0] == luma.tobytes()
            assert planes_of(frame) == planes
            assert {name: frame.props[name] for name in tags} == tags
            assert ("_ChromaLocation" in frame.props) == any(case.subsampling)


@pytest.mark.parametrize("siting", SITINGS)
def test_subsampled_planes_of_odd_size_at_every_siting(siting, session, toy_bundle):
    props = {"_Matrix": 1, "_ChromaLocation": SITINGS[siting]}
    case = Case(render(4, 90, 134), "YUV420P8", siting=siting, size=45, props=props)
    colored = case.propagate(toy_bundle)
    assert [planes_of(frame) for frame in colored.frames()] == case.plain_loop(session)


@pytest.mark.parametrize("name", ["GRAY8", "GRAY12", "GRAYS", "YUV444P10", "YUV444PH"])
def test_odd_sizes(name, session, toy_bundle):
    case = Case(render(4, 65, 97), name, size=43, keys=(0, 3))
    colored, mask = case.propagate(toy_bundle, confidence=1)
    assert [planes_of(frame) for frame in colored.frames()] == case.plain_loop(session)
    assert (mask.width, mask.height) == (97, 65)


@pytest.mark.parametrize("key_scale", [2, 3])
def test_keys_of_other_sizes(key_scale, scene, session, toy_bundle):
    case = Case(scene, "YUV422P8", key_scale=key_scale)
    colored = case.propagate(toy_bundle)
    assert [planes_of(frame) for frame in colored.frames()] == case.plain_loop(session)


def test_a_model_that_asks_for_flow(scene, flow_bundle):
    from vidcolor.inference.session import Session

    case = Case(scene, "YUV420P8")
    colored = case.propagate(flow_bundle)
    plain = case.plain_loop(Session.load(flow_bundle, provider="cpu"))
    assert [planes_of(frame) for frame in colored.frames()] == plain


@pytest.mark.parametrize("name", ["RGB30", "RGB48", "RGBH", "RGBS"])
def test_rgb_keys_of_any_depth_are_the_same_key(name, scene, toy_bundle):
    case = Case(scene, "YUV420P16")
    key = core.resize.Point(case.key(), format=getattr(vs, name))
    got, want = (
        np.asarray(case.propagate(toy_bundle, key=k).get_frame(5)[1]).astype(int)
        for k in (key, case.key())
    )
    steps = 65535 / (1023 if name in ("RGB30", "RGBH") else 65535)  # of the key's own precision
    assert np.abs(got - want).max() <= steps
    assert np.ptp(want) > 1000


@pytest.mark.parametrize("name", ["YUV420P8", "YUV444P10", "YUV422PS"])
def test_a_yuv_keys_own_codes_are_frame_0(name, scene, toy_bundle):
    case = Case(scene, name)
    key = core.resize.Bicubic(case.key(), format=getattr(vs, name), matrix=1)
    first = case.propagate(toy_bundle, key=key).get_frame(0)
    assert planes_of(first) == (case.luma_codes[0].tobytes(), *planes_of(key.get_frame(0))[1:])


def test_a_yuv_key_of_another_matrix_is_converted(scene, toy_bundle):
    case = Case(scene, "YUV444P16")
    key = core.resize.Bicubic(case.key(), format=vs.YUV444PS, matrix=9)
    converted = case.propagate(toy_bundle, key=key).get_frame(0)
    direct = case.propagate(toy_bundle).get_frame(0)
    for index in (1, 2):
        got, want = (np.asarray(frame[index]).astype(int) for frame in (converted, direct))
        assert np.abs(got - want).max() <= 16
        assert np.ptp(want) > 1000


def test_a_gray_key_gives_neutral_chroma_at_its_frame(scene, toy_bundle):
    case = Case(scene, "YUV420P8")
    key = core.std.BlankClip(case.key(), color=[90, 90, 90])
    planes = planes_of(case.propagate(toy_bundle, key=key).get_frame(0))[1:]
    assert all(set(plane) == {128} for plane in planes)


@pytest.mark.parametrize(
    ("tags", "height", "matrix", "full", "code"),
    [
        ({}, 96, "bt601", False, 6),
        ({"_Matrix": 2}, 96, "bt601", False, 6),
        ({"_Matrix": 0, "_Range": 1}, 96, "bt601", True, 6),
        ({}, 720, "bt709", False, 1),
        ({"_Matrix": 1, "_Range": 1}, 96, "bt709", True, 1),
        ({"_Matrix": 5}, 96, "bt601", False, 5),
        ({"_Matrix": 9}, 96, "bt2020", False, 9),
    ],
)
def test_matrix_and_range_are_read_and_set(tags, height, matrix, full, code, session, toy_bundle):
    case = Case(
        render(2, height, 128), "YUV420P8", matrix=matrix, full_range=full, size=48, props=tags
    )
    colored = case.propagate(toy_bundle)
    assert [planes_of(frame) for frame in colored.frames()] == case.plain_loop(session)
    props = colored.get_frame(1).props
    assert (props["_Matrix"], props["_Range"], props["_ChromaLocation"]) == (code, full, 0)


def test_other_properties_are_kept(scene, toy_bundle):
    props = {"_Matrix": 1, "_Transfer": 1, "_PictType": "P", "_SARNum": 8, "Mine": 7}
    for index in (0, 3):
        got = Case(scene, props=props).propagate(toy_bundle).get_frame(index).props
        assert {name: got[name] for name in props} == props
        assert "_ChromaLocation" not in got  # 4:4:4 has none


def test_a_clip_of_one_frame(toy_bundle):
    case = Case(render(1, 96, 128))
    colored = case.propagate(toy_bundle)
    assert colored.num_frames == 1
    assert planes_of(colored.get_frame(0))[0] == case.luma_codes[0].tobytes()


def test_two_filters_in_a_row_and_the_clips_own_chroma_does_not_matter(scene, toy_bundle):
    case = Case(scene, "YUV420P8")
    once = case.propagate(toy_bundle)
    twice = case.propagate(toy_bundle, clip=once)
    assert [planes_of(f) for f in twice.frames()] == [planes_of(f) for f in once.frames()]


def test_the_plugin_and_the_package_name_the_same_arguments():
    signature = core.vidcolor.Propagate.__signature__
    plugin = [name for name in signature.parameters if name != "self"]
    assert plugin == list(inspect.signature(propagate).parameters)
