"""Films with faults that real ones have, made with PyAV alone."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from tests.support.videos import HEIGHT, WIDTH, picture, plane


def write_steady(
    path: Path,
    *,
    frames: int = 12,
    rate: Fraction = Fraction(24),
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    sound: str | None = None,
    options: dict[str, str] | None = None,
    times: Callable[[av.Packet], None] = lambda packet: None,
    width: int = WIDTH,
    height: int = HEIGHT,
) -> Path:
    """A film of constant rate, as encoders make it: a tick of the encoder is a frame.

    Args:
        sound: the codec of a tone that is as long as the film; None for no sound.
        times: changes a packet of video before it is written.
    """
    with av.open(path, "w") as container:
        video = container.add_stream(codec, rate=rate, options=options or {})
        video.width, video.height, video.pix_fmt = width, height, pixel_format
        tone = container.add_stream(sound, rate=48000) if sound else None
        if tone is not None:
            tone.layout, tone.bit_rate = "mono", 128_000
        for index in range(frames):
            frame = av.VideoFrame(width, height, pixel_format)
            plane(frame, 0)[...] = picture(index, width=width, height=height)
            for chroma in range(1, len(frame.planes)):
                plane(frame, chroma)[...] = 128
            frame.pts, frame.time_base = index, 1 / rate
            for packet in video.encode(frame):
                times(packet)
                container.mux(packet)
        for packet in video.encode():
            times(packet)
            container.mux(packet)
        if tone is not None:
            wave = np.sin(np.arange(int(48000 * frames / rate)) * 0.06) * 9000
            sounding = av.AudioFrame.from_ndarray(wave.astype(np.int16)[None], "s16", "mono")
            sounding.sample_rate, sounding.pts = 48000, 0
            container.mux(tone.encode(sounding))
            container.mux(tone.encode())
    return path


def spoil_packet(
    clip: Path, number: int, how: Callable[[bytes], bytes], *, stream: int = 0
) -> Path:
    """The clip with the bytes of one packet of a stream changed; returns its new file."""
    with av.open(clip) as container:
        packets = [bytes(packet) for packet in container.demux(container.streams[stream])]
    whole, data = clip.read_bytes(), packets[number]
    at = whole.index(data)
    spoilt = clip.with_stem(f"{clip.stem}-spoilt")
    spoilt.write_bytes(whole[:at] + how(data) + whole[at + len(data) :])
    return spoilt
