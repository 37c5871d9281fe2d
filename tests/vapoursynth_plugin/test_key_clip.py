"""Many keys, said by argument or by property; each frame that is a key comes out as it."""

import pytest
import vapoursynth as vs

from tests.support.scenes import render
from tests.vapoursynth_plugin.reference import Case, planes_of

core = vs.core
LENGTH = 12
KEYS = (3, 9, 0)


@pytest.fixture(scope="module")
def case():
    return Case(render(LENGTH, 48, 64), "YUV420P8", size=32, keys=KEYS)


@pytest.fixture(scope="module")
def plain(case, session):
    return case.plain_loop(session)


def test_frames_says_which_frames_the_keys_are(case, plain, toy_bundle):
    colored = case.propagate(toy_bundle)
    assert [planes_of(frame) for frame in colored.frames()] == plain


@pytest.mark.parametrize("name", ["YUV420P8", "YUV444P10", "YUV422PH", "YUV420PS"])
def test_every_key_frame_has_the_keys_own_codes(name, toy_bundle):
    case = Case(render(LENGTH, 48, 64), name, size=32, keys=KEYS)
    key = core.resize.Bicubic(case.key(), format=getattr(vs, name), matrix=1)
    colored = case.propagate(toy_bundle, key=key)
    for place, n in enumerate(KEYS):
        frame = colored.get_frame(n)
        assert planes_of(frame)[0] == case.luma_codes[n].tobytes()
        assert planes_of(frame)[1:] == planes_of(key.get_frame(place))[1:]
        assert frame.props["VidcolorConfidence"] == 1


def test_keys_may_carry_their_numbers(case, plain, toy_bundle):
    key = case.key([{"VidcolorFrame": n} for n in KEYS])
    colored = case.propagate(toy_bundle, key=key, frames=None)
    assert [planes_of(colored.get_frame(n)) for n in (8, 2, 9, 0, 11)] == [
        plain[n] for n in (8, 2, 9, 0, 11)
    ]


def test_a_key_clip_as_long_as_the_clip_with_numbers_on_its_colored_frames(toy_bundle, session):
    case = Case(render(40, 48, 64), "YUV420P8", size=32, keys=(36, 5))
    late, early = case.key([{"VidcolorFrame": n} for n in case.keys])
    rest = core.std.BlankClip(case.key(), length=40, color=[9, 200, 9])
    key = rest[:5] + early + rest[6:36] + late + rest[37:]
    colored = case.propagate(toy_bundle, key=key, frames=None)
    assert [planes_of(frame) for frame in colored.frames()] == case.plain_loop(session)


def test_one_key_with_a_number(toy_bundle, session):
    case = Case(render(LENGTH, 48, 64), "YUV420P8", size=32, keys=(7,))
    key = case.key([{"VidcolorFrame": 7}])
    colored = case.propagate(toy_bundle, key=key, frames=None)
    assert [planes_of(frame) for frame in colored.frames()] == case.plain_loop(session)


@pytest.mark.parametrize("length", [5, LENGTH])
def test_of_a_color_video_without_numbers_frame_0_is_the_key(length, toy_bundle):
    case = Case(render(LENGTH, 48, 64), size=32)
    video = case.key() + core.std.BlankClip(case.key(), length=length - 1, color=[9, 200, 9])
    fetched = []

    def watch(n, f):
        fetched.append(n)
        return f

    colored = case.propagate(toy_bundle, key=core.std.ModifyFrame(video, video, watch))
    want = case.propagate(toy_bundle)
    assert [planes_of(f) for f in colored.frames()] == [planes_of(f) for f in want.frames()]
    # Only one as long as the clip could carry numbers on any of its frames.
    assert set(fetched) == (set(range(LENGTH)) if length == LENGTH else {0})


@pytest.mark.parametrize(
    ("numbers", "sentence"),
    [
        (
            (3, 12, 0),
            "key: VidcolorFrame of its frame 1 is 12, accepted are frames of clip, 0 to 11",
        ),
        (
            (3, -1, 0),
            "key: VidcolorFrame of its frame 1 is -1, accepted are frames of clip, 0 to 11",
        ),
        (
            ("000003", 0, 4),
            "key: VidcolorFrame of its frame 0 is '000003', a whole number is needed",
        ),
        (
            (3, [0, 1], 4),
            r"key: VidcolorFrame of its frame 1 is \[0, 1\], a whole number is needed",
        ),
        (
            (3, 0, 3),
            "key: VidcolorFrame is 3 on its frames 0 and 2, one key for a frame is accepted",
        ),
    ],
)
def test_numbers_that_cannot_be_are_told_at_the_first_request(numbers, sentence, case, toy_bundle):
    key = case.key([{"VidcolorFrame": n} for n in numbers])
    colored = case.propagate(toy_bundle, key=key, frames=None)
    with pytest.raises(vs.Error, match=f"^Propagate: {sentence}$"):
        colored.get_frame(5)


def test_a_number_set_on_a_whole_video_is_told_before_all_of_it_is_read(case, toy_bundle):
    """Or a looped image, which has two thousand million frames, would be read until memory ends."""
    fetched = []

    def watch(n, f):
        fetched.append(n)
        return f

    numbered = core.std.Loop(core.std.SetFrameProps(case.key()[0], VidcolorFrame=3))
    key = core.std.ModifyFrame(numbered, numbered, watch)
    colored = case.propagate(toy_bundle, key=key, frames=None)
    with pytest.raises(
        vs.Error, match=r"^Propagate: key: VidcolorFrame is 3 on its frames 0 and 1"
    ):
        colored.get_frame(5)
    assert len(fetched) < 100


def test_a_key_that_cannot_be_read_is_named_by_the_frame_it_colors(case, toy_bundle):
    key = core.resize.Bicubic(case.key(), format=vs.YUV444P8, matrix=1)
    broken = core.std.SetFrameProps(key, _Matrix=8)
    with pytest.raises(vs.Error, match=r"^Propagate: frame 9: key: the clip's matrix is 8 "):
        case.propagate(toy_bundle, key=broken).get_frame(10)
