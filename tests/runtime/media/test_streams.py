"""Sound, subtitles and the rest: copied, converted or left out, but never in the picture's way."""

import re
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition

from tests.runtime.media.test_timing import recode
from tests.support.faults import spoil_packet, write_steady
from tests.support.videos import audio_packets, frames
from vidcolor.media.info import Frame, Tags
from vidcolor.media.reader import Reader
from vidcolor.media.span import Span
from vidcolor.media.writer import Writer

COPIED, AS_PCM, AS_AAC = "copied", "pcm_s16le", "aac"


def sound_of(path: Path) -> np.ndarray:
    """What is heard, 16 bits, one channel."""
    resampler = av.AudioResampler("s16", "mono", 48000)
    with av.open(path) as container:
        heard = [
            made.to_ndarray()[0]
            for frame in container.decode(audio=0)
            for made in resampler.resample(frame)
        ]
    return np.concatenate(heard).astype(float)


def notes_of(clip: Path, output: Path, **options: object) -> list[str]:
    """Write a clip, and what is told of it."""
    with Reader(clip) as reader:
        writer = Writer(output, like=reader, tags=Tags(), **options)
        writer.discard()
    recode(clip, output, **options)
    return writer.notes


@pytest.mark.parametrize(
    ("given", "codec", "ending", "what"),
    [
        ("clip.avi", "pcm_u8", ".mkv", COPIED),
        ("clip.avi", "pcm_u8", ".mov", COPIED),
        ("clip.avi", "pcm_u8", ".mp4", AS_AAC),
        ("clip.avi", "pcm_mulaw", ".mkv", COPIED),
        ("clip.avi", "pcm_mulaw", ".mov", COPIED),
        ("clip.avi", "pcm_mulaw", ".mp4", AS_AAC),
        ("clip.avi", "adpcm_ms", ".mkv", COPIED),
        ("clip.avi", "adpcm_ms", ".mov", AS_PCM),
        ("clip.avi", "adpcm_ms", ".mp4", AS_AAC),
        ("clip.wmv", "wmav2", ".mkv", COPIED),
        ("clip.wmv", "wmav2", ".mp4", AS_AAC),
        ("clip.wmv", "wmav2", ".mov", AS_AAC),
        ("clip.mkv", "flac", ".mp4", COPIED),
        ("clip.mkv", "flac", ".mov", AS_PCM),
        ("clip.mpg", "mp2", ".mp4", COPIED),
        ("clip.ts", "aac", ".mp4", COPIED),
        ("clip.ts", "ac3", ".mov", COPIED),
    ],
)
def test_sound_is_copied_or_converted(
    tmp_path: Path, given: str, codec: str, ending: str, what: str
) -> None:
    video = {"clip.avi": "mjpeg", "clip.wmv": "wmv2", "clip.mpg": "mpeg2video"}.get(
        given, "libx264"
    )
    clip = write_steady(
        tmp_path / given,
        frames=24,
        rate=Fraction(25),
        codec=video,
        pixel_format="yuvj420p" if video == "mjpeg" else "yuv420p",
        sound=codec,
    )
    output = tmp_path / f"out{ending}"
    told = notes_of(clip, output)
    with av.open(output) as container:
        written = container.streams.audio[0].codec_context.name
    if what == COPIED:
        assert told == []
        before, after = audio_packets(clip), audio_packets(output)
        # PCM comes in pieces of any size; MPEG-TS has headers before AAC, which MP4 leaves out.
        if codec.startswith("pcm"):
            assert b"".join(data for _, data in after) == b"".join(data for _, data in before)
        else:
            assert len(after) == len(before)
            assert codec == "aac" or [data for _, data in after] == [data for _, data in before]
    else:
        assert told == [
            f"sound ({codec}) of {clip} becomes {what}: {output} cannot hold it as it is"
        ]
        assert written == what
    before, after = sound_of(clip), sound_of(output)
    assert abs(len(after) - len(before)) < 4096
    loud = np.sqrt((before[4000:30000] ** 2).mean())
    assert np.sqrt((after[4000:30000] ** 2).mean()) == pytest.approx(loud, rel=0.1)
    assert len(frames(output)) == 24


def unknown_sound(clip: Path) -> Path:
    """The clip's last sound track, of a kind that FFmpeg does not know."""
    data = clip.read_bytes()
    at = data.rindex(b"sowt")
    path = clip.with_stem("phone")
    path.write_bytes(data[:at] + b"apac" + data[at + 4 :])
    return path


