"""Video files in, through PyAV: frames with their timing, shape and colour tags, and what goes
with them: audio, subtitles, chapters, attachments.

Planes are code values as the file has them; what they mean is `vidcolor.color`'s business.
`vidcolor.media.writer` is the way back out.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

import av
from av.container import InputContainer
from av.rational import AVRational
from av.stream import AttachmentStream, Disposition, Stream
from av.subtitles.stream import SubtitleStream
from av.video.stream import VideoStream

from vidcolor.errors import MediaError
from vidcolor.interruption import check
from vidcolor.media.containers import open_input, unreadable
from vidcolor.media.losses import Loss, Losses
from vidcolor.media.orientation import UPRIGHT, Orientation, orientation_of
from vidcolor.media.pictures import (
    DEEPEST,
    Codes,
    Twin,
    bits_of,
    plane_codes,
    subsampling,
    twin_of,
)
from vidcolor.media.sequence import RATE as SEQUENCE_RATE
from vidcolor.media.sequence import find_pictures, missing_before
from vidcolor.media.timing import Clock, DisplayOrder, Grid, exact_rate

if TYPE_CHECKING:
    from av.container.core import Chapter

__all__ = [
    "FULL_RANGE",
    "LIMITED_RANGE",
    "RGB_MATRIX",
    "UNSPECIFIED",
    "Codes",
    "CopiedPacket",
    "CopiedStream",
    "Frame",
    "Info",
    "Reader",
    "Tags",
    "bits_of",
    "plane_codes",
    "subsampling",
]

type CopiedStream = av.AudioStream | SubtitleStream | VideoStream
type CopiedPacket = av.Packet[CopiedStream]
type _Timed = tuple[av.VideoFrame, int]
"""A frame, and when it shows, in ticks of the file."""

UNSPECIFIED = 2
"""Matrix, primaries and transfer in ITU-T H.273: 'the file does not say'."""
RGB_MATRIX = 0
"""Some files say so of YUV, which cannot be; it tells as much as UNSPECIFIED."""
LIMITED_RANGE, FULL_RANGE = 1, 2
"""AVCOL_RANGE_MPEG and AVCOL_RANGE_JPEG; 0 is unspecified."""

_READ_AHEAD = 5000
"""Packets to look through for the first frame before a file counts as unreadable."""
_MATRIX = 9
"""Numbers of a display matrix."""
_LOOKED_AT = 32
"""Frames that tell whether a container holds the times at which frames show."""
_KEPT_OF_VIDEO = ("language", "reel_name", "timecode", "title")
"""What a video stream may say of itself that is also true of it in colour."""
_SLICED = {"ffv1", "prores", "dnxhd", "mjpeg", "utvideo", "huffyuv", "ffvhuff", "v210", "cfhd"}
"""Decoders that share a frame among threads: a damaged packet then costs no other frame."""
_KEEPING = {"mpeg1video", "mpeg2video"}
"""Decoders that give a frame for a packet that they have refused, of what its memory holds."""
_ANNOUNCING = {"avi", "matroska,webm"}
"""Containers whose announced end is that of their last frame, but for damage."""
_JUMPING = {"mpeg", "mpegts"}
"""Containers of streams that may be joined end to end, with clocks of their own."""


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
    """As the file announces it, or as its length and rate say; None where it announces neither."""
    mirrored: bool = False
    """Whether a player mirrors the picture, left to right, before it turns it."""
    display_matrix: tuple[int, ...] | None = None
    """The 9 numbers of the file's display matrix, which `rotation` and `mirrored` follow from."""

    @property
    def is_gray(self) -> bool:
        """Whether frames have a luma plane only."""
        return self.pixel_format.startswith("gray")

    @property
    def bits(self) -> int:
        """Bits of a code value."""
        return bits_of(self.pixel_format)

    @property
    def orientation(self) -> Orientation:
        """How the picture lies in the frames."""
        return Orientation(self.rotation // 90, mirrored=self.mirrored)


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture: code values of luma and, in YUV clips, of both chroma planes."""

    planes: tuple[Codes, ...]
    pts: int
    """When it shows, in ticks of the clip's time base. Frames have rising times."""
    duration: int
    """For how many ticks it shows."""


class Reader:
    """An open clip. Iterate it once: `Frame`s, and packets of `copied`, in the file's order.

    Frames come in the order in which they show, with rising times, whatever the container says;
    the clocks of joined recordings go on as one; and a film of constant rate has exactly that
    rate. A frame that cannot be decoded is left out, and told in `losses`.

    Args:
        path: the file; or numbered pictures: their folder, or a pattern such as scan_%05d.tif.
        side: pixels of the short side that frames are scaled down to, and then of even sides; None
            leaves them.
        progressive: whether frames that are flagged as interlaced are taken for progressive ones.

    Raises:
        MediaError: the file is missing, unreadable, empty, holds no video, or holds what cannot be
            coloured: RGB, alpha, interlaced frames, frames of more than one size or format.

    """

    def __init__(self, path: Path, *, side: int | None = None, progressive: bool = False) -> None:
        self.path = path
        self._side, self._progressive = side, progressive
        self._pictures = find_pictures(path)
        self._damaged: set[int] = set()
        """Times of packets that could not be decoded, in ticks of the file."""
        first = path if self._pictures is None else next(iter(self._pictures.values()))
        self._container = open_input(first)
        try:
            self._video = self._find_video()
            if self._pictures is None and _has_times_of_decoding(
                first, self._container, self._video
            ):
                self._container.close()
                self._container = open_input(first, ignore_editlist="1")
                self._video = self._find_video()
            self._begin()
        except BaseException:
            self._container.close()
            raise

    def _begin(self) -> None:
        """Read up to the first frame, which alone knows the format."""
        video = self._video
        declared = _declared_tags(video)
        mean = _fraction(video.average_rate) or _fraction(video.guessed_rate) or Fraction(25)
        base = _fraction(video.time_base)
        error = 2 * (base or 0) / self.announced if self.announced else 0
        rate = exact_rate(mean, _fraction(video.base_rate), error=Fraction(error))
        if self._pictures is not None:
            rate, base = SEQUENCE_RATE, 1 / SEQUENCE_RATE
        self._grid = Grid(rate, base or 1 / rate)
        self._losses = Losses(self._grid.step)
        self._items = self._demux(rate) if self._pictures is None else self._open_each()
        ahead, frame = self._read_to_first_frame()
        self._items = chain(ahead, self._items)
        self._stored, self._untimed = _shape(frame), frame.pts is None
        self._twin = self._find_twin(frame)
        self.info = self._describe(frame, declared, rate)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()

    @property
    def copied(self) -> tuple[CopiedStream, ...]:
        """What goes with the pictures as it is, or converted: audio, subtitles, cover art."""
        streams = self._container.streams
        covers = (stream for stream in streams.video if _is_cover(stream))
        return (*streams.audio, *streams.subtitles, *covers)

    @property
    def disposition(self) -> Disposition:
        """The picture's own flags, such as `Disposition.default`."""
        return self._video.disposition

    @property
    def not_copied(self) -> tuple[Stream, ...]:
        """What no output keeps: other videos, data, streams of unknown types.

        A timecode track is not among them, for the picture itself says its timecode; nor is a
        track of chapters' names.
        """
        kept = {self._video.index, *(stream.index for stream in self.copied)}
        return tuple(
            stream
            for stream in self._container.streams
            if stream.index not in kept
            and stream.type != "attachment"
            and stream.discard != av.stream.Discard.all
            and "timecode" not in stream.metadata
        )

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
        if self._pictures is not None:
            return None
        if video.duration is not None:
            return Fraction(video.duration) * (_fraction(video.time_base) or 0)
        return _seconds(video.metadata.get("DURATION", ""))  # Matroska's

    @property
    def losses(self) -> tuple[Loss, ...]:
        """The frames that are damaged or missing, as far as was read."""
        return self._losses.found(self._grid.base)

    def __iter__(self) -> Iterator[Frame | CopiedPacket]:
        info, number, last = self.info, 0, -1
        for item in self._items:
            check()
            if isinstance(item, av.Packet):
                yield item
                continue
            frame, ticks = item
            self._check(frame, number)
            time = number * self._grid.step if self._untimed else self._grid.place(ticks)
            if number:
                time = max(time, last + self._grid.least)
            duration = self._grid.last(frame.duration)
            self._losses.show(time, duration)
            yield Frame(self._twin.planes(self._scaled(frame, info)), time, duration)
            number, last = number + 1, time
        if number and self._container.format.name in _ANNOUNCING and self.announced:
            self._losses.end(round(self.announced / self._grid.base))

    def _scaled(self, frame: av.VideoFrame, info: Info) -> av.VideoFrame:
        if (frame.width, frame.height) == (info.width, info.height):
            return frame
        return frame.reformat(info.width, info.height, interpolation="AREA")

    def _demux(self, rate: Fraction) -> Iterator[_Timed | CopiedPacket]:
        video = self._video
        video.thread_type = "SLICE" if video.codec_context.name in _SLICED else "AUTO"
        clock = Clock(video.index, rate=rate, may_jump=self._container.format.name in _JUMPING)
        order: DisplayOrder[av.VideoFrame] = DisplayOrder()
        for packet in self._packets():
            if packet.stream.index == video.index and not packet.size:
                continue  # at the end; or of an AVI file that shows a frame for longer
            for moved in clock.carry(packet):
                if moved.stream.index == video.index:
                    yield from self._decode(moved, order)
                elif moved.size:
                    yield cast(CopiedPacket, moved)
        yield from (cast(CopiedPacket, packet) for packet in clock.rest())
        # Of a damaged frame, behind which it gives none; or of a codec that nobody knows.
        with suppress(av.FFmpegError, ValueError):
            for frame in self._sound(video.codec_context.decode(None)):
                yield from _in_order(frame, order)
        if order.misses_last(self._damaged):
            yield from self._decode_last(order, rate)
        yield from order.rest()

    def _packets(self) -> Iterator[av.Packet[Any]]:
        """All packets, up to the end or to where the file cannot be read any further."""
        try:
            yield from self._container.demux(self._video, *self.copied)
        except av.error.InvalidDataError:
            self._losses.damage(None)
        except (av.FFmpegError, OSError) as error:
            raise unreadable(self.path, error) from error

    def _decode(
        self, packet: av.Packet[Any], order: DisplayOrder[av.VideoFrame]
    ) -> Iterator[_Timed]:
        """The frames that a packet completes."""
        if packet.pts is not None and not packet.is_discard:
            order.expect(packet.pts)
        try:
            frames = self._video.codec_context.decode(packet)
        except av.error.MemoryError as error:
            raise unreadable(self.path, error) from error
        except (av.FFmpegError, ValueError):
            self._damage(packet)
            return
        for frame in self._sound(frames):
            yield from _in_order(frame, order)

    def _sound(self, frames: Iterable[av.VideoFrame]) -> Iterator[av.VideoFrame]:
        """Those that are more than the memory of a refused packet."""
        keeping = self._video.codec_context.name in _KEEPING
        return (frame for frame in frames if not (keeping and frame.pts in self._damaged))

    def _decode_last(self, order: DisplayOrder[av.VideoFrame], rate: Fraction) -> Iterator[_Timed]:
        """The last frames, once more from the beginning of the file, on one thread.

        Of the frames that several threads are at in the end, a decoder gives none behind a damaged
        one.
        """
        shown = order.latest
        with open_input(self.path) as container:
            video = cast(VideoStream, container.streams[self._video.index])
            video.codec_context.thread_count = 1
            clock = Clock(video.index, rate=rate, may_jump=container.format.name in _JUMPING)
            for packet in _up_to_damage(container.demux(video)):
                for moved in clock.carry(packet) if packet.size else (packet,):
                    if moved.size and moved.pts in self._damaged:
                        continue  # without it, the frame before it may come
                    try:
                        frames = video.codec_context.decode(moved)
                    except (av.FFmpegError, ValueError):
                        if moved.pts is not None and moved.pts > shown:
                            self._damage(moved)
                        continue
                    for frame in frames:
                        if frame.pts is not None and frame.pts > shown:
                            yield from _in_order(frame, order)

    def _damage(self, packet: av.Packet[Any]) -> None:
        """A packet that cannot be decoded."""
        if packet.pts is None:
            self._losses.damage(None)
            return
        self._damaged.add(packet.pts)
        self._losses.damage(self._grid.nearest(packet.pts))

    def _open_each(self) -> Iterator[_Timed]:
        """The pictures of a sequence, one after the other, each in its own file."""
        pictures = self._pictures or {}
        missing = missing_before(pictures)
        for place, path in enumerate(pictures.values()):
            if place in missing:
                self._losses.miss(missing[place])
            try:
                with open_input(path) as container:
                    yield next(container.decode(video=0)), place
            except (av.FFmpegError, StopIteration):
                raise MediaError(f"clip: {path} cannot be read as a picture") from None

    def _find_video(self) -> VideoStream:
        pictures = [video for video in self._container.streams.video if not _is_cover(video)]
        if not pictures:
            raise MediaError(f"clip: {self.path} holds no video that FFmpeg knows")
        if pictures[0].codec_context is None:
            raise MediaError(
                f"clip: {self.path} holds video that FFmpeg has no decoder for; convert it first, "
                "with the program that made it, to a format such as ProRes, DNxHR or H.264"
            )
        return pictures[0]

    def _read_to_first_frame(self) -> tuple[list[_Timed | CopiedPacket], av.VideoFrame]:
        """What was read, up to and with the first frame."""
        ahead: list[_Timed | CopiedPacket] = []
        for item in islice(self._items, _READ_AHEAD):
            ahead.append(item)
            if not isinstance(item, av.Packet):
                return ahead, item[0]
        raise MediaError(f"clip: {self.path} holds no video frame that can be decoded")

    def _describe(self, first: av.VideoFrame, declared: Tags, rate: Fraction) -> Info:
        stream = self._video
        seconds = self.announced
        width, height = self._size(first.width, first.height)
        matrix = _display_matrix(first, stream)
        lying = UPRIGHT if matrix is None else orientation_of(matrix)
        if seconds is None and self._container.duration:  # not what the video itself announces
            seconds = Fraction(self._container.duration, av.time_base)
        count = stream.frames or (round(seconds * rate) if seconds else None)
        return Info(
            width=width,
            height=height,
            pixel_format=self._twin.pixel_format,
            tags=_tags(first, declared),
            sample_aspect=_fraction(stream.sample_aspect_ratio) or Fraction(1),
            rotation=90 * lying.turns,
            mirrored=lying.mirrored,
            display_matrix=matrix,
            time_base=self._grid.base,
            rate=rate,
            frame_count=count if self._pictures is None else len(self._pictures),
        )

    def _size(self, width: int, height: int) -> tuple[int, int]:
        """Of the frames given for frames of a size: even, where they may be scaled."""
        if self._side is None:
            return width, height
        scale = min(1.0, self._side / min(width, height)) / 2
        return max(2, 2 * round(width * scale)), max(2, 2 * round(height * scale))

    def _find_twin(self, frame: av.VideoFrame) -> Twin:
        twin = twin_of(frame.format.name)
        if twin is None:
            raise MediaError(
                f"clip: {self.path} has the pixel format {frame.format.name}, gray and YUV formats "
                f"of 8 to {DEEPEST} bits without alpha are accepted; convert it first, such as "
                f"with: ffmpeg -i {self.path.name} -pix_fmt {_remedy(frame.format)} -c:v ffv1 "
                f"converted.mkv"
            )
        return twin

    def _check(self, frame: av.VideoFrame, number: int) -> None:
        if _shape(frame) != self._stored:
            (form, width, height), (first_form, *first) = _shape(frame), self._stored
            raise MediaError(
                f"clip: frame {number} of {self.path} is {form} {width}x{height} where "
                f"the first is {first_form} {first[0]}x{first[1]}, one size and format are needed"
            )
        if frame.interlaced_frame and not self._progressive:
            raise MediaError(
                f"clip: frame {number} of {self.path} is flagged as interlaced, progressive frames "
                "are needed: deinterlace it first, or, if it is progressive film all the same, "
                "give --progressive"
            )


def _in_order(frame: av.VideoFrame, order: DisplayOrder[av.VideoFrame]) -> Iterator[_Timed]:
    follows = order.latest + max(1, frame.duration or 0)
    return order.add(frame, follows if frame.pts is None else frame.pts)


def _up_to_damage(packets: Iterator[av.Packet[Any]]) -> Iterator[av.Packet[Any]]:
    """The packets up to where the file cannot be read any further, which has been told."""
    with suppress(av.FFmpegError, OSError):
        yield from packets


def _is_cover(stream: Stream) -> bool:
    """Cover art is a video stream, too."""
    return stream.type == "video" and bool(stream.disposition & Disposition.attached_pic)


def _has_times_of_decoding(path: Path, container: InputContainer, video: VideoStream) -> bool:
    """Whether an MP4 file gives frames the times at which they are decoded.

    Then its edit list was made from these, and cuts off frames that should show. It is found out
    by decoding, and only where the first packets look like it.
    """
    if not container.format.name.startswith("mov") or not video.codec_context.has_b_frames:
        return False
    with open_input(path) as trial:
        stream = trial.streams.video[0]
        packets = list(islice(trial.demux(stream), _LOOKED_AT))
        if not packets[0].is_discard or any(packet.pts != packet.dts for packet in packets):
            return False
        times: list[int] = []
        for packet in packets:
            try:
                times += [frame.pts for frame in packet.decode() if frame.pts is not None]
            except av.FFmpegError:
                return False
    return times != sorted(times)


def _display_matrix(first: av.VideoFrame, stream: VideoStream) -> tuple[int, ...] | None:
    data = stream.codec_context.coded_side_data.get("display_matrix")
    if data is None:
        side = first.side_data.get("DISPLAYMATRIX")
        data = None if side is None else bytes(side)
    if data is None or len(data) != 4 * _MATRIX:
        return None
    return struct.unpack(f"={_MATRIX}i", data)


def _remedy(form: av.VideoFormat) -> str:
    """A pixel format to convert to."""
    bits = form.components[0].bits
    if "gray" in form.name or form.name.startswith(("ya", "mono")):
        return "gray" if bits <= 8 else "gray16le"
    return "yuv444p" if bits <= 8 else f"yuv444p{10 if bits <= 10 else 16}le"


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
    if not ratio or not ratio.denominator or ratio.numerator <= 0:
        return None
    return Fraction(ratio.numerator, ratio.denominator)


def _seconds(text: str) -> Fraction | None:
    """Of a duration such as 01:02:03.450000000; None of anything else."""
    match = re.fullmatch(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)", text)
    if match is None:
        return None
    hours, minutes, seconds = match.groups()
    return 3600 * int(hours) + 60 * int(minutes) + Fraction(seconds)
