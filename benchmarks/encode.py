"""What x264's settings cost and keep, on a clip with grain: processor time, size and PSNR.

The quality that `vidcolor.media.codecs` asks for was chosen by this table.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import NamedTuple

import av
import cv2
import numpy as np

from benchmarks.footage import CLIPS, Codes, pan, place
from vidcolor.media.codecs import CODECS
from vidcolor.media.pictures import plane_codes

PRESETS = (
    ("medium", 16), ("fast", 16), ("faster", 14), ("veryfast", 14), ("veryfast", 12),
    ("superfast", 12),
)  # fmt: skip
"""With their `crf`, and beside them the options of `CODECS`."""
GRAIN = 4.0
"""Standard deviation of the grain, in codes of 8 bits: that of a scan from 35 mm film."""

type Picture = tuple[Codes, Codes, Codes]


class Row(NamedTuple):
    """What one setting does to a frame of the clip."""

    options: Mapping[str, str]
    """FFmpeg's, with preset and crf."""
    core_milliseconds: float
    kilobytes: float
    luma: float
    """PSNR in dB."""
    chroma: float
    """PSNR in dB, of both planes together."""


def report(frames: int) -> str:
    """A table of all settings, on a clip of 1080p."""
    own = CODECS["libx264"].options
    height, width = CLIPS["1080p"]
    lines = [
        f"libx264 on {width}x{height}, 4:2:0, with grain, {frames} frames",
        "",
        "| preset | crf | core ms | kB | luma, dB | chroma, dB | |",
        "|---|---:|---:|---:|---:|---:|---|",
    ]
    for row in measure(frames):
        setting = f"{row.options['preset']} | {row.options['crf']}"
        values = f"{row.core_milliseconds:.0f} | {row.kilobytes:.0f}"
        quality = f"{row.luma:.2f} | {row.chroma:.2f}"
        ours = "vidcolor" * (row.options == own)
        lines.append(f"| {setting} | {values} | {quality} | {ours} |")
    return "\n".join(lines) + "\n"


def measure(frames: int) -> Iterator[Row]:
    """One row for each of `PRESETS`, and one for the options of `CODECS`."""
    pictures = _grainy(*CLIPS["1080p"], frames)
    presets = ({"preset": preset, "crf": str(crf)} for preset, crf in PRESETS)
    for options in (*presets, dict(CODECS["libx264"].options)):
        start = time.process_time()
        packets = _encode(pictures, options)
        spent = time.process_time() - start
        size = sum(packet.size for packet in packets)
        luma, chroma = _errors(pictures, packets)
        yield Row(options, 1e3 * spent / frames, size / 1e3 / frames, luma, chroma)


def _grainy(height: int, width: int, frames: int) -> list[Picture]:
    """The clip of the other benchmarks with grain, and smooth colours that stay in their place."""
    rng, grounds = np.random.default_rng(2), pan(height, width)
    half = width // 2, height // 2
    noise = rng.standard_normal((2, 9, 16)).astype(np.float32)
    u, v = (128 + 30 * cv2.resize(plane, half, interpolation=cv2.INTER_CUBIC) for plane in noise)
    chroma = u.clip(16, 240).astype(np.uint8), v.clip(16, 240).astype(np.uint8)
    grain = GRAIN * rng.standard_normal((frames, height, width), np.float32)
    lumas = (grounds[place(n)] + grain[n] for n in range(frames))
    return [(luma.clip(0, 255).astype(np.uint8), *chroma) for luma in lumas]


def _encode(pictures: list[Picture], options: dict[str, str]) -> list[av.Packet[av.VideoStream]]:
    context = av.CodecContext.create("libx264", "w")
    height, width = pictures[0][0].shape
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.time_base, context.framerate = Fraction(1, 25), Fraction(25)
    context.thread_type, context.options = "AUTO", options
    packets = []
    for number, planes in enumerate(pictures):
        frame = av.VideoFrame(width, height, "yuv420p")
        for index, codes in enumerate(planes):
            plane_codes(frame, index)[...] = codes
        frame.pts = number
        packets += context.encode(frame)
    return [*packets, *context.encode(None)]


def _errors(
    pictures: list[Picture], packets: list[av.Packet[av.VideoStream]]
) -> tuple[float, float]:
    """PSNR of luma and of chroma."""
    decoder = av.CodecContext.create("h264", "r")
    squares = np.zeros(3)
    shown = (frame for packet in (*packets, None) for frame in decoder.decode(packet))
    for planes, frame in zip(pictures, shown, strict=True):
        for index, codes in enumerate(planes):
            error = plane_codes(frame, index).astype(np.float32) - codes
            squares[index] += np.square(error).mean()
    squares /= len(pictures)
    return _decibels(squares[0]), _decibels(squares[1:].mean())


def _decibels(square: float) -> float:
    return float(10 * np.log10(255**2 / square))