@pytest.mark.parametrize("ending", [".mov", ".mp4", ".mkv"])
def test_a_second_track_of_an_unknown_kind(tmp_path: Path, ending: str) -> None:
    one = write_steady(tmp_path / "one.mov", frames=24, sound="pcm_s16le")
    two = tmp_path / "two.mov"
    with av.open(one) as given, av.open(two, "w") as container:
        streams = [container.add_stream_from_template(s, opaque=True) for s in given.streams]
        again = container.add_stream_from_template(given.streams.audio[0], opaque=True)
        for packet in list(given.demux()):
            if packet.size:
                data, sounding = bytes(packet), packet.stream.type == "audio"
                times = packet.pts, packet.dts, packet.time_base
                packet.stream = streams[packet.stream.index]
                container.mux(packet)
                if sounding:
                    other = av.Packet(data)
                    other.stream, other.pts, other.dts, other.time_base = again, *times
                    container.mux(other)
    phone = unknown_sound(two)
    output = tmp_path / f"out{ending}"
    told = notes_of(phone, output)
    assert any("sound (track 2, of a kind that FFmpeg does not know)" in note for note in told)
    assert len(frames(output)) == 24
    with av.open(output) as container:
        assert len(container.streams.audio) == 1
    assert abs(len(sound_of(output)) - len(sound_of(one))) < 4096


def test_no_sound_at_all_is_known(tmp_path: Path) -> None:
    phone = unknown_sound(write_steady(tmp_path / "one.mov", frames=24, sound="pcm_s16le"))
    output = tmp_path / "out.mp4"
    [note] = notes_of(phone, output)
    assert "sound (track 1, of a kind that FFmpeg does not know) of" in note
    with av.open(output) as container:
        assert not container.streams.audio


def test_sound_of_a_matroska_that_nobody_knows(tmp_path: Path) -> None:
    clip = write_steady(tmp_path / "one.mkv", frames=24, sound="pcm_s16le")
    data = clip.read_bytes()
    assert data.count(b"A_PCM/INT/LIT") == 1
    clip.write_bytes(data.replace(b"A_PCM/INT/LIT", b"A_NEW/ONE/XYZ"))
    output = tmp_path / "out.mkv"
    [note] = notes_of(clip, output)
    assert "of a kind that FFmpeg does not know) of" in note
    assert len(frames(output)) == 24


def test_sound_may_be_left_out(tmp_path: Path) -> None:
    clip = write_steady(tmp_path / "clip.mkv", frames=24, sound="aac")
    assert notes_of(clip, tmp_path / "out.mp4", audio=False) == []
    with av.open(tmp_path / "out.mp4") as container:
        assert [stream.type for stream in container.streams] == ["video"]


def test_a_damaged_packet_of_sound_does_not_stop_the_film(tmp_path: Path) -> None:
    clip = write_steady(tmp_path / "clip.mkv", frames=24, sound="aac")
    spoilt = spoil_packet(clip, 8, lambda data: bytes(len(data)), stream=1)
    for ending in (".mp4", ".mov", ".mkv"):
        assert len(frames(recode(spoilt, tmp_path / f"out{ending}"))) == 24
    wma = write_steady(
        tmp_path / "clip.wmv", frames=24, codec="wmv2", sound="wmav2", rate=Fraction(25)
    )
    spoilt = spoil_packet(wma, 3, lambda data: b"\xff" * len(data), stream=1)
    assert len(frames(recode(spoilt, tmp_path / "converted.mp4"))) == 24


@pytest.fixture
def rich(tmp_path: Path) -> Path:
    """A film with a cover, a second video, two sound tracks and a track of data."""
    plain = write_steady(tmp_path / "plain.mkv", frames=24, sound="aac")
    path = tmp_path / "rich.mp4"
    with av.open(plain) as given, av.open(path, "w") as container:
        picture, sound = given.streams.video[0], given.streams.audio[0]
        one = container.add_stream_from_template(picture, opaque=True)
        two = container.add_stream_from_template(picture, opaque=True)
        tracks = [container.add_stream_from_template(sound, opaque=True) for _ in range(2)]
        tracks[1].metadata["language"] = "fra"
        tracks[0].disposition, tracks[1].disposition = Disposition(0), Disposition.default
        cover = container.add_stream("png", rate=1)
        cover.width, cover.height, cover.pix_fmt = 32, 32, "rgb24"
        cover.disposition = Disposition.attached_pic
        container.mux(cover.encode(av.VideoFrame(32, 32, "rgb24")))
        for packet in list(given.demux()):
            if not packet.size:
                continue
            data, times = bytes(packet), (packet.pts, packet.dts, packet.time_base)
            for stream in (one, two) if packet.stream.type == "video" else tracks:
                copy = av.Packet(data)
                copy.pts, copy.dts, copy.time_base = times
                copy.is_keyframe, copy.duration, copy.stream = packet.is_keyframe, 40, stream
                container.mux(copy)
    return path


