"""Parts of a clip in time, and timecodes."""

from fractions import Fraction

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidcolor.media.span import Span, later

PAL, NTSC, NTSC60 = Fraction(25), Fraction(30000, 1001), Fraction(60000, 1001)
SPAN = Span(begin=Fraction(3), end=Fraction(5), origin=Fraction(1), frames_before=50)


@pytest.mark.parametrize(
    ("first", "frames", "rate", "then"),
    [
        ("01:00:00:00", 0, PAL, "01:00:00:00"),
        ("01:00:00:20", 5, PAL, "01:00:01:00"),
        ("09:59:59:23", 1, Fraction(24000, 1001), "10:00:00:00"),
        ("23:59:59:24", 1, PAL, "00:00:00:00"),
        # SMPTE 12M: numbers 00 and 01 are dropped each minute, but not each tenth.
        ("00:00:59;29", 1, NTSC, "00:01:00;02"),
        ("00:09:59;29", 1, NTSC, "00:10:00;00"),
        ("00:00:00;00", 17982, NTSC, "00:10:00;00"),
        ("00:00:00;00", 107892, NTSC, "01:00:00;00"),
        ("00:00:59;59", 1, NTSC60, "00:01:00;04"),
        ("00:00:59:29", 1, NTSC, "00:01:00:00"),
        ("reel 7", 5, PAL, "reel 7"),
    ],
)
def test_timecodes_of_later_frames(first: str, frames: int, rate: Fraction, then: str) -> None:
    assert later(first, frames, rate) == then


@given(one=st.integers(0, 200_000), other=st.integers(0, 200_000), mark=st.sampled_from(":;"))
def test_later_and_later_is_later(one: int, other: int, mark: str) -> None:
    start = f"10:00:00{mark}00"
    assert later(later(start, one, NTSC), other, NTSC) == later(start, one + other, NTSC)


def packet(pts: int) -> av.Packet:
    made = av.Packet(b"sound")
    made.pts, made.dts, made.time_base = pts, pts, Fraction(1, 1000)
    return made


@pytest.mark.parametrize(("pts", "moved"), [(2999, None), (3000, 1000), (4999, 2999), (5000, None)])
def test_packets_of_the_part_are_moved_to_the_beginning(pts: int, moved: int | None) -> None:
    given_packet = packet(pts)
    assert SPAN.cut_packet(given_packet) is (moved is not None)
    if moved is not None:
        assert (given_packet.pts, given_packet.dts) == (moved, moved)


def test_sound_whose_ticks_are_long_keeps_its_place() -> None:
    """As AC-3 in AVI: a tick is a packet of 32 ms."""
    tick, shift = Fraction(4, 125), Fraction(2, 5)
    given_packet = packet(14)
    given_packet.time_base, given_packet.duration = tick, 1
    span = Span(begin=shift, end=Fraction(1), origin=Fraction(0), frames_before=10)
    assert span.cut_packet(given_packet)
    base = Fraction(given_packet.time_base.numerator, given_packet.time_base.denominator)
    assert given_packet.pts * base == given_packet.dts * base == 14 * tick - shift
    assert given_packet.duration * base == tick


def test_chapters_are_cut_to_the_part() -> None:
    base = Fraction(1, 10)
    chapters = [
        {"id": n, "start": start, "end": end, "time_base": base, "metadata": {"title": str(n)}}
        for n, (start, end) in enumerate([(0, 20), (20, 40), (40, 60), (60, 80)])
    ]
    cut = [(c["metadata"]["title"], c["start"], c["end"]) for c in SPAN.cut_chapters(chapters)]
    assert cut == [("1", 10, 20), ("2", 20, 30)]


def test_the_timecode_is_that_of_the_first_frame() -> None:
    said = {"timecode": "10:00:00:00", "language": "deu"}
    assert SPAN.cut_metadata(said, PAL) == {"timecode": "10:00:02:00", "language": "deu"}
    assert SPAN.cut_metadata({"language": "deu"}, PAL) == {"language": "deu"}
