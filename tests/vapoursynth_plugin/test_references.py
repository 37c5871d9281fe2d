"""Pictures that show no frame of the clip, in the filter."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import vapoursynth as vs

from tests.support.films import write_film, write_scenes
from tests.support.scenes import render
from tests.support.videos import frames, plane
from tests.vapoursynth_plugin.reference import Case, clip_of, planes_of
from vidcolor.cli import main
from vidcolor.inference.session import Session

CUTS = (6, 13)
SCENE = render(18, 48, 64)


@pytest.mark.parametrize("direction", ["forward", "backward", "both"])
@pytest.mark.parametrize("keys", [(), (2,), (8, 10)])
def test_it_gives_what_the_plain_loop_gives(
    keys: tuple[int, ...], direction: str, flow_bundle: Path, flow_session: Session
) -> None:
    """Whatever the order that frames are asked for in."""
    case = Case(SCENE, "YUV420P8", size=32, keys=keys, direction=direction, cuts=CUTS, references=2)
    expected = case.plain_loop(flow_session)
    clip = case.propagate(flow_bundle, direction=direction)
    for number in (17, 0, 9, 3, 12, 6, 5):
        assert planes_of(clip.get_frame(number)) == expected[number]


def test_clips_of_several_sizes_and_formats(flow_bundle: Path) -> None:
    """Two clips of a frame each are what one clip of two frames is."""
    case = Case(SCENE, size=32, keys=(), cuts=CUTS, references=2)
    one, other = case.reference_clip()[0], case.reference_clip()[1]
    both = planes_of(case.propagate(flow_bundle).get_frame(4))
    apart = case.propagate(flow_bundle, references=[one, other])
    assert planes_of(apart.get_frame(4)) == both
    as_yuv = vs.core.resize.Bicubic(other, format=vs.YUV444PS, matrix_s="709")
    got = case.propagate(flow_bundle, references=[one, as_yuv]).get_frame(4)
    expected = np.frombuffer(both[1], np.uint8).reshape(48, 64)
    np.testing.assert_allclose(np.asarray(got[1]), expected, atol=1)


def test_the_command_gives_the_same(flow_bundle: Path, tmp_path: Path) -> None:
    import cv2

    case = Case(SCENE, "YUV420P8", size=32, keys=(), cuts=CUTS, references=2)
    film = write_film(tmp_path / "film.mkv", SCENE)
    command = ["color", str(film), "--scenes", str(write_scenes(tmp_path / "cuts.txt", CUTS))]
    for number, rgb in enumerate(case.reference_rgb):
        cv2.imwrite(str(tmp_path / f"still {number}.png"), rgb[..., ::-1])
        command += ["--reference", str(tmp_path / f"still {number}.png")]
    command += ["--size", "32", "--model", str(flow_bundle), "--provider", "cpu", "--codec", "ffv1"]
    assert main([*command, "-o", str(tmp_path / "out.mkv"), "--quiet"]) == 0
    ours = [
        tuple(plane(frame, index).tobytes() for index in range(3))
        for frame in frames(tmp_path / "out.mkv")
    ]
    assert ours == [planes_of(frame) for frame in case.propagate(flow_bundle).frames()]


def test_refusals(flow_bundle: Path, tmp_path: Path) -> None:
    case = Case(SCENE, size=32, keys=(), cuts=CUTS, references=1)
    blank = vs.core.std.BlankClip

    def refused(sentence: str, **arguments: object) -> None:
        with pytest.raises(vs.Error, match=sentence):
            case.propagate(flow_bundle, **arguments)

    refused("references are 17, accepted are at most 16", references=blank(length=17))
    refused("references: a clip is Gray8, accepted are RGB", references=blank(format=vs.GRAY8))
    with pytest.raises(vs.Error, match="key is not given, it may be left out where there are ref"):
        vs.core.vidcolor.Propagate(case.clip(), model=str(flow_bundle), provider="cpu")
    refused("frames is given without key", frames=[1])
    refused("alpha is given without key", alpha=blank(format=vs.GRAY8))
    refused("references: the model .* remembers no pictures", model="unet-2019")
    gray = clip_of("RGB24", [[np.full((40, 90), 90, np.uint8)] * 3], [{}])
    clip = case.propagate(flow_bundle, references=gray)
    with pytest.raises(vs.Error, match="references: frame 0: it is gray, a picture in colour"):
        clip.get_frame(0)
