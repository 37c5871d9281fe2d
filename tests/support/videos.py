"""Small videos for tests, rendered and read back with PyAV alone."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

WIDTH, HEIGHT = 96, 64
TICKS = Fraction(1, 1000)
STEADY = tuple(range(0, 320, 40))
"""Eight frames at 25 a second, in ticks."""
UNEVEN = (0, 40, 90, 120, 200, 300, 310, 400)


def picture(index: int, *, bits: int = 8, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """Luma codes [height, width] of frame `index`: a smooth texture that drifts to the right."""
    texture = np.random.default_rng(7).random((height, width + 64), np.float32)
    texture = cv2.normalize(cv2.GaussianBlur(texture, (0, 0), 3), None, 0.1, 0.9, cv2.NORM_MINMAX)
    window = texture[:, 64 - index % 64 :][:, :width]
    return np.rint(window * (2**bits - 1)).astype(np.uint8 if bits == 8 else np.uint16)


def plane(frame: av.VideoFrame, index: int) -> np.ndarray:
    """One plane of a frame, in place, [h, w]."""
    dtype = np.uint8 if frame.format.components[index].bits == 8 else np.uint16
    rows = np.frombuffer(frame.planes[index], dtype)
    return rows.reshape(frame.planes[index].height, -1)[:, : frame.planes[index].width]


def write_clip(
    path: Path,
    *,
    pixel_format: str = "yuv420p",
    codec: str = "ffv1",
    pts: Sequence[int] = STEADY,
    width: int = WIDTH,
    height: int = HEIGHT,
    tags: tuple[int, int, int, int, int] = (2, 2, 2, 0, 0),
    sample_aspect: Fraction = Fraction(1),
    rotation: int = 0,
    mirrored: bool = False,
    audio: str | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """A gray clip of `picture`s. tags: matrix, primaries, transfer, range, siting. audio: codec."""
    with av.open(path, "w") as container:
        stream = container.add_stream(codec, rate=25, options=options or {})
        context = stream.codec_context
        context.width, context.height, context.pix_fmt = width, height, pixel_format
        context.time_base, context.sample_aspect_ratio = TICKS, sample_aspect
        context.colorspace, context.color_primaries, context.color_trc = tags[:3]
        context.color_range, context.chroma_sample_location = tags[3:]
        if rotation or mirrored:
            stream.set_display_rotation(rotation, hflip=mirrored)
        sound = container.add_stream(audio, rate=48000) if audio else None
        container.start_encoding()
        for index, time in enumerate(pts):
            container.mux(stream.encode(_frame(index, time, pixel_format, width, height, tags)))
        container.mux(stream.encode())
        if sound is not None:
            _write_tone(container, sound)
    return path


def _frame(
    index: int, time: int, pixel_format: str, width: int, height: int, tags: tuple[int, ...]
) -> av.VideoFrame:
    frame = av.VideoFrame(width, height, pixel_format)
    if not frame.format.is_rgb:
        bits = frame.format.components[0].bits
        plane(frame, 0)[...] = picture(index, bits=bits, width=width, height=height)
        for chroma in range(1, len(frame.planes)):
            plane(frame, chroma)[...] = 1 << bits - 1
    frame.colorspace, frame.color_primaries, frame.color_trc, frame.color_range = tags[:4]
    frame.pts, frame.time_base = time, TICKS
    return frame


def _write_tone(container: av.container.OutputContainer, stream: av.AudioStream) -> None:
    tone = np.sin(np.arange(48000 // 3) * 0.06).astype(np.float32)[None]
    for start in range(0, tone.shape[1] - 1024, 1024):
        samples = np.ascontiguousarray(tone[:, start : start + 1024].repeat(2, 0))
        frame = av.AudioFrame.from_ndarray(samples, "fltp", "stereo")
        frame.sample_rate, frame.pts = 48000, start
        container.mux(stream.encode(frame))
    container.mux(stream.encode())


def write_key(
    path: Path, *, frame: int = 0, width: int = WIDTH, height: int = HEIGHT, depth: int = 8
) -> Path:
    """A colourful image: hue runs from left to right, over the texture of a frame of a clip."""
    luma = cv2.resize(picture(frame), (width, height), interpolation=cv2.INTER_AREA)
    hue = np.broadcast_to(np.linspace(0, 170, width, dtype=np.uint8), (height, width))
    hsv = cv2.merge([np.ascontiguousarray(hue), np.full_like(luma, 160), luma])
    image = cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)
    assert cv2.imwrite(str(path), image if depth == 8 else image.astype(np.uint16) * 257)
    return path


def frames(path: Path) -> list[av.VideoFrame]:
    """All frames of a clip, decoded."""
    with av.open(path) as container:
        return list(container.decode(video=0))


def audio_packets(path: Path) -> list[tuple[float, bytes]]:
    """Time in seconds and bytes of every audio packet of a file."""
    with av.open(path) as container:
        return [
            (round(float(packet.pts * packet.time_base), 4), bytes(packet))
            for packet in container.demux(audio=0)
            if packet.size
        ]
