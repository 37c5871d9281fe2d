"""Video files in, through PyAV: frames with their timing, shape and colour tags, and the audio.

Planes are code values as the file has them; what they mean is `vidcolor.colour`'s business.
`vidcolor.encode` is the way back out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Self, cast

import av
import numpy as np
from av.rational import AVRational
from av.video.stream import VideoStream
from numpy.typing import NDArray

from vidcolor.errors import MediaError

Codes = NDArray[np.uint8] | NDArray[np.uint16]
type AudioPacket = av.Packet[av.AudioStream]

UNSPECIFIED = 2
"""Matrix, primaries and transfer in ITU-T H.273: 'the file does not say'."""
RGB_MATRIX = 0
"""Some files say so of YUV, which cannot be; it tells as much as UNSPECIFIED."""
LIMITED_RANGE, FULL_RANGE = 1, 2
"""AVCOL_RANGE_MPEG and AVCOL_RANGE_JPEG; 0 is unspecified."""

_DEEPEST = 16
"""Bits of the deepest integer code values there are."""
_READ_AHEAD = 5000
"""Packets to look through for the first frame before a file counts as unreadable."""


@dataclass(frozen=True)
class Tags:
    """What a stream says of its colours, in FFmpeg's numbers, which are ITU-T H.273's."""

    matrix: int = UNSPECIFIED
    primaries: int = UNSPECIFIED
    transfer: int = UNSPECIFIED
    range: int = 0
    siting: int = 0
    """Where chroma samples sit: 0 unspecified, 1 left, 2 centre, 3 top left, and so on."""


@dataclass(frozen=True)
class Info:
    """What is true of every frame of a clip."""

    width: int
    height: int
    pixel_format: str
    """FFmpeg's name of a planar little-endian gray or YUV format, such as 'yuv420p10le'."""
    tags: Tags
    sample_aspect: Fraction
    """Width of a sample over its height; 1 where the file does not say."""
    rotation: int
    """Degrees counter-clockwise that a player turns the picture by: 0, 90, 180 or 270."""
    time_base: Fraction
    """Seconds that a tick of `Frame.pts` lasts."""
    rate: Fraction
    """Mean frames a second."""
    frame_count: int | None
    """As the file announces it; None where it does not."""

    @property
    def is_gray(self) -> bool:
        """Whether frames have a luma plane only."""
        return self.pixel_format.startswith("gray")

    @property
    def bits(self) -> int:
        """Bits of a code value."""
        return av.VideoFormat(self.pixel_format).components[0].bits


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture: code values of luma and, in YUV clips, of both chroma planes."""

    planes: tuple[Codes, ...]
    pts: int
    """When it shows, in ticks of the clip's time base."""
    duration: int
    """For how many ticks it shows; 0 where the file does not say."""


