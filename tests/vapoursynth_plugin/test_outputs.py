"""Besides colour: confidence as a property and as a mask, saturation."""

import numpy as np
import pytest
import vapoursynth as vs

from tests.support.scenes import render
from tests.vapoursynth_plugin.reference import Case, planes_of

core = vs.core
FORMATS = ["GRAY8", "YUV420P8", "YUV422P10", "YUV444P16", "YUV410P8", "GRAYH", "YUV420PS"]


@pytest.fixture(scope="module")
def scene():
    return render(6, 48, 64)


@pytest.mark.parametrize("name", FORMATS)
def test_the_mask_has_the_clips_size_depth_and_properties(name, scene, session, toy_bundle):
    case = Case(scene, name, size=32, props={"_Matrix": 1, "_Range": 0, "Mine": 7})
    coloured, mask = case.propagate(toy_bundle, confidence=1)
    assert (mask.format.color_family, mask.width, mask.height) == (vs.GRAY, 64, 48)
    assert mask.format.bits_per_sample == case.form.bits_per_sample
    assert mask.format.sample_type == case.form.sample_type
    assert mask.num_frames == coloured.num_frames == 6
    colours = case.colours(session)
    for n, (frame, main) in enumerate(zip(mask.frames(), coloured.frames(), strict=True)):
        confidence = colours[n][1]
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
