"""Frames come in the order in which they show, at rising and exact times."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from tests.support.faults import write_steady
from tests.support.videos import UNEVEN, plane, write_clip
from vidcolor.media.clock import Clock
from vidcolor.media.info import Frame, Tags
from vidcolor.media.reader import Reader
from vidcolor.media.span import Span
from vidcolor.media.timing import DisplayOrder, Grid, exact_rate
from vidcolor.media.writer import Writer

FILM = Fraction(24)
NTSC = Fraction(24000, 1001)
ENCODERS = {
    "prores": ("prores", ".mov"),
    "dnxhr": ("dnxhr", ".mov"),
    "x264 in mp4": ("libx264", ".mp4"),
    "x264 in mov": ("libx264", ".mov"),
    "x264 in mkv": ("libx264", ".mkv"),
    "ffv1": ("ffv1", ".mkv"),
}


def times_of(clip: Path) -> list[Fraction]:
    """Seconds at which frames show."""
    with Reader(clip) as reader:
        return [item.pts * reader.info.time_base for item in reader if isinstance(item, Frame)]


def recode(clip: Path, output: Path, **options: object) -> Path:
    with (
        Reader(clip) as reader,
        Writer(output, like=reader, tags=Tags(), **options) as writer,
    ):
        blank = av.VideoFrame(reader.info.width, reader.info.height, writer.pixel_format)
        deeper = blank.format.components[0].bits - reader.info.bits
        chroma = [np.full_like(plane(blank, index), 128 << deeper) for index in (1, 2)]
        for item in reader:
            if isinstance(item, Frame):
                luma = item.planes[0].astype(chroma[0].dtype) << deeper
                writer.write((luma, *chroma), pts=item.pts, duration=item.duration)
            else:
                writer.copy(item)
    return output


def as_decoded(packet: av.Packet) -> None:
    """Give a packet the time of its decoding as that of its showing."""
    packet.pts = packet.dts


@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
@pytest.mark.parametrize("given", ["film.avi", "naive.mp4", "naive.mov"])
def test_times_of_decoding_are_sorted(tmp_path: Path, given: str, ending: str) -> None:
    naive = {"times": as_decoded} if given.startswith("naive") else {}
    clip = write_steady(tmp_path / given, frames=30, options={"bf": "3"}, **naive)
    with av.open(clip) as container:
        stored = [frame.pts for frame in container.decode(video=0)]
    assert stored != sorted(stored)
    times = times_of(clip)
    assert times == [times[0] + n / FILM for n in range(30)]
    written = times_of(recode(clip, tmp_path / f"out{ending}"))
    assert [time - written[0] for time in written] == [n / FILM for n in range(30)]


def test_frames_that_are_cut_off_stay_so(tmp_path: Path) -> None:
    """An edit list that leaves out frames is kept to, where the file has times of showing."""
    clip = write_steady(tmp_path / "whole.mp4", frames=30, options={"bf": "3", "g": "30"})
    cut = tmp_path / "cut.mp4"
    with av.open(clip) as given, av.open(cut, "w") as container:
        video = container.add_stream_from_template(given.streams.video[0], opaque=True)
        for packet in given.demux(video=0):
            if packet.size:
                shift = round(Fraction(10) / FILM / packet.time_base)
                packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
                packet.stream = video
                container.mux(packet)
    assert len(times_of(cut)) == 20


def test_a_few_frames_are_held_back_and_no_more() -> None:
    order: DisplayOrder[str] = DisplayOrder()
    for time in range(40):
        order.expect(time)
    assert list(order.add("b", 1)) == []  # 0 may come
    assert list(order.add("a", 0)) == [("b", 0), ("a", 1)]
    given = [number for time in range(3, 40) for _, number in order.add(f"{time}", time)]
    assert given == list(range(3, 40))  # 2 never came
    assert list(order.rest()) == []


@pytest.mark.parametrize("ending", [".mpg", ".ts"])
def test_the_clock_of_joined_recordings_goes_on(tmp_path: Path, ending: str) -> None:
    one = write_steady(
        tmp_path / f"one{ending}", frames=30, rate=Fraction(25), codec="mpeg2video", sound="mp2"
    )
    two = tmp_path / f"two{ending}"
    two.write_bytes(one.read_bytes() * 2)
    times = times_of(two)
    assert len(times) == 60
    assert times == [times[0] + Fraction(n, 25) for n in range(60)]
    assert times[:30] == times_of(one)


def test_one_damaged_time_of_decoding_is_no_jump(tmp_path: Path) -> None:
    """Nothing is decoded hours after it shows."""
    clip = write_steady(tmp_path / "clip.ts", frames=10, rate=Fraction(25), codec="mpeg2video")
    with av.open(clip) as container:
        [video] = container.streams.video
        clock = Clock(video.index, rate=Fraction(25), may_jump=True)
        given, moved = [], []
        for number, packet in enumerate(packet for packet in container.demux(video) if packet.size):
            given.append(packet.pts)
            if number == 4:
                packet.dts += 90_000 * 9000
            moved += [each.pts for each in clock.carry(packet)]
    assert len(given) == 10
    assert moved == given


def test_a_clock_that_jumps_ahead_goes_on(tmp_path: Path) -> None:
    """A recorder that was stopped for an hour, whose clock was not."""
    given = tmp_path / "one.ts", tmp_path / "two.ts"

    def later(packet: av.Packet) -> None:
        packet.pts, packet.dts = packet.pts + 90000, packet.dts + 90000

    for path, times in zip(given, (lambda packet: None, later), strict=True):
        write_steady(path, frames=30, rate=Fraction(25), codec="mpeg2video", times=times)
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(path.read_bytes() for path in given))
    with av.open(joined) as container:
        stored = [packet.dts * packet.time_base for packet in container.demux() if packet.size]
    assert stored[30] - stored[29] > 3000
    times = times_of(joined)
    assert times == [times[0] + Fraction(n, 25) for n in range(60)]


@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
def test_sound_follows_the_pictures_over_a_joint(tmp_path: Path, ending: str) -> None:
    one = write_steady(
        tmp_path / "one.mpg", frames=30, rate=Fraction(25), codec="mpeg2video", sound="mp2"
    )
    two = tmp_path / "two.mpg"
    two.write_bytes(one.read_bytes() * 2)
    output = recode(two, tmp_path / f"out{ending}")

    def sounds(path: Path) -> list[float]:
        with av.open(path) as container:
            packets = container.demux(audio=0)
            return [float(packet.pts * packet.time_base) for packet in packets if packet.size]

    each = len(sounds(one))
    heard = sounds(output)
    assert len(heard) == 2 * each
    assert heard == sorted(heard)
    assert heard[each] - heard[0] == pytest.approx(30 / 25, abs=0.03)
    part = Span(Fraction(30, 25), Fraction(60, 25), Fraction(0), frames_before=30)
    origin = times_of(two)[0]
    part = Span(origin + part.begin, origin + part.end, origin, frames_before=30)
    second = tmp_path / f"second{ending}"
    with Reader(two) as reader, Writer(second, like=reader, tags=Tags(), span=part) as writer:
        number = 0
        for item in reader:
            if not isinstance(item, Frame):
                writer.copy(item)
                continue
            if number >= 30:
                writer.write(item.planes, pts=item.pts, duration=item.duration)
            number += 1
    assert len(times_of(second)) == 30
    assert len(sounds(second)) == pytest.approx(each, abs=2)


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("rate", [Fraction(24), Fraction(25), NTSC, Fraction(30000, 1001)])
def test_rounded_times_of_a_constant_rate_become_exact(
    tmp_path: Path, rate: Fraction, encoder: str
) -> None:
    """Matroska rounds to milliseconds."""
    codec, ending = ENCODERS[encoder]
    clip = write_steady(tmp_path / "clip.mkv", frames=30, rate=rate, width=256, height=144)
    assert times_of(clip) == [n / rate for n in range(30)]
    output = recode(clip, tmp_path / f"out{ending}", codec=codec)
    with av.open(output) as container:
        stream = container.streams.video[0]
        assert stream.average_rate == rate
        assert codec == "dnxhr" or stream.codec_context.field_order == 1
        shown = sorted(packet.pts for packet in container.demux(video=0) if packet.size)
        base = Fraction(stream.time_base.numerator, stream.time_base.denominator)
    with av.open(output) as container:
        assert not next(container.decode(video=0)).interlaced_frame  # all that DNxHR says
    if ending == ".mkv":
        assert [round(time * base * rate) for time in shown] == list(range(30))
    else:
        assert {two - one for one, two in pairwise(shown)} == {1 / rate / base}
        with av.open(output) as container:
            lasts = {packet.duration for packet in container.demux(video=0) if packet.size}
        assert lasts == {1 / rate / base}


def test_a_mean_of_rounded_times_is_no_rate(tmp_path: Path) -> None:
    """An MP4 that counts milliseconds has the mean of what it rounded, such as 24.02."""
    assert exact_rate(Fraction(2402, 100), FILM) == FILM
    assert exact_rate(Fraction(2402, 100), Fraction(1000)) == Fraction(2402, 100)
    assert exact_rate(NTSC, FILM) == NTSC
    assert exact_rate(Fraction(2402, 100), None, error=Fraction(1, 1000)) == FILM
    assert exact_rate(Fraction(2402, 100), None, error=Fraction(1, 2000)) == Fraction(2402, 100)
    ticks = [round(Fraction(1000 * n, 24)) for n in range(30)]
    clip = write_clip(tmp_path / "clip.mov", pts=ticks, codec="libx264")
    assert times_of(clip) == [n / FILM for n in range(30)]


@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
def test_a_variable_rate_stays_as_it_is(tmp_path: Path, ending: str) -> None:
    clip = write_clip(tmp_path / "clip.mkv", pts=UNEVEN)
    assert times_of(clip) == [Fraction(time, 1000) for time in UNEVEN]
    output = recode(clip, tmp_path / f"out{ending}")
    assert times_of(output) == [Fraction(time, 1000) for time in UNEVEN]


def test_a_late_start_stays_late(tmp_path: Path) -> None:
    late = [3000 + 40 * n for n in range(8)]
    clip = write_clip(tmp_path / "clip.mkv", pts=late)
    assert times_of(clip) == [Fraction(time, 1000) for time in late]
    assert times_of(recode(clip, tmp_path / "out.mkv"))[0] == 3


def test_a_rounded_late_start_is_on_the_frames_of_the_rate() -> None:
    grid = Grid(NTSC, Fraction(1, 1000))
    assert grid.place(42) * grid.base == 1 / NTSC
    assert grid.last(41) * grid.base == 1 / NTSC


def test_equal_times_are_told_apart(tmp_path: Path) -> None:
    """Two frames at one time, which no output could hold."""
    clip = tmp_path / "clip.mkv"
    times = iter([0, 40, 40, 80, 120, 160, 200, 240])

    def doubled(packet: av.Packet) -> None:
        packet.pts = packet.dts = next(times)
        packet.time_base = Fraction(1, 1000)

    write_steady(clip, frames=8, codec="mjpeg", pixel_format="yuvj420p", times=doubled)
    found = times_of(clip)
    assert len(found) == 8
    assert all(one < two for one, two in pairwise(found))
