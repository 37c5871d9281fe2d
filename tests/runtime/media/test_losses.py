"""Damage costs the frame that it is in, and is told; so are frames that are not there."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import pytest

from tests.support.faults import spoil_packet, write_steady
from tests.support.videos import UNEVEN, write_clip
from vidcolor.media.info import Frame
from vidcolor.media.losses import Fate, Loss, Losses, clock_time, told_of
from vidcolor.media.reader import Reader

RATE = Fraction(24)


def read(clip: Path) -> tuple[list[Fraction], tuple[Loss, ...]]:
    """Times of the frames, in frames; and what was lost."""
    with Reader(clip) as reader:
        shown = [item.pts for item in reader if isinstance(item, Frame)]
        return [pts * reader.info.time_base * RATE for pts in shown], reader.losses


def zeros(data: bytes) -> bytes:
    return bytes(len(data))


def half(data: bytes) -> bytes:
    return data[: len(data) // 2] + bytes(len(data) - len(data) // 2)


@pytest.mark.parametrize(
    ("name", "codec", "pixel_format", "how"),
    [
        ("clip.avi", "mjpeg", "yuvj420p", zeros),
        ("clip.mkv", "ffv1", "yuv420p", half),
        ("clip.mov", "prores_ks", "yuv422p10le", zeros),
        ("clip.mov", "png", "gray", zeros),
        ("clip.mkv", "libx264", "yuv420p", zeros),
    ],
)
@pytest.mark.parametrize("number", [0, 5, 12, 29])
def test_a_damaged_packet_costs_its_frame(
    tmp_path: Path,
    name: str,
    codec: str,
    pixel_format: str,
    how: Callable[[bytes], bytes],
    number: int,
) -> None:
    options = {"g": "1", "bf": "0"} if codec in ("libx264", "ffv1") else {}
    if codec == "ffv1":
        options |= {"level": "3", "slicecrc": "1"}
    clip = (
        write_steady(
            tmp_path / name, frames=30, codec=codec, pixel_format=pixel_format, options=options
        )
        if pixel_format != "yuv422p10le"
        else write_deep(tmp_path / name)
    )
    times, losses = read(spoil_packet(clip, number, how))
    assert times == [n for n in range(30) if n != number]
    [loss] = losses
    assert (loss.frame, loss.seconds * RATE, loss.count) == (number, number, 1)
    assert loss.fate == Fate.UNDECODABLE


def test_a_frame_that_the_decoder_refuses_and_gives_all_the_same(tmp_path: Path) -> None:
    """MPEG-2's last frame without its lower half: in its place is what was in memory before."""
    clip = write_steady(tmp_path / "clip.mpg", frames=30, codec="mpeg2video")
    content = clip.read_bytes()
    second_row = content.rindex(b"\0\0\1\2")
    whole, _ = read(clip)
    clip.write_bytes(content[: second_row + 4])
    times, [loss] = read(clip)
    assert times == whole[:29]
    assert (loss.frame, loss.count, loss.fate, loss.at_end) == (29, 1, Fate.UNDECODABLE, True)


def write_deep(path: Path) -> Path:
    """Thirty frames of ProRes."""
    ticks = [round(Fraction(1000 * n, 24)) for n in range(30)]
    return write_clip(path, codec="prores_ks", pixel_format="yuv422p10le", pts=ticks)


def test_frames_that_vanish_between_others_are_told(tmp_path: Path) -> None:
    """A demuxer goes over damage without a word."""
    clip = tmp_path / "clip.mkv"

    def gone(packet: av.Packet) -> None:
        packet.is_keyframe = True

    write_steady(tmp_path / "whole.mkv", frames=30, codec="mjpeg", pixel_format="yuvj420p")
    with av.open(tmp_path / "whole.mkv") as given, av.open(clip, "w") as container:
        video = container.add_stream_from_template(given.streams.video[0], opaque=True)
        for number, packet in enumerate(given.demux(video=0)):
            if packet.size and not 14 <= number < 24:
                packet.stream = video
                gone(packet)
                container.mux(packet)
    times, [loss] = read(clip)
    assert times == [*range(14), *range(24, 30)]
    assert str(loss) == (
        "10 frames at 0:00:00.583, between frames 13 and 14, are missing and are left out"
    )
    assert loss.fate == Fate.MISSING


def test_a_variable_rate_is_no_loss(tmp_path: Path) -> None:
    assert read(write_clip(tmp_path / "clip.mkv", pts=UNEVEN))[1] == ()
    seldom = [40 * n for n in range(60) if n % 6]
    assert read(write_clip(tmp_path / "dropped.mkv", pts=seldom))[1] == ()


