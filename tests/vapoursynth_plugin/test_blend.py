"""Chroma of a second colouring, by weight; and the warning for strokes in a key clip."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import vapoursynth as vs

from tests.support.scenes import render
from tests.vapoursynth_plugin.reference import Case, clip_of
from vidcolor.blend import blend_chroma
from vidcolor.color import decode_chroma, encode_chroma
from vidcolor.grade import Grade
from vidcolor.inference.session import Session

SCENE = render(5, 48, 64)


def other_clip(case: Case, matrix: int = 1) -> vs.VideoNode:
    """Chroma of one colour in the format of the coloured clip, and luma of noise."""
    form = vs.YUV444P8 if case.format == "GRAY8" else vs.YUV420P8
    node = vs.core.std.BlankClip(format=form, width=64, height=48, length=5, color=[9, 200, 70])
    return vs.core.std.SetFrameProps(node, _Matrix=matrix, _Range=0)


@pytest.mark.parametrize("name", ["GRAY8", "YUV420P8"])
@pytest.mark.parametrize("keys", [(0,), (2,)])
def test_it_is_mixed_in_before_it_is_graded(
    name: str, keys: tuple[int, ...], toy_bundle: Path, session: Session
) -> None:
    """On key frames, too; luma stays as it is to the last bit."""
    case = Case(SCENE, name, size=32, keys=keys)
    clip = case.propagate(toy_bundle, blend=other_clip(case), weight=0.3, saturation=0.5, hue=20.0)
    plain = np.array([(200 - 128) / 224, (70 - 128) / 224], np.float32)[:, None, None]
    for number, (chroma, _, _) in enumerate(case.colors(session)):
        own = decode_chroma(*encode_chroma(chroma, case.coding), case.coding)
        mixed = blend_chroma(own, np.broadcast_to(plain, chroma.shape), 0.3)
        expected = encode_chroma(Grade(0.5, 20).apply(mixed), case.coding)
        frame = clip.get_frame(number)
        np.testing.assert_array_equal(np.asarray(frame[0]), case.luma_codes[number])
        for place in (0, 1):
            np.testing.assert_array_equal(np.asarray(frame[1 + place]), expected[place])


def test_a_weight_of_nothing_changes_nothing(toy_bundle: Path) -> None:
    case = Case(SCENE, size=32)
    plain = case.propagate(toy_bundle).get_frame(3)
    mixed = case.propagate(toy_bundle, blend=other_clip(case), weight=0.0).get_frame(3)
    assert all(np.array_equal(np.asarray(plain[n]), np.asarray(mixed[n])) for n in range(3))


def test_refusals(toy_bundle: Path) -> None:
    case = Case(SCENE, size=32)
    other = other_clip(case)

    def refused(sentence: str, **arguments: object) -> None:
        with pytest.raises(vs.Error, match=sentence):
            case.propagate(toy_bundle, **arguments)

    refused("blend and weight belong together", blend=other)
    refused("blend and weight belong together", weight=0.5)
    refused("weight is 1.2, accepted are 0 to 1", blend=other, weight=1.2)
    needed = "needed is what clip becomes: YUV444P8, 64x48, of 5 frames"
    for wrong in (other[:4], other.resize.Bicubic(format=vs.YUV420P8), other.std.Crop(left=2)):
        refused(needed, blend=wrong, weight=0.5)
    clip = case.propagate(toy_bundle, blend=other_clip(case, matrix=6), weight=0.5)
    with pytest.raises(vs.Error, match="blend has matrix bt601, clip has bt709; convert it with"):
        clip.get_frame(1)


def test_strokes_in_a_key_clip_are_warned_of(toy_bundle: Path) -> None:
    case = Case(SCENE, size=32)
    rgb = case.key_rgb[0].copy()
    gray = np.repeat(rgb[..., 1:2], 3, axis=2)
    gray[20:28] = rgb[20:28]
    key = clip_of("RGB24", [list(np.moveaxis(gray, -1, 0))], [{}])
    told: list[str] = []
    handle = vs.core.add_log_handler(lambda kind, message: told.append(message))
    try:
        case.propagate(toy_bundle).get_frame(1)
        assert not [text for text in told if "mostly gray" in text]
        case.propagate(toy_bundle, key=key).get_frame(1)
    finally:
        vs.core.remove_log_handler(handle)
    assert [text for text in told if "Propagate: the key of frame 0 is mostly gray, and is" in text]
