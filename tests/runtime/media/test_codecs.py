"""Which pixel format a codec is given for which clip, and that encoders take it."""

from contextlib import nullcontext, suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.support.videos import frames, picture, plane, write_clip, write_key
from vidcolor.cli import main
from vidcolor.errors import ArgumentError
from vidcolor.media.codecs import AUTO, CODECS, PREVIEW, choose
from vidcolor.media.info import Info, Tags

TOY = Path(__file__).parents[2] / "toy" / "bundle"
INFO = Info(96, 64, "yuv420p", Tags(), Fraction(1), 0, Fraction(1, 25), Fraction(25), 1)
ALL = {encoder.library for encoder in CODECS.values()}


@pytest.mark.parametrize(
    ("codec", "given", "taken"),
    [
        ("prores", "gray", "yuv422p10le"),
        ("prores", "yuv420p", "yuv422p10le"),
        ("prores", "yuv422p12le", "yuv422p10le"),
        ("prores", "yuv444p", "yuv444p10le"),
        ("dnxhr", "gray", "yuv422p"),
        ("dnxhr", "yuv420p", "yuv422p"),
        ("dnxhr", "gray10le", "yuv422p10le"),
        ("dnxhr", "gray16le", "yuv422p10le"),
        ("dnxhr", "yuv444p", "yuv444p10le"),
        ("libx264", "yuv422p10le", "yuv422p10le"),
        ("ffv1", "gray12le", "yuv444p12le"),
        (PREVIEW, "yuv444p16le", "yuv420p"),
    ],
)
def test_formats_follow_the_clip(codec, given, taken) -> None:
    _, pixel_format = choose(codec, replace(INFO, pixel_format=given), holds=ALL, container="mov")
    assert pixel_format == taken


def test_auto_never_takes_depth_away() -> None:
    deep = replace(INFO, pixel_format="gray16le")
    with pytest.raises(ArgumentError, match="auto does not hold gray16le in mov files"):
        choose(AUTO, deep, holds=ALL - {"ffv1"}, container="mov")


def test_an_editors_codec_asks_for_its_container() -> None:
    with pytest.raises(ArgumentError, match=r"prores does not hold .* ends in \.mov"):
        choose("prores", INFO, holds={"libx264"}, container="mp4")


@pytest.mark.parametrize(
    ("codec", "given", "profile", "written"),
    [
        ("prores", "gray", "HQ", "yuv422p10le"),
        ("prores", "yuv444p10le", "4444", None),
        ("dnxhr", "gray", "DNXHR HQ", "yuv422p"),
        ("dnxhr", "gray10le", "DNXHR HQX", "yuv422p10le"),
    ],
)
def test_what_is_written(codec, given, profile, written, tmp_path: Path) -> None:
    """Luma of more bits is the clip's, shifted; what these codecs lose is little."""
    size = {"width": 256, "height": 144}
    clip = write_clip(tmp_path / "clip.mkv", pixel_format=given, tags=(1, 1, 1, 1, 1), **size)
    key = write_key(tmp_path / "key.png", **size)
    options = ["--key", str(key), "--any-key", "--model", str(TOY), "--provider", "cpu"]
    output = tmp_path / "out.mov"
    assert main(["color", str(clip), *options, "--codec", codec, "-o", str(output)]) == 0
    with av.open(output) as container:
        stream = container.streams.video[0]
        assert stream.profile == profile
        assert stream.codec_context.colorspace == 1
        decoded = next(container.decode(video=0))
    assert written in (None, decoded.format.name)
    bits = decoded.format.components[0].bits
    codes = picture(0, bits=CLIP_BITS[given], **size).astype(float) * 2 ** (bits - CLIP_BITS[given])
    assert np.abs(plane(decoded, 0) - codes).mean() < 2 ** (bits - 8)
    assert np.ptp(plane(decoded, 1)) > 20 * 2 ** (bits - 8)
    assert len(frames(output)) == len(frames(clip))


CLIP_BITS = {"gray": 8, "gray10le": 10, "yuv444p10le": 10}


def test_options_take_the_place_of_ours() -> None:
    encoder = CODECS["libx264"].with_options({"crf": "30", "tune": "film"})
    wanted = {**CODECS["libx264"].options, "crf": "30", "tune": "film"}
    assert encoder.options_for("yuv420p") == wanted
    assert CODECS["libx264"].options["crf"] == "12"
    own = CODECS["dnxhr"].with_options({"profile": "dnxhr_lb"})
    assert own.options_for("yuv422p") == {"profile": "dnxhr_lb"}


