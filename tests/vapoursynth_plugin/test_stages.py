"""Frames to the working size and back, confidence as a property and as a mask, saturation."""

import numpy as np
import pytest
import vapoursynth as vs

from tests.support.scenes import render
from tests.vapoursynth_plugin.reference import Case, planes_of
from vidcolor.inference.enlarge import Graph
from vidcolor.inference.runner import Runner
from vidcolor.inference.session import Session
from vidcolor.working_size import WorkingSize
from vsvidcolor.render import ColoredFrame
from vsvidcolor.stages import Stages

core = vs.core
FORMATS = ["GRAY8", "YUV420P8", "YUV422P10", "YUV444P16", "YUV410P8", "GRAYH", "YUV420PS"]


@pytest.fixture(scope="module")
def scene():
    return render(6, 48, 64)


@pytest.mark.parametrize("name", FORMATS)
def test_the_mask_has_the_clips_size_depth_and_properties(name, scene, session, toy_bundle):
    case = Case(scene, name, size=32, props={"_Matrix": 1, "_Range": 0, "Mine": 7})
    colored, mask = case.propagate(toy_bundle, confidence=1)
    assert (mask.format.color_family, mask.width, mask.height) == (vs.GRAY, 64, 48)
    assert mask.format.bits_per_sample == case.form.bits_per_sample
    assert mask.format.sample_type == case.form.sample_type
    assert mask.num_frames == colored.num_frames == 6
    colors = case.colors(session)
    for n, (frame, main) in enumerate(zip(mask.frames(), colored.frames(), strict=True)):
        confidence = colors[n][1]
        assert planes_of(frame) == (case.mask(confidence).tobytes(),)
        assert (frame.props["Mine"], frame.props["_Range"]) == (7, 1)
        assert "_ChromaLocation" not in frame.props
        # The toy trusts each step 1 % less.
        assert main.props["VidcolorConfidence"] == pytest.approx(0.99**n, abs=1e-5)
        assert frame.props["VidcolorConfidence"] == main.props["VidcolorConfidence"]


def test_without_confidence_the_clip_comes_alone(scene, toy_bundle):
    case = Case(scene)
    assert isinstance(case.propagate(toy_bundle), vs.VideoNode)
    assert isinstance(case.propagate(toy_bundle, confidence=0), vs.VideoNode)
    assert len(case.propagate(toy_bundle, confidence=1)) == 2


@pytest.mark.parametrize("name", ["YUV420P8", "YUV444PS"])
def test_saturation_multiplies_the_chroma_of_every_frame(name, scene, toy_bundle):
    case = Case(scene, name, size=32, keys=(1, 4))
    plain, half, gray, loud = (
        case.propagate(toy_bundle, saturation=value) for value in (1.0, 0.5, 0.0, 9.0)
    )
    zero, span = case.coding.chroma_scale
    for n in range(6):
        frames = [clip.get_frame(n) for clip in (plain, half, gray, loud)]
        assert len({planes_of(frame)[0] for frame in frames}) == 1
        for index in (1, 2):
            own, halved, none, full = (
                (np.asarray(frame[index]).astype(float) - zero) / span for frame in frames
            )
            assert np.abs(halved - own / 2).max() <= 1 / span if span > 1 else 1e-6
            assert not none.any()
            assert np.abs(full).max() <= 0.5
        assert np.abs(own).max() > 0.02


