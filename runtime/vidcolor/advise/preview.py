"""A small copy of a film that every browser plays, and pictures of some of its frames."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import av
import cv2
import numpy as np
from av.video.stream import VideoStream
from tqdm import tqdm

from vidcolor.errors import MediaError
from vidcolor.media.reader import LIMITED_RANGE, Frame, Info, Reader, plane_codes

_OPTIONS = {"preset": "veryfast", "crf": "22", "g": "12", "bf": "0", "movflags": "faststart"}
"""Key frames twice a second and none out of order: a page seeks back and forth all the time."""
_THUMB = 192
"""Pixels: width of the pictures."""


@dataclass
class Preview:
    """What was copied."""

    aspect: float = 1.0
    """Width over height, as shown."""
    times: list[float] = field(default_factory=list)
    """When each frame shows, in seconds from the first; and at last when the film ends."""
    pictures: dict[int, bytes] = field(default_factory=dict)
    """Frame -> JPEG image."""


def encode_preview(
    film: Path,
    target: Path,
    *,
    side: int,
    pictures_of: Collection[int],
    progress: tqdm[NoReturn] | None = None,
) -> Preview:
    """Write a copy of a film's pictures, without sound, as H.264 in MP4.

    side: pixels of its short side, at most. pictures_of: frames, counted from the film's first.
    progress: told of every frame. Raises MediaError when one cannot be read, the other written.
    """
    preview = Preview()
    with (
        Reader(film, side=side) as reader,
        _named_errors(target),
        av.open(target, "w", "mp4") as container,
    ):
        info = reader.info
        stream = _stream(container, info)
        begin, end = None, 0
        frames = (item for item in reader if isinstance(item, Frame))
        for number, frame in enumerate(frames):
            begin = frame.pts if begin is None else begin
            picture = _as_av(frame, info)
            picture.pts, picture.time_base = frame.pts - begin, info.time_base
            container.mux(stream.encode(picture))
            preview.times.append(float((frame.pts - begin) * info.time_base))
            end = frame.pts - begin + (frame.duration or round(1 / info.rate / info.time_base))
            if number in pictures_of:
                preview.pictures[number] = _jpeg(picture, info)
            if progress is not None:
                progress.update()
        container.mux(stream.encode())
    preview.times.append(float(end * info.time_base))
    turned = info.rotation % 180 == 90
    shown = float(info.width * info.sample_aspect / info.height)
    preview.aspect = 1 / shown if turned else shown
    return preview


@contextmanager
def _named_errors(target: Path) -> Iterator[None]:
    try:
        yield
    except av.FFmpegError as error:
        raise MediaError(f"output: {target} cannot be written ({error.strerror})") from error


def _stream(container: av.container.OutputContainer, info: Info) -> VideoStream:
    stream = container.add_stream("libx264", rate=info.rate, options=dict(_OPTIONS))
    context = stream.codec_context
    context.thread_type = "AUTO"
    context.width, context.height = info.width // 2 * 2, info.height // 2 * 2
    context.pix_fmt = "yuv420p"
    context.time_base = stream.time_base = info.time_base
    context.sample_aspect_ratio = info.sample_aspect
    context.colorspace, context.color_range = info.tags.matrix, LIMITED_RANGE
    context.color_primaries, context.color_trc = info.tags.primaries, info.tags.transfer
    if info.rotation:
        stream.set_display_rotation(info.rotation)
    return stream


def _as_av(frame: Frame, info: Info) -> av.VideoFrame:
    """The frame as 8-bit 4:2:0 in limited range, which every browser plays."""
    given = av.VideoFrame(info.width, info.height, info.pixel_format)
    for index, codes in enumerate(frame.planes):
        plane_codes(given, index)[...] = codes
    given.colorspace, given.color_range = info.tags.matrix, info.tags.range or LIMITED_RANGE
    return given.reformat(
        info.width // 2 * 2,
        info.height // 2 * 2,
        "yuv420p",
        src_color_range=given.color_range,
        dst_color_range=LIMITED_RANGE,
    )


def _jpeg(picture: av.VideoFrame, info: Info) -> bytes:
    """The frame small, as a player shows it."""
    shown = float(picture.width * info.sample_aspect / picture.height)
    rgb = picture.reformat(
        _THUMB, max(1, round(_THUMB / shown)), "bgr24", src_colorspace=info.tags.matrix
    )
    upright = np.rot90(rgb.to_ndarray(), info.rotation // 90)
    return cv2.imencode(".jpg", upright, (cv2.IMWRITE_JPEG_QUALITY, 82))[1].tobytes()
