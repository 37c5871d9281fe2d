"""Films whose picture begins long after their sound, or their sound long after their picture."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.support.videos import frames, picture, plane, write_key
from vidcolor.errors import MediaError
from vidcolor.film.color_video import color_video
from vidcolor.media.info import Frame
from vidcolor.media.reader import Reader

RATE, LATE, END = 25, 15, 19
"""Frames a second; seconds at which the one stream begins, and at which both end."""
STARTS = {"picture": (LATE, 0), "sound": (0, LATE)}
"""By what is late: seconds at which picture and sound begin."""


def write_late(path: Path, late: str) -> Path:
    """A film in which the picture or the sound begins later than FFmpeg looks by itself."""
    begins, sounds = STARTS[late]
    packets: list[av.Packet] = []
    with av.open(path, "w", container_options={"movflags": "faststart"}) as container:
        video = container.add_stream("libx264", rate=RATE, options={"bf": "0"})
        video.width, video.height, video.pix_fmt = 96, 64, "yuv420p"
        tone = container.add_stream("libmp3lame", rate=44100)
        tone.layout = "mono"
        for number in range(begins * RATE, END * RATE):
            frame = av.VideoFrame(96, 64, "yuv420p")
            for index in range(3):
                plane(frame, index)[...] = 128
            plane(frame, 0)[...] = picture(number % 8, width=96, height=64)
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            packets += video.encode(frame)
        for second in range(sounds, END):
            wave = np.random.default_rng(second).uniform(-0.1, 0.1, (1, 44100))
            sounding = av.AudioFrame.from_ndarray(wave.astype(np.float32), "fltp", "mono")
            sounding.sample_rate, sounding.pts = 44100, second * 44100
            sounding.time_base = Fraction(1, 44100)
            packets += tone.encode(sounding)
        packets += [*video.encode(), *tone.encode()]
        for packet in sorted(packets, key=lambda packet: packet.dts * packet.time_base):
            container.mux(packet)
    return path


def cut(clip: Path, second: int) -> Path:
    """The file up to its first frame from a second on."""
    with av.open(clip, options={"analyzeduration": "60000000"}) as container:
        [video] = container.streams.video
        place = next(
            packet.pos
            for packet in container.demux(video)
            if packet.size and packet.pts * packet.time_base >= second
        )
    broken = clip.with_stem("broken")
    broken.write_bytes(clip.read_bytes()[:place])
    return broken


@pytest.mark.parametrize("late", STARTS)
@pytest.mark.parametrize("ending", ["mkv", "mp4", "avi", "ts"])
def test_it_has_its_length_its_rate_and_its_times(ending: str, late: str, tmp_path: Path) -> None:
    begins, _ = STARTS[late]
    with Reader(write_late(tmp_path / f"late.{ending}", late)) as reader:
        shown = [item for item in reader if isinstance(item, Frame)]
        base = reader.info.time_base
        assert reader.info.rate == RATE
        assert len(shown) == (END - begins) * RATE
        assert abs(shown[0].pts * base - begins) < Fraction(1, 10)
        assert abs(reader.announced_end - (shown[-1].pts + shown[-1].duration) * base) < 0.1
        assert reader.losses == ()
        if ending != "avi":  # which counts frames from 0 on
            assert abs(reader.announced - (END - begins)) < 0.1
            assert reader.info.frame_count == len(shown)


def test_it_is_coloured(tmp_path: Path, toy_bundle: Path) -> None:
    clip = write_late(tmp_path / "late.mkv", "picture")
    key, output = write_key(tmp_path / "key.png", width=96, height=64), tmp_path / "out.mkv"
    color_video(clip, keys=key, output=output, model=toy_bundle, skip_key_check=True, size=32)
    times = [float(frame.pts * frame.time_base) for frame in frames(output)]
    assert times == pytest.approx([LATE + n / RATE for n in range((END - LATE) * RATE)], abs=2e-3)


@pytest.mark.parametrize("late", STARTS)
@pytest.mark.parametrize("ending", ["mkv", "mp4"])
def test_a_half_one_breaks_off(ending: str, late: str, tmp_path: Path, toy_bundle: Path) -> None:
    clip = cut(write_late(tmp_path / f"late.{ending}", late), LATE + 2)
    key = write_key(tmp_path / "key.png", width=96, height=64)
    whole = END - STARTS[late][0]
    sentence = rf"breaks off after \d+ frames, {whole - 2}\.\d of the {whole}\.\d seconds"
    with pytest.raises(MediaError, match=sentence):
        color_video(
            clip, keys=key, output=tmp_path / "out.mkv", model=toy_bundle, skip_key_check=True
        )