@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
def test_covers_flags_and_second_videos(rich: Path, tmp_path: Path, ending: str) -> None:
    output = tmp_path / f"out{ending}"
    told = notes_of(rich, output)
    assert told == [f"video (h264) of {rich} is left out: one video is coloured"]
    with av.open(output) as container:
        pictures = container.streams.video
        assert [bool(v.disposition & Disposition.attached_pic) for v in pictures] == [False, True]
        assert pictures[1].codec_context.name == "png"
        cover = next(packet for packet in container.demux(pictures[1]) if packet.size)
        assert bytes(cover).startswith(b"\x89PNG")
        one, two = container.streams.audio
        assert two.language == "fra"
        assert not one.disposition & Disposition.default
        assert two.disposition & Disposition.default
    with Reader(output) as reader:
        assert sum(isinstance(item, Frame) for item in reader) == 24


def test_a_cover_that_has_no_place_is_named(rich: Path, tmp_path: Path) -> None:
    told = notes_of(rich, tmp_path / "out.mov")
    assert f"cover art (png) of {rich} is left out: {tmp_path / 'out.mov'} cannot hold it" in told


SRT = """1
00:00:00,040 --> 00:00:00,140
Guten <i>Tag</i>

2
00:00:00,200 --> 00:00:00,300
zwei
Zeilen

"""


def with_text(folder: Path, kind: str, ending: str) -> Path:
    """A film with subtitles, by way of the converter that is under test in another direction."""
    words, path = folder / "words.srt", folder / f"text{ending}"
    words.write_text(SRT)
    plain = write_steady(folder / "plain.mkv", frames=24)
    with av.open(plain) as given, av.open(words) as text, av.open(path, "w") as container:
        video = container.add_stream_from_template(given.streams.video[0], opaque=True)
        source, shown = text.streams.subtitles[0], container.add_stream(kind)
        source.codec_context.open()
        shown.time_base, shown.metadata["language"] = source.time_base, "fra"
        shown.codec_context.subtitle_header = source.codec_context.subtitle_header
        for packet in given.demux(video=0):
            if packet.size:
                packet.stream = video
                container.mux(packet)
        for packet in text.demux(source):
            if packet.size:
                made = shown.codec_context.encode_subtitle(source.codec_context.decode2(packet))
                made.pts, made.dts, made.duration = packet.pts, packet.pts, packet.duration
                made.time_base, made.stream = packet.time_base, shown
                container.mux(made)
    return path


def shown_in(path: Path) -> list[tuple[int, int, str]]:
    """Milliseconds from and to which a text is shown, and the text without its style."""
    found = []
    with av.open(path) as container:
        words = container.streams.subtitles[0]
        for packet in container.demux(words):
            if packet.size and (text := words.codec_context.decode2(packet)) is not None:
                begin, lasts = (
                    round(1000 * time * packet.time_base) for time in (packet.pts, packet.duration)
                )
                plain = re.sub(r"{[^}]*}", "", text[0].dialogue.decode())
                found.append((begin, begin + lasts, plain))
    return found


@pytest.mark.parametrize(
    ("given", "kind", "ending", "becomes"),
    [
        (".mkv", "subrip", ".mp4", "mov_text"),
        (".mkv", "ass", ".mp4", "mov_text"),
        (".mkv", "ass", ".mov", "mov_text"),
        (".mkv", "webvtt", ".mov", "mov_text"),
        (".mp4", "mov_text", ".mkv", "subrip"),
        (".mkv", "subrip", ".mkv", COPIED),
        (".mp4", "mov_text", ".mov", COPIED),
    ],
)
def test_text_is_copied_or_converted(
    tmp_path: Path, given: str, kind: str, ending: str, becomes: str
) -> None:
    clip, output = with_text(tmp_path, kind, given), tmp_path / f"out{ending}"
    told = notes_of(clip, output)
    assert len(told) == (0 if becomes == COPIED else 1)
    if becomes != COPIED:
        assert f"of {clip} become {becomes}: {output} cannot hold it as it is" in told[0]
        assert told[0].startswith("subtitles (")
    assert shown_in(output) == [(40, 140, "Guten Tag"), (200, 300, "zwei\nZeilen")]
    assert len(frames(output)) == 24
    with av.open(output) as container:
        assert container.streams.subtitles[0].language == "fra"


def test_a_part_has_its_part_of_the_text(tmp_path: Path) -> None:
    clip, output = with_text(tmp_path, "subrip", ".mkv"), tmp_path / "out.mp4"
    recode(clip, output, span=Span(Fraction(4, 24), Fraction(1), Fraction(0), frames_before=4))
    assert shown_in(output) == [(33, 133, "zwei\nZeilen")]
