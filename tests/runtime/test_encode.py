"""What a Reader gives, a Writer keeps; and a file is whole or not there."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.videos import STEADY, UNEVEN, audio_packets, frames, plane, write_clip
from vidcolor.encode import Writer
from vidcolor.errors import ArgumentError, MediaError
from vidcolor.video import Frame, Reader, Tags

TAGGED = (9, 9, 16, 1, 3)


def recode(clip: Path, output: Path, *, tags: Tags | None = None, **options: object) -> Path:
    """The clip with a chroma ramp in place of its chroma."""
    with (
        Reader(clip) as reader,
        Writer(output, like=reader, tags=tags or reader.info.tags, **options) as writer,
    ):
        blank = av.VideoFrame(reader.info.width, reader.info.height, writer.pixel_format)
        ramps = [np.indices(plane(blank, index).shape)[1] + 16 * index for index in (1, 2)]
        for item in reader:
            if isinstance(item, Frame):
                writer.write((item.planes[0], *ramps), pts=item.pts, duration=item.duration)
            else:
                writer.copy(item)
    return output


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("gray", "yuv444p"),
        ("gray10le", "yuv444p10le"),
        ("gray16le", "yuv444p16le"),
        ("yuv420p", "yuv420p"),
        ("yuv420p10le", "yuv420p10le"),
        ("yuv422p12le", "yuv422p12le"),
        ("yuv444p16le", "yuv444p16le"),
    ],
)
def test_ffv1_keeps_every_code(tmp_path: Path, given: str, written: str) -> None:
    clip = write_clip(tmp_path / "clip.mkv", pixel_format=given)
    output = recode(clip, tmp_path / "out.mkv", codec="ffv1")
    before, after = frames(clip), frames(output)
    assert len(after) == len(STEADY)
    for old, new in zip(before, after, strict=True):
        assert new.format.name == written
        np.testing.assert_array_equal(plane(new, 0), plane(old, 0))
        assert plane(new, 1)[5, 7] == 7 + 16
        assert plane(new, 2)[5, 7] == 7 + 32


@pytest.mark.parametrize(
    ("given", "name", "codec", "written"),
    [
        ("gray", "out.mp4", "h264", "yuv420p"),
        ("gray10le", "out.mp4", "h264", "yuv420p10le"),
        ("yuv420p10le", "out.mov", "h264", "yuv420p10le"),
        ("yuv422p12le", "out.mp4", "hevc", "yuv422p12le"),
        ("gray16le", "out.mkv", "ffv1", "yuv444p16le"),
    ],
)
def test_auto_takes_the_first_codec_that_holds_the_depth(
    tmp_path: Path, given: str, name: str, codec: str, written: str
) -> None:
    output = recode(write_clip(tmp_path / "clip.mkv", pixel_format=given), tmp_path / name)
    with av.open(output) as container:
        assert container.streams.video[0].codec_context.name == codec
        assert next(container.decode(video=0)).format.name == written


def test_gray_of_odd_size_keeps_its_size(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mkv", pixel_format="gray", width=71, height=37)
    frame = frames(recode(clip, tmp_path / "out.mp4"))[0]
    assert (frame.width, frame.height, frame.format.name) == (71, 37, "yuv444p")


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv"])
@pytest.mark.parametrize("codec", ["libx264", "libx265", "ffv1"])
def test_uneven_times_and_tags_are_kept(tmp_path: Path, codec: str, name: str) -> None:
    clip = write_clip(tmp_path / "clip.mkv", pts=UNEVEN, tags=TAGGED)
    output = recode(clip, tmp_path / name, codec=codec)
    decoded = frames(output)
    assert [round(1000 * frame.time) for frame in decoded] == list(UNEVEN)
    # FFV1 leaves siting to the container, and MP4 has no place for it.
    siting = 0 if (codec, name) == ("ffv1", "out.mp4") else TAGGED[-1]
    with Reader(output) as reader:
        assert reader.info.tags == Tags(*TAGGED[:-1], siting)


def test_the_last_frame_lasts_as_long_as_it_did(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", codec="libx264", pts=(0, 40, 80, 120))
    output = recode(clip, tmp_path / "out.mp4")
    with av.open(clip) as before, av.open(output) as after:
        old, new = before.streams.video[0], after.streams.video[0]
        assert new.duration * new.time_base == old.duration * old.time_base


@pytest.mark.parametrize(("codec", "name"), [("libx264", "out.mkv"), ("ffv1", "out.mp4")])
def test_sample_aspect_is_kept(tmp_path: Path, codec: str, name: str) -> None:
    clip = write_clip(tmp_path / "clip.mp4", codec="libx264", sample_aspect=Fraction(16, 15))
    with Reader(recode(clip, tmp_path / name, codec=codec)) as reader:
        assert reader.info.sample_aspect == Fraction(16, 15)


@pytest.mark.parametrize("rotation", [90, 180, 270])
@pytest.mark.parametrize("name", ["out.mp4", "out.mkv"])
def test_rotation_is_kept(tmp_path: Path, name: str, rotation: int) -> None:
    clip = write_clip(tmp_path / "clip.mp4", codec="libx264", rotation=rotation)
    with Reader(recode(clip, tmp_path / name)) as reader:
        assert reader.info.rotation == rotation


@pytest.mark.parametrize(("given", "name"), [("clip.mp4", "out.mp4"), ("clip.mkv", "out.mp4")])
def test_audio_is_copied_packet_by_packet(tmp_path: Path, given: str, name: str) -> None:
    clip = write_clip(tmp_path / given, codec="libx264", audio="aac")
    packets = audio_packets(clip)
    assert len(packets) > 10
    assert audio_packets(recode(clip, tmp_path / name)) == packets


def test_only_the_finished_file_is_left(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mkv")
    output = recode(clip, tmp_path / "out.mkv")
    assert sorted(tmp_path.iterdir()) == [clip, output]


def begin_and_fail(clip: Path, output: Path, *, overwrite: bool = False) -> None:
    """Write a frame, see that it goes somewhere beside the output, and be interrupted."""
    with (
        Reader(clip) as reader,
        Writer(output, like=reader, tags=Tags(), overwrite=overwrite) as writer,
    ):
        frame = next(iter(reader))
        writer.write(frame.planes, pts=0, duration=0)
        assert len(set(output.parent.iterdir()) - {clip, output}) == 1
        raise KeyboardInterrupt


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mkv")
    with pytest.raises(KeyboardInterrupt):
        begin_and_fail(clip, tmp_path / "out.mkv")
    assert list(tmp_path.iterdir()) == [clip]


def test_an_existing_file_is_replaced_only_when_asked_and_only_by_a_whole_one(
    tmp_path: Path,
) -> None:
    clip = write_clip(tmp_path / "clip.mkv")
    output = tmp_path / "out.mkv"
    output.write_text("precious")
    with pytest.raises(ArgumentError, match="exists already; --overwrite replaces it"):
        recode(clip, output)
    with pytest.raises(KeyboardInterrupt):
        begin_and_fail(clip, output, overwrite=True)
    assert output.read_text() == "precious"
    recode(clip, output, overwrite=True)
    assert len(frames(output)) == len(STEADY)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("absent/out.mkv", {}, "no folder"),
        ("out.txt", {}, "end the name in .mp4"),
        ("out", {}, "end the name in .mp4"),
        ("clip.mkv", {"overwrite": True}, "is the clip itself"),
        ("folder.mkv", {}, "is a folder"),
        ("out.mkv", {"codec": "mjpeg"}, "got 'mjpeg', one of auto, libx264, libx265, ffv1"),
        ("out.webm", {}, "auto does not hold yuv420p12le in webm"),
        ("out.mp4", {"codec": "libx264"}, "libx264 does not hold yuv420p12le in mp4"),
    ],
)
def test_refused_before_anything_is_written(
    tmp_path: Path, name: str, options: dict[str, object], message: str
) -> None:
    clip = write_clip(tmp_path / "clip.mkv", pixel_format="yuv420p12le")
    (tmp_path / "folder.mkv").mkdir()
    before = sorted(tmp_path.iterdir())
    with pytest.raises(ArgumentError, match=message):
        recode(clip, tmp_path / name, **options)
    assert sorted(tmp_path.iterdir()) == before


def test_ffv1_in_matroska_refuses_what_it_would_squeeze(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", codec="libx264", sample_aspect=Fraction(16, 15))
    with pytest.raises(ArgumentError, match=r"sample aspect 16/15.*\.mp4"):
        recode(clip, tmp_path / "out.mkv", codec="ffv1")
    assert list(tmp_path.iterdir()) == [clip]


def test_audio_that_the_container_cannot_hold(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mkv", codec="libx264", audio="flac")
    with pytest.raises(ArgumentError, match=r"\.3gp files cannot hold the clip's audio \(flac\)"):
        recode(clip, tmp_path / "out.3gp")
    assert list(tmp_path.iterdir()) == [clip]


def test_a_size_the_encoder_cannot_do(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mkv", width=71, height=37)
    with pytest.raises(MediaError, match="cannot be written"):
        recode(clip, tmp_path / "out.mp4", codec="libx264")
    assert list(tmp_path.iterdir()) == [clip]