def test_a_frame_that_is_said_to_last_is_no_loss(tmp_path: Path) -> None:
    """MP4 says of each frame how long it lasts."""
    paused = [*range(0, 400, 40), *range(1000, 1400, 40)]
    assert read(write_clip(tmp_path / "clip.mp4", codec="libx264", pts=paused))[1] == ()


def test_a_whole_film_has_lost_nothing(tmp_path: Path) -> None:
    assert read(write_steady(tmp_path / "clip.mkv", frames=30))[1] == ()


def test_a_file_that_cannot_be_read_further_is_told() -> None:
    losses = Losses(step=1)
    for time in range(5):
        losses.show(time, 1)
    losses.damage(None)
    [loss] = losses.found(Fraction(1, 24))
    assert str(loss) == "1 frame at 0:00:00.208, after frame 4, cannot be decoded and is left out"
    assert Loss.from_row(loss.to_row()) == loss


def spoil_middle(data: bytes) -> bytes:
    """Of a packet, so that parts of its frame cannot be decoded."""
    begin = 2 * len(data) // 3
    end = begin + max(8, len(data) // 6)
    return data[:begin] + bytes(byte ^ 0x5A for byte in data[begin:end]) + data[end:]


ONE = {"bf": "0", "threads": "2"}
"""One packet after the other, and the same ones whatever the number of cores."""


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("clip.mkv", "libx264", {**ONE, "slices": "4", "g": "6"}),
        ("clip.mp4", "libx264", {**ONE, "g": "12"}),
        ("clip.avi", "mpeg4", {}),
        ("clip.wmv", "wmv2", {}),
        ("clip.mov", "prores_ks", {}),
    ],
)
def test_a_frame_with_a_damaged_part_stays_and_is_told(
    tmp_path: Path, name: str, codec: str, options: dict[str, str]
) -> None:
    size = {"width": 256, "height": 144}
    if codec == "prores_ks":
        ticks = [40 * n for n in range(12)]
        clip = write_clip(
            tmp_path / name, codec=codec, pixel_format="yuv422p10le", pts=ticks, **size
        )
    else:
        clip = write_steady(
            tmp_path / name, frames=12, rate=Fraction(25), codec=codec, options=options, **size
        )
    spoilt = spoil_packet(clip, 4, spoil_middle)
    with Reader(spoilt) as reader:
        assert sum(isinstance(item, Frame) for item in reader) == 12
        [loss] = reader.losses
    assert (loss.frame, loss.seconds, loss.count) == (4, Fraction(4, 25), 1)
    assert loss.fate == Fate.CONCEALED
    assert str(loss) == (
        "frame 4 at 0:00:00.160 is damaged: what is missing in it was filled in by the decoder"
    )
    with Reader(clip) as reader:
        assert sum(isinstance(item, Frame) for item in reader) == 12
        assert reader.losses == ()


def test_odd_frames_in_a_row_are_told_as_one() -> None:
    losses = Losses(step=1)
    for time in range(10):
        losses.show(time, 1)
        if time in (3, 4, 5, 8):
            losses.mark(Fate.CONVERTED)
        if time in (4, 5):
            losses.mark(Fate.CONCEALED)
    found = losses.found(Fraction(1, 24))
    assert [Loss.from_row(loss.to_row()) for loss in found] == list(found)
    assert [(loss.frame, loss.count, loss.fate) for loss in found] == [
        (3, 3, Fate.CONVERTED), (4, 2, Fate.CONCEALED), (8, 1, Fate.CONVERTED),
    ]  # fmt: skip
    assert str(found[0]) == (
        "frames 3 to 5 at 0:00:00.125 have another size or format than the first, and are converted"
    )
    assert "frames 4 to 5 at 0:00:00.167 are damaged" in str(found[1])
    assert [len(told_of(found, part)) for part in (None, range(5, 7), range(6, 8))] == [3, 2, 0]


def test_what_is_told_of_a_film_is_not_endless() -> None:
    losses = [Loss(2 * n, Fraction(n), 1, Fate.CONCEALED) for n in range(1000)]
    told = told_of(losses, None)
    assert len(told) == 30
    assert told[28] == str(losses[28])
    assert told[29] == "and so it is at 971 more places, up to 0:16:39.000"
    assert len(told_of(losses, range(100, 110))) == 5


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(Fraction(1, 2), "0:00:00.500"), (Fraction(3723), "1:02:03.000"), (-1, "-0:00:01.000")],
)
def test_times_in_words(seconds: Fraction, text: str) -> None:
    assert clock_time(Fraction(seconds)) == text