class Reader:
    """An open clip. Iterate it once: `Frame`s, and the audio's packets, in the file's order.

    Raises MediaError when the file is missing, unreadable, empty, holds no video, or holds what
    cannot be coloured: RGB, alpha, interlaced frames, frames of more than one size or format.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_file():
            raise MediaError(f"clip: there is no file {path}")
        try:
            self._container = av.open(path)
        except (av.FFmpegError, OSError, ValueError) as error:
            raise self._unreadable(error) from error
        try:
            if not self._container.streams.video:
                raise MediaError(f"clip: {path} holds no video")
            declared = _declared_tags(self._container.streams.video[0])
            self._items = self._demux()
            ahead, first = self._read_to_first_frame()
            self._items = chain(ahead, self._items)
            self.info = self._describe(first, declared)
        except BaseException:
            self._container.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()

    @property
    def audio(self) -> tuple[av.AudioStream, ...]:
        """The clip's audio streams."""
        return self._container.streams.audio

    @property
    def metadata(self) -> dict[str, str]:
        """The file's own title, date and so on."""
        return dict(self._container.metadata)

    def __iter__(self) -> Iterator[Frame | AudioPacket]:
        info, clock, index = self.info, 0, 0
        for item in self._items:
            if isinstance(item, av.Packet):
                yield item
                continue
            self._check(item, index)
            # Raw streams have no time stamps: their frames follow each other at the mean rate.
            pts = clock if item.pts is None else item.pts
            clock = pts + (item.duration or round(1 / (info.rate * info.time_base)))
            index += 1
            planes = tuple(plane_codes(item, i) for i in range(len(item.planes)))
            yield Frame(planes, pts, item.duration)

    def _demux(self) -> Iterator[av.VideoFrame | AudioPacket]:
        video = self._container.streams.video[0]
        video.thread_type = "AUTO"
        try:
            for packet in self._container.demux(video, *self.audio):
                if packet.stream.index == video.index:
                    yield from video.decode(packet)
                elif packet.size:
                    yield cast(AudioPacket, packet)
        except (av.FFmpegError, OSError) as error:
            raise self._unreadable(error) from error

    def _read_to_first_frame(self) -> tuple[list[av.VideoFrame | AudioPacket], av.VideoFrame]:
        """What was read, up to and with the first frame, which alone knows the format."""
        ahead: list[av.VideoFrame | AudioPacket] = []
        for item in self._items:
            ahead.append(item)
            if isinstance(item, av.VideoFrame):
                return ahead, item
            if len(ahead) == _READ_AHEAD:
                break
        raise MediaError(f"clip: {self.path} holds no video frame that can be decoded")

    def _describe(self, first: av.VideoFrame, declared: Tags) -> Info:
        stream = self._container.streams.video[0]
        if first.rotation % 90:
            raise MediaError(
                f"clip: {self.path} is turned by {first.rotation} degrees, "
                "a multiple of 90 is needed"
            )
        self._check_pixel_format(first.format)
        duration = float((stream.duration or 0) * stream.time_base)
        rate = _fraction(stream.average_rate or stream.guessed_rate) or Fraction(25)
        return Info(
            width=first.width,
            height=first.height,
            pixel_format=first.format.name.replace("yuvj", "yuv"),
            tags=_tags(first, declared),
            sample_aspect=_fraction(stream.sample_aspect_ratio) or Fraction(1),
            rotation=first.rotation % 360,
            time_base=Fraction(stream.time_base.numerator, stream.time_base.denominator),
            rate=rate,
            frame_count=stream.frames or round(duration * rate) or None,
        )

    def _check_pixel_format(self, form: av.VideoFormat) -> None:
        name, bits = form.name, form.components[0].bits
        accepted = name.startswith(("gray", "yuv")) and "yuva" not in name
        if not accepted or bits > _DEEPEST or form.is_big_endian:
            raise MediaError(
                f"clip: {self.path} has the pixel format {name}, planar gray and YUV formats "
                f"of 8 to {_DEEPEST} bits without alpha are accepted"
            )

    def _check(self, frame: av.VideoFrame, index: int) -> None:
        info = self.info
        form = frame.format.name.replace("yuvj", "yuv")
        if (frame.width, frame.height, form) != (info.width, info.height, info.pixel_format):
            raise MediaError(
                f"clip: frame {index} of {self.path} is {form} {frame.width}x{frame.height} where "
                f"the first is {info.pixel_format} {info.width}x{info.height}, "
                "one size and format are needed"
            )
        if frame.interlaced_frame:
            raise MediaError(
                f"clip: frame {index} of {self.path} is interlaced, "
                "progressive frames are needed: deinterlace it first"
            )

    def _unreadable(self, error: Exception) -> MediaError:
        reason = getattr(error, "strerror", None) or str(error)
        return MediaError(f"clip: {self.path} cannot be read as a video ({reason})")


def _declared_tags(stream: VideoStream) -> Tags:
    """What the container says, before the decoder has read a frame."""
    context = stream.codec_context
    return Tags(
        matrix=context.colorspace,
        primaries=context.color_primaries,
        transfer=context.color_trc,
        range=context.color_range,
        siting=context.chroma_sample_location,
    )


def _tags(first: av.VideoFrame, declared: Tags) -> Tags:
    """The frame's own tags; the container's where the frame says nothing."""

    def either(frame: int, container: int, nothing: int = UNSPECIFIED) -> int:
        return container if frame == nothing else frame

    full = first.format.name.startswith("yuvj")
    return Tags(
        matrix=either(first.colorspace, declared.matrix),
        primaries=either(first.color_primaries, declared.primaries),
        transfer=either(first.color_trc, declared.transfer),
        range=FULL_RANGE if full else either(first.color_range, declared.range, 0),
        siting=either(first.chroma_location, declared.siting, 0),
    )


def _fraction(ratio: AVRational | None) -> Fraction | None:
    """None where the file does not say, which FFmpeg writes as nothing, 0/1 or 0/0."""
    if not ratio or not ratio.denominator:
        return None
    return Fraction(ratio.numerator, ratio.denominator)


def plane_codes(frame: av.VideoFrame, index: int) -> Codes:
    """One plane of a frame as [h, w] code values, in place: writing to it writes the frame."""
    plane = frame.planes[index]
    dtype = np.dtype(np.uint8 if frame.format.components[index].bits <= 8 else np.uint16)
    rows: Codes = np.frombuffer(plane, dtype).reshape(plane.height, -1)
    return rows[:, : plane.width]


def subsampling(pixel_format: str) -> tuple[int, int]:
    """How often a YUV format halves chroma's width and height: (1, 1) is 4:2:0."""
    form = av.VideoFormat(pixel_format)
    across, down = 16 // form.chroma_width(16), 16 // form.chroma_height(16)
    return across.bit_length() - 1, down.bit_length() - 1