@pytest.mark.parametrize(
    ("asked", "settings"),
    [
        ({}, ("subme=1 ", "analyse=0x3:0x3 ", "mbtree=1 ", "crf=12.0 ")),
        ({"crf": "20"}, ("subme=1 ", "analyse=0x3:0x3 ", "mbtree=1 ", "crf=20.0 ")),
        ({"preset": "veryfast"}, ("subme=2 ", "analyse=0x3:0x113 ", "mbtree=1 ", "crf=12.0 ")),
        ({"preset": "slow"}, ("subme=8 ", "analyse=0x3:0x113 ", "mbtree=1 ", "crf=12.0 ")),
    ],
)
def test_x264_is_quicker_than_its_preset_and_takes_another_one_whole(
    asked: dict[str, str], settings: tuple[str, ...]
) -> None:
    """As x264 itself writes its settings into a video."""
    context = av.CodecContext.create("libx264", "w")
    context.width, context.height, context.pix_fmt = 96, 64, "yuv420p"
    context.time_base, context.framerate = Fraction(1, 25), Fraction(25)
    context.options = CODECS["libx264"].with_options(asked).options_for("yuv420p")
    frame = av.VideoFrame(96, 64, "yuv420p")
    frame.pts = 0
    video = b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode()])
    assert [text for text in settings if text.encode() not in video] == []


@pytest.mark.parametrize("codec", ["libx264", "libx265", "h264-420"])
@pytest.mark.parametrize("asked", [{"qp": "30"}, {"b": "100k"}])
def test_another_aim_takes_the_place_of_our_crf(codec: str, asked: dict[str, str]) -> None:
    """Given both, x264 and x265 take the crf, and do not say so."""
    wanted = {**CODECS[codec].options_for("yuv420p"), **asked}
    del wanted["crf"]
    assert CODECS[codec].with_options(asked).options_for("yuv420p") == wanted
    CODECS[codec].check_options(asked, "yuv420p", INFO)


@pytest.mark.parametrize(
    ("codec", "pixel_format", "asked", "sentence"),
    [
        ("libx264", "yuv420p", {"crf": "20", "qp": "20"}, "crf and qp: each says how well to enco"),
        ("libx265", "yuv420p", {"b": "2M", "crf": "20"}, "b and crf: each says how well to encode"),
        (
            "libx264",
            "yuv420p",
            {"crf": "20", "x264-params": "me=umh:qp=30"},
            "crf and qp in x264-params: each says how well to encode, one of them is accepted",
        ),
        ("libx265", "yuv420p", {"x265-params": "bitrate=9", "qp": "3"}, "qp and bitrate in x265"),
        ("libx265", "yuv420p", {"x265-params": "lossless=1:crf=9"}, "lossless in x265-params and "),
        ("libx264", "yuv420p", {"crf": "9", "x264-params": "qp_constant=3"}, "crf and qp-constant"),
        ("ffv1", "yuv444p", {"crf": "20"}, "crf: the encoder ffv1 has no such option; leave"),
        ("prores", "yuv422p10le", {"preset": "slow"}, "preset: the encoder prores_ks has no"),
        ("libx264", "yuv420p", {"preset": "fastest"}, "preset is 'fastest', accepted are ultrafas"),
        ("libx265", "yuv420p", {"preset": "fastest"}, "preset is 'fastest', accepted are ultrafas"),
        ("libx264", "yuv420p", {"tune": "vhs"}, "tune is 'vhs', accepted are film, animation, gr"),
        ("libx265", "yuv420p", {"tune": "vhs"}, "tune is 'vhs', which the encoder libx265 does n"),
        ("libx264", "yuv420p", {"profile": "top"}, "profile is 'top', accepted for yuv420p are b"),
        ("libx264", "yuv422p", {"profile": "high"}, "profile is 'high', accepted for yuv422p are"),
        ("libx264", "yuv420p", {"x264-params": "a=3:me=umh"}, "x264-params is 'a=3:me=umh', whi"),
        ("libx264", "yuv420p", {"x264-params": "crf=low"}, "x264-params is 'crf=low', which the"),
        ("libx265", "yuv420p", {"x265-params": "a=3"}, "x265-params is 'a=3', which the encoder l"),
        ("libx264", "yuv420p", {"tune": "film", "g": "x"}, "g is 'x', which the encoder libx264"),
        ("libx265", "yuv420p", {"presett": "slow"}, "presett: the encoder libx265 has no such"),
        ("libx264", "yuv420p", {"video_size": "16x16"}, "video_size is '16x16'; vidcolor itself"),
        ("ffv1", "yuv420p", {"pixel_format": "gray"}, "pixel_format is 'gray'; vidcolor itself"),
    ],
)
def test_options_that_an_encoder_does_not_take(codec, pixel_format, asked, sentence) -> None:
    with pytest.raises(ArgumentError, match=f"^{sentence}"):
        CODECS[codec].check_options(asked, pixel_format, INFO)


