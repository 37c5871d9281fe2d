"""What a Reader gives, a Writer keeps; and a file is whole or not there."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.container import OutputContainer

from tests.support.videos import STEADY, TICKS, UNEVEN, audio_packets, frames, plane, write_clip
from vidcolor.errors import ArgumentError
from vidcolor.media import writer
from vidcolor.media.info import Frame, Tags
from vidcolor.media.reader import Reader
from vidcolor.media.span import Span
from vidcolor.media.writer import Writer

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
        ("out.mkv", {"codec": "mjpeg"}, "got 'mjpeg', one of auto, libx264, libx265, h264-420"),
        ("out.webm", {}, r"ends in \.webm, which is not written; end the name in \.mp4, \.mov or"),
        ("out.mpd", {}, r"ends in \.mpd, which is not written"),
        ("out.m3u8", {}, r"ends in \.m3u8, which is not written"),
        ("out.wtv", {}, r"ends in \.wtv, which is not written"),
        ("ü" * 121 + ".mkv", {}, r"too long a name by 5 bytes"),
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


def test_the_remedy_holds_the_sample_aspect_too(tmp_path: Path) -> None:
    clip = write_clip(
        tmp_path / "clip.mp4", codec="libx264", width=71, height=37, sample_aspect=Fraction(16, 15),
        pixel_format="yuv444p",
    )  # fmt: skip
    with pytest.raises(
        ArgumentError, match=r"does not hold yuv444p .* mov files; ffv1 in an \.mp4"
    ):
        recode(clip, tmp_path / "out.mov", codec="ffv1")
    recode(clip, tmp_path / "out.mp4", codec="ffv1")
    with pytest.raises(ArgumentError, match=r"dnxhd takes no yuv444p.* of 71x37; ffv1 in an \.mp4"):
        recode(clip, tmp_path / "out.mov", codec="dnxhr")


def test_a_size_the_encoder_cannot_do(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mkv", width=71, height=37)
    with pytest.raises(ArgumentError, match=r"does not hold yuv420p of 71x37 .* ffv1 in an \.mkv"):
        recode(clip, tmp_path / "out.mp4", codec="libx264")
    with pytest.raises(ArgumentError, match=r"dnxhd takes no yuv422p of 96x64; ffv1"):
        recode(write_clip(tmp_path / "even.mkv"), tmp_path / "out.mov", codec="dnxhr")
    assert sorted(tmp_path.iterdir()) == [clip, tmp_path / "even.mkv"]


@pytest.mark.parametrize(
    ("pixel_format", "size"),
    [
        ("yuv420p", (71, 37)),
        ("yuv420p", (71, 38)),
        ("yuv422p", (71, 38)),
        ("yuv420p10le", (72, 37)),
    ],
)
@pytest.mark.parametrize("name", ["out.mp4", "out.mkv"])
def test_auto_takes_a_codec_that_holds_odd_sides(
    tmp_path: Path, name: str, pixel_format: str, size: tuple[int, int]
) -> None:
    width, height = size
    clip = write_clip(tmp_path / "c.mkv", pixel_format=pixel_format, width=width, height=height)
    output = recode(clip, tmp_path / name)
    for old, new in zip(frames(clip), frames(output), strict=True):
        assert (new.width, new.height, new.format.name) == (width, height, pixel_format)
        np.testing.assert_array_equal(plane(new, 0), plane(old, 0))


@pytest.mark.parametrize(("width", "height"), [(71, 37), (300, 201), (96, 64)])
def test_frames_that_are_scaled_down_have_even_sides(
    tmp_path: Path, width: int, height: int
) -> None:
    clip = write_clip(tmp_path / "clip.mkv", width=width, height=height)
    with Reader(clip, side=128) as reader:
        info = reader.info
        assert info.width % 2 == info.height % 2 == 0
        assert abs(info.width / info.height / (width / height) - 1) < 0.05
        assert min(info.width, info.height) == min(128, 2 * round(min(width, height) / 2))
        frame = next(item for item in reader if isinstance(item, Frame))
        assert frame.planes[0].shape == (info.height, info.width)


@pytest.fixture
def rich(tmp_path: Path) -> Path:
    """A clip with sound, subtitles, chapters, a timecode, and a file attached."""
    plain = write_clip(tmp_path / "plain.mkv", codec="libx264", audio="aac")
    path = tmp_path / "rich.mkv"
    with av.open(plain) as given, av.open(path, "w") as container:
        video = container.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 96, 64, "yuv420p"
        video.codec_context.time_base = TICKS
        video.metadata["timecode"] = "10:00:00:00"
        sound = container.add_stream_from_template(given.streams.audio[0])
        words = container.add_mux_stream("subrip")
        words.time_base = TICKS
        words.metadata["language"] = "deu"
        container.add_attachment("font.ttf", "font/ttf", b"letters")
        container.set_chapters(
            [
                {"id": n, "start": 160 * n, "end": 160 * (n + 1), "time_base": TICKS, "metadata": m}
                for n, m in enumerate([{"title": "one"}, {"title": "two"}])
            ]
        )
        for packet in given.demux():
            if packet.stream.type == "video":
                container.mux([made for frame in packet.decode() for made in video.encode(frame)])
            elif packet.size:
                packet.stream = sound
                container.mux(packet)
        container.mux(video.encode())
        for time, text in ((40, b"Guten"), (200, b"Tag")):
            line = av.Packet(text)
            line.stream, line.time_base = words, TICKS
            line.pts = line.dts = time
            line.duration = 80
            container.mux(line)
    return path


def lines_of(path: Path) -> list[tuple[int, bytes]]:
    """Milliseconds and text of each subtitle."""
    with av.open(path) as container:
        return [
            (round(1000 * packet.pts * packet.time_base), bytes(packet))
            for packet in container.demux(subtitles=0)
            if packet.size
        ]


def chapters_of(path: Path) -> list[tuple[str, int, int]]:
    with av.open(path) as container:
        return [
            (
                c["metadata"]["title"],
                *(round(1000 * c[at] * c["time_base"]) for at in ("start", "end")),
            )
            for c in container.chapters()
        ]


def timecode_of(path: Path) -> str:
    with Reader(path) as reader:
        return reader.video_metadata["timecode"]


def test_subtitles_chapters_timecode_and_attachments_are_kept(rich: Path, tmp_path: Path) -> None:
    output = recode(rich, tmp_path / "out.mkv")
    assert lines_of(output) == lines_of(rich) == [(40, b"Guten"), (200, b"Tag")]
    assert chapters_of(output) == [("one", 0, 160), ("two", 160, 320)]
    assert timecode_of(output) == "10:00:00:00"
    with Reader(output) as reader:
        [attached] = reader.attachments
        assert (attached.name, attached.mimetype, attached.data) == (
            "font.ttf",
            "font/ttf",
            b"letters",
        )
        assert reader.copied[-1].language == "deu"


@pytest.mark.parametrize("name", ["out.mp4", "out.mov"])
def test_what_a_container_cannot_hold_is_named(rich: Path, tmp_path: Path, name: str) -> None:
    with Reader(rich) as reader:
        writer = Writer(tmp_path / name, like=reader, tags=Tags())
        writer.discard()
    assert writer.left_out == ["attachment font.ttf"]
    output = recode(rich, tmp_path / name)
    assert chapters_of(output) == [("one", 0, 160), ("two", 160, 320)]
    assert timecode_of(output) == "10:00:00:00"
    assert audio_packets(output) == audio_packets(rich)


def test_a_timecode_that_cannot_be_counted_is_left_out(tmp_path: Path) -> None:
    """A file without a rate counts as one of a frame for each tick."""
    plain, path = write_clip(tmp_path / "plain.mkv", codec="libx264"), tmp_path / "rateless.mkv"
    with av.open(plain) as given, av.open(path, "w") as container:
        video = container.add_stream_from_template(given.streams.video[0])
        video.metadata["timecode"] = "10:00:00:00"
        for packet in given.demux():
            if packet.size:
                packet.stream = video
                container.mux(packet)
    with Reader(path) as reader:
        assert reader.info.rate == 1000
        writer = Writer(tmp_path / "out.mp4", like=reader, tags=Tags())
        writer.discard()
    assert writer.left_out == ["timecode (10:00:00:00)"]
    assert len(frames(recode(path, tmp_path / "out.mp4"))) == len(STEADY)


def test_a_part_takes_its_part_of_everything(rich: Path, tmp_path: Path) -> None:
    """Frames 4 to 7, that is, from 160 ms on."""
    span = Span(Fraction(16, 100), Fraction(32, 100), Fraction(0), frames_before=4)
    output = tmp_path / "part.mkv"
    with (
        Reader(rich) as reader,
        Writer(output, like=reader, tags=Tags(), codec="ffv1", span=span) as writer,
    ):
        for number, item in enumerate_frames(reader):
            if not isinstance(item, Frame):
                writer.copy(item)
            elif number >= 4:
                writer.write(item.planes, pts=item.pts, duration=item.duration)
    assert [round(1000 * frame.time) for frame in frames(output)] == [0, 40, 80, 120]
    assert lines_of(output) == [(40, b"Tag")]
    assert chapters_of(output) == [("two", 0, 160)]
    assert timecode_of(output) == "10:00:00:04"
    before, after = audio_packets(rich), audio_packets(output)
    within = [(time, data) for time, data in before if 0.16 <= time < 0.32]
    assert [data for _, data in after] == [data for _, data in within]
    np.testing.assert_allclose(
        [time for time, _ in after], [time - 0.16 for time, _ in within], atol=0.002
    )


def enumerate_frames(reader: Reader):
    number = 0
    for item in reader:
        yield number, item
        number += isinstance(item, Frame)


def test_cover_art_is_not_the_film(tmp_path: Path) -> None:
    """It is a video stream of one picture, and may come first."""
    plain, path = write_clip(tmp_path / "plain.mp4", codec="libx264"), tmp_path / "covered.mp4"
    with av.open(plain) as given, av.open(path, "w") as container:
        cover = container.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 32, 32, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        video = container.add_stream_from_template(given.streams.video[0])
        container.mux(cover.encode(av.VideoFrame(32, 32, "yuvj420p")))
        for packet in given.demux(video=0):
            if packet.size:
                packet.stream = video
                container.mux(packet)
    with Reader(path) as reader:
        assert (reader.info.width, reader.info.height) == (96, 64)
        assert sum(isinstance(item, Frame) for item in reader) == len(STEADY)


def test_the_same_frames_give_the_same_bytes(rich: Path, tmp_path: Path) -> None:
    """Of an encoder that is the same each time; x264 on several threads is not quite."""
    one, two = (recode(rich, tmp_path / name, codec="ffv1") for name in ("one.mkv", "two.mkv"))
    assert one.read_bytes() == two.read_bytes()


def test_an_interrupt_as_the_file_is_closed_leaves_nothing(
    rich: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C is told when FFmpeg has done its part and Python goes on."""
    before = sorted(tmp_path.iterdir())

    def interrupted(container: OutputContainer) -> None:
        container.close()
        raise KeyboardInterrupt

    monkeypatch.setattr(writer, "_close", interrupted)
    with Reader(rich) as reader, pytest.raises(KeyboardInterrupt):
        Writer(tmp_path / "out.mkv", like=reader, tags=reader.info.tags).discard()
    assert sorted(tmp_path.iterdir()) == before
