"""Video files in, through PyAV: frames with their timing, shape and colour tags, and what goes
with them: audio, subtitles, chapters, attachments.

Planes are code values as the file has them; what they mean is `vidcolor.color`'s business.
`vidcolor.media.writer` is the way back out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Self, cast

import av
import numpy as np
from av.rational import AVRational
from av.stream import AttachmentStream, Disposition
from av.subtitles.stream import SubtitleStream
from av.video.stream import VideoStream
from numpy.typing import NDArray

from vidcolor.errors import MediaError

if TYPE_CHECKING:
    from av.container.core import Chapter

Codes = NDArray[np.uint8] | NDArray[np.uint16]
type CopiedStream = av.AudioStream | SubtitleStream
type CopiedPacket = av.Packet[CopiedStream]

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
_KEPT_OF_VIDEO = ("language", "reel_name", "timecode", "title")
"""What a video stream may say of itself that is also true of it in colour."""


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
        return bits_of(self.pixel_format)


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture: code values of luma and, in YUV clips, of both chroma planes."""

    planes: tuple[Codes, ...]
    pts: int
    """When it shows, in ticks of the clip's time base."""
    duration: int
    """For how many ticks it shows; 0 where the file does not say."""


class Reader:
    """An open clip. Iterate it once: `Frame`s, and packets of `copied`, in the file's order.

    Raises MediaError when the file is missing, unreadable, empty, holds no video, or holds what
    cannot be coloured: RGB, alpha, interlaced frames, frames of more than one size or format.
    """

    def __init__(self, path: Path, *, side: int | None = None) -> None:
        """side: pixels of the short side that frames are scaled down to; None leaves them."""
        self.path = path
        self._side = side
        if not path.is_file():
            raise MediaError(f"clip: there is no file {path}")
        try:
            self._container = av.open(path)
        except (av.FFmpegError, OSError, ValueError) as error:
            raise self._unreadable(error) from error
        try:
            # Cover art is a video stream, too.
            pictures = (
                stream
                for stream in self._container.streams.video
                if not stream.disposition & Disposition.attached_pic
            )
            video = next(pictures, None)
            if video is None:
                raise MediaError(f"clip: {path} holds no video")
            self._video = video
            declared = _declared_tags(video)
            self._items = self._demux()
            ahead, first = self._read_to_first_frame()
            self._items = chain(ahead, self._items)
            self._stored = _shape(first)
            self.info = self._describe(first, declared)
        except BaseException:
            self._container.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()

    @property
    def copied(self) -> tuple[CopiedStream, ...]:
        """The clip's audio and subtitle streams."""
        streams = self._container.streams
        return (*streams.audio, *streams.subtitles)

    @property
    def attachments(self) -> tuple[AttachmentStream, ...]:
        """Files in the file, such as the subtitles' fonts."""
        return self._container.streams.attachments

    @property
    def chapters(self) -> list[Chapter]:
        """Named spans of the clip."""
        return self._container.chapters()

    @property
    def metadata(self) -> dict[str, str]:
        """The file's own title, date and so on."""
        return dict(self._container.metadata)

    @property
    def video_metadata(self) -> dict[str, str]:
        """What the video stream says of itself: its timecode and so on."""
        said = {name.lower(): value for name, value in self._video.metadata.items()}
        return {name: said[name] for name in _KEPT_OF_VIDEO if name in said}

    @property
    def announced(self) -> Fraction | None:
        """Seconds from the first frame to the end of the last, as the file announces them."""
        video = self._video
        if video.duration is not None:
            return Fraction(video.duration) * self.info.time_base
        return _seconds(video.metadata.get("DURATION", ""))  # Matroska's

    def __iter__(self) -> Iterator[Frame | CopiedPacket]:
        info, clock, index = self.info, 0, 0
        for item in self._items:
            if isinstance(item, av.Packet):
                yield item
                continue
            self._check(item, index)
            if (item.width, item.height) != (info.width, info.height):
                scaled = item.reformat(info.width, info.height, interpolation="AREA")
            else:
                scaled = item
            # Raw streams have no time stamps: their frames follow each other at the mean rate.
            pts = clock if item.pts is None else item.pts
            clock = pts + (item.duration or round(1 / (info.rate * info.time_base)))
            index += 1
            planes = tuple(plane_codes(scaled, i) for i in range(len(scaled.planes)))
            yield Frame(planes, pts, item.duration)

    def _demux(self) -> Iterator[av.VideoFrame | CopiedPacket]:
        video = self._video
        video.thread_type = "AUTO"
        try:
            for packet in self._container.demux(video, *self.copied):
                if packet.stream.index == video.index:
                    yield from video.decode(packet)
                elif packet.size:
                    yield cast(CopiedPacket, packet)
        except (av.FFmpegError, OSError) as error:
            raise self._unreadable(error) from error

    def _read_to_first_frame(self) -> tuple[list[av.VideoFrame | CopiedPacket], av.VideoFrame]:
        """What was read, up to and with the first frame, which alone knows the format."""
        ahead: list[av.VideoFrame | CopiedPacket] = []
        for item in self._items:
            ahead.append(item)
            if isinstance(item, av.VideoFrame):
                return ahead, item
            if len(ahead) == _READ_AHEAD:
                break
        raise MediaError(f"clip: {self.path} holds no video frame that can be decoded")

    def _describe(self, first: av.VideoFrame, declared: Tags) -> Info:
        stream = self._video
        if first.rotation % 90:
            raise MediaError(
                f"clip: {self.path} is turned by {first.rotation} degrees, "
                "a multiple of 90 is needed"
            )
        self._check_pixel_format(first.format)
        duration = float((stream.duration or 0) * stream.time_base)
        rate = _fraction(stream.average_rate or stream.guessed_rate) or Fraction(25)
        width, height = self._size(first.width, first.height)
        return Info(
            width=width,
            height=height,
            pixel_format=first.format.name.replace("yuvj", "yuv"),
            tags=_tags(first, declared),
            sample_aspect=_fraction(stream.sample_aspect_ratio) or Fraction(1),
            rotation=first.rotation % 360,
            time_base=Fraction(stream.time_base.numerator, stream.time_base.denominator),
            rate=rate,
            frame_count=stream.frames or round(duration * rate) or None,
        )

    def _size(self, width: int, height: int) -> tuple[int, int]:
        """Of the frames given for frames of a size: even, where they are scaled."""
        if self._side is None or min(width, height) <= self._side:
            return width, height
        scale = self._side / min(width, height) / 2
        return 2 * round(width * scale), 2 * round(height * scale)

    def _check_pixel_format(self, form: av.VideoFormat) -> None:
        name, bits = form.name, form.components[0].bits
        accepted = name.startswith(("gray", "yuv")) and "yuva" not in name
        if not accepted or bits > _DEEPEST or form.is_big_endian:
            raise MediaError(
                f"clip: {self.path} has the pixel format {name}, planar gray and YUV formats "
                f"of 8 to {_DEEPEST} bits without alpha are accepted"
            )

    def _check(self, frame: av.VideoFrame, index: int) -> None:
        if _shape(frame) != self._stored:
            (form, width, height), (first_form, *first) = _shape(frame), self._stored
            raise MediaError(
                f"clip: frame {index} of {self.path} is {form} {width}x{height} where "
                f"the first is {first_form} {first[0]}x{first[1]}, one size and format are needed"
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


def _shape(frame: av.VideoFrame) -> tuple[str, int, int]:
    """Format, without its range, width and height."""
    return frame.format.name.replace("yuvj", "yuv"), frame.width, frame.height


def _fraction(ratio: AVRational | None) -> Fraction | None:
    """None where the file does not say, which FFmpeg writes as nothing, 0/1 or 0/0."""
    if not ratio or not ratio.denominator:
        return None
    return Fraction(ratio.numerator, ratio.denominator)


def _seconds(text: str) -> Fraction | None:
    """Of a duration such as 01:02:03.450000000; None of anything else."""
    match = re.fullmatch(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)", text)
    if match is None:
        return None
    hours, minutes, seconds = match.groups()
    return 3600 * int(hours) + 60 * int(minutes) + Fraction(seconds)


def plane_codes(frame: av.VideoFrame, index: int) -> Codes:
    """One plane of a frame as [h, w] code values, in place: writing to it writes the frame."""
    plane = frame.planes[index]
    dtype = np.dtype(np.uint8 if frame.format.components[index].bits <= 8 else np.uint16)
    rows: Codes = np.frombuffer(plane, dtype).reshape(plane.height, -1)
    return rows[:, : plane.width]


def bits_of(pixel_format: str) -> int:
    """Bits of a code value of a format."""
    return av.VideoFormat(pixel_format).components[0].bits


def subsampling(pixel_format: str) -> tuple[int, int]:
    """How often a YUV format halves chroma's width and height: (1, 1) is 4:2:0."""
    form = av.VideoFormat(pixel_format)
    across, down = 16 // form.chroma_width(16), 16 // form.chroma_height(16)
    return across.bit_length() - 1, down.bit_length() - 1