@pytest.mark.parametrize(
    ("codec", "name", "reason"),
    [
        ("libx264", "x264-params", "Error parsing option 'speed = 3'"),
        ("libx265", "x265-params", "Unknown option: speed"),
    ],
)
def test_ffmpegs_own_word_of_a_nested_option(codec: str, name: str, reason: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        CODECS[codec].check_options({name: "speed=3"}, "yuv420p", INFO)
    assert f"does not take ({reason}); see FFmpeg's documentation" in str(caught.value)


@pytest.mark.parametrize(
    "pixel_format", [f"yuv{kind}p{bits}" for kind in (420, 422, 444) for bits in ("", "10le")]
)
def test_the_profiles_of_x264(pixel_format: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Those that are accepted are those that x264 takes; it is not asked for the others."""
    encoder, takes = CODECS["libx264"], []
    for profile in ("baseline", "main", "high", "high10", "high422", "high444"):
        with suppress(ArgumentError):
            encoder.check_options({"profile": profile}, pixel_format, INFO)
            takes.append(profile)
    assert capfd.readouterr().err == ""
    for profile in ("baseline", "main", "high", "high10", "high422", "high444"):
        changed = encoder.with_options({"profile": profile})
        with nullcontext() if profile in takes else pytest.raises(ArgumentError):
            changed.check_opens(pixel_format, INFO)


def test_encoders_write_nothing_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_clip(Path("clip.mkv"), tags=(1, 1, 1, 1, 0))
    write_key(Path("key.png"))
    words = ["color", "clip.mkv", "--key", "key.png", "--quiet", "--overwrite", "-o", "out.mp4"]
    words += ["--model", str(TOY), "--provider", "cpu", "--size", "48"]
    for codec, nested in (("libx264", "x264-params=me=umh"), ("libx265", "x265-params=me=umh")):
        for more in ([], ["--codec-options", nested], ["--preset", "superfast"]):
            assert main([*words, "--codec", codec, *more]) == 0
    assert capfd.readouterr() == ("", "")


def test_options_that_it_takes() -> None:
    CODECS["libx264"].check_options({"preset": "3", "tune": "Film"}, "yuv420p", INFO)
    CODECS["libx264"].check_options({"x264-params": "keyint=48:bframes=2"}, "yuv420p", INFO)
    CODECS["libx265"].check_options({"x265-params": "keyint=48:me=umh"}, "yuv420p", INFO)
    for codec in ("libx264", "libx265", "h264-420"):
        asked = {"crf": "20.5", "preset": "ultrafast", "g": "12"}
        CODECS[codec].check_options(asked, "yuv420p", INFO)
    CODECS["prores"].check_options({"profile": "lt"}, "yuv422p10le", INFO)


@pytest.mark.parametrize("pixel_format", ["gray", "yuv422p10le", "yuv444p"])
def test_what_plays_everywhere_is_high_profile_of_8_bits(
    tmp_path: Path, monkeypatch, pixel_format: str
) -> None:
    """And the index lies in front of the pictures, so that browsers play it as it loads."""
    monkeypatch.chdir(tmp_path)
    write_clip(Path("clip.mkv"), pixel_format=pixel_format, tags=(1, 1, 1, 1, 0))
    write_key(Path("key.png"))
    words = ["color", "clip.mkv", "--key", "key.png", "-o", "out.mp4", "--codec", "h264-420"]
    assert main([*words, "--model", str(TOY), "--provider", "cpu", "--size", "48"]) == 0
    with av.open("out.mp4") as container:
        context = container.streams.video[0].codec_context
        assert (context.profile, context.pix_fmt) == ("High", "yuv420p")
    data = Path("out.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