@pytest.mark.parametrize("name", ["YUV420P10", "YUV444PS"])
def test_hue_turns_the_chroma_of_every_frame(name, scene, toy_bundle):
    """Within the rounding of codes; key frames too, and luma not."""
    case = Case(scene, name, size=32, keys=(1, 4))
    plain, turned = (case.propagate(toy_bundle, hue=hue) for hue in (0.0, 30.0))
    zero, span = case.coding.chroma_scale
    cosine, sine = np.cos(np.pi / 6), np.sin(np.pi / 6)
    for n in range(6):
        frames = [clip.get_frame(n) for clip in (plain, turned)]
        assert planes_of(frames[0])[0] == planes_of(frames[1])[0]
        (cb, cr), made = (
            [(np.asarray(frame[index]).astype(float) - zero) / span for index in (1, 2)]
            for frame in frames
        )
        want = np.stack((cosine * cb - sine * cr, sine * cb + cosine * cr))
        assert np.abs(np.stack(made) - want).max() <= (2 / span if span > 1 else 1e-6)
        assert np.abs(np.stack(made) - np.stack((cb, cr))).max() > 0.02


@pytest.mark.parametrize("name", [*FORMATS, "YUV440P8", "YUV411P8"])
def test_on_a_device_full_size_chroma_is_made_there(
    name, session, toy_bundle, monkeypatch: pytest.MonkeyPatch
):
    """The CPU in its place: as the plain loop has it but for rounding, in any order of requests."""
    case = Case(render(5, 192, 256), name, size=32)
    monkeypatch.setattr(Session, "device_runner", Runner("toy"))
    run, runs = Graph.run, []
    monkeypatch.setattr(Graph, "run", lambda *given: runs.append(given) or run(*given))
    clip, again = (case.propagate(toy_bundle) for _ in range(2))
    upwards = [planes_of(clip.get_frame(n)) for n in range(5)]
    downwards = [planes_of(again.get_frame(n)) for n in reversed(range(5))]
    assert upwards == downwards[::-1]
    assert len(runs) == 2 * (4 + (1 if case.coding.is_float else 2)), "the key is the CPU's"
    _, span = case.coding.chroma_scale
    close = 1e-3 if case.coding.is_float else 1 + span / 1024
    for found, wanted in zip(upwards, case.plain_loop(session), strict=True):
        assert found[0] == wanted[0]
        for made, other in zip(found[1:], wanted[1:], strict=True):
            codes, right = (
                np.frombuffer(b, case.coding.dtype).astype(float) for b in (made, other)
            )
            assert np.abs(codes - right).max() <= close
            assert np.ptp(codes) > span / 32


def test_luma_on_its_way_is_at_working_size_and_tagged(scene):
    stages = Stages(WorkingSize.of(48, 64, 32))
    frame = Case(scene, "YUV420P8", props={"_Matrix": 9, "_SceneChangePrev": 1}).clip().get_frame(2)
    small = stages.shrink(frame)
    assert (small.format.id, small.height, small.width) == (vs.GRAYS, 32, 43)
    told = stages.read_luma(small)
    assert (told.starts_shot, told.matrix) == (True, "bt2020")
    assert np.array_equal(told.luma, np.asarray(small[0]))
    assert abs(told.luma.mean() - scene.luma[2].mean()) < 0.1


@pytest.mark.parametrize(("props", "starts"), [({}, None), ({"_SceneChangePrev": 0}, False)])
def test_a_frame_that_says_nothing_of_shots_is_told_from_one_that_starts_none(props, starts, scene):
    stages = Stages(WorkingSize.of(48, 64, 32))
    frame = Case(scene, props={"_Matrix": 1} | props).clip().get_frame(0)
    assert stages.read_luma(stages.shrink(frame)).starts_shot is starts


def test_what_is_written_names_its_key(scene):
    stages = Stages(WorkingSize.of(48, 64, 32))
    chroma, confidence = np.zeros((2, 32, 43), np.float32), np.full((32, 43), 0.25, np.float32)
    carried = stages.write(ColoredFrame(chroma, confidence, has_key=False))
    own = stages.write(ColoredFrame(chroma, confidence, has_key=True, key=3))
    assert (carried.props["VidcolorConfidence"], carried.props["VidcolorKeyed"]) == (0.25, 0)
    assert own.props["VidcolorKeyed"] == 1
    assert [stages.key_number(own, own, small) for small in (carried, own)] == [None, 3]
