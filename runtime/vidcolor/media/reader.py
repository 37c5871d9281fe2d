"""Video files in, through PyAV: frames with their timing, and what goes with them: audio,
subtitles, chapters, attachments.

Planes are code values as the file has them; what they mean is `vidcolor.color`'s business.
`vidcolor.media.decoder` decodes, `vidcolor.media.probe` finds out what a file says of itself, and
`vidcolor.media.writer` is the way back out.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Self

import av
from av.stream import AttachmentStream, Disposition, Stream

from vidcolor.color import matrix_of
from vidcolor.errors import ArgumentError, MediaError
from vidcolor.interruption import check
from vidcolor.media import conversions, probe
from vidcolor.media.containers import open_input
from vidcolor.media.decoder import Decoder, Timed
from vidcolor.media.info import FULL_RANGE, CopiedPacket, CopiedStream, Frame, Info, Tags
from vidcolor.media.losses import Fate, Loss, Losses
from vidcolor.media.orientation import UPRIGHT, orientation_of
from vidcolor.media.pictures import DEEPEST, Codes, Twin, converted, planar_codes, reformat, twin_of
from vidcolor.media.sequence import RATE as SEQUENCE_RATE
from vidcolor.media.sequence import as_ffmpeg_input, find_pictures, read_pictures
from vidcolor.media.timing import Grid, exact_rate

if TYPE_CHECKING:
    from av.container.core import Chapter

_READ_AHEAD = 5000
"""Packets to look through for the first frame before a file counts as unreadable."""
_KEPT_OF_VIDEO = ("language", "reel_name", "timecode", "title")
"""What a video stream may say of itself that is also true of it in colour."""
_ANNOUNCING = {"avi", "matroska,webm"}
"""Containers whose announced end is that of their last frame, but for damage."""


class Reader:
    """An open clip. Iterate it once: `Frame`s, and packets of `copied`, in the file's order.

    Frames come in the order in which they show, with rising times, whatever the container says;
    the clocks of joined recordings go on as one; and a film of constant rate has exactly that
    rate. A frame that cannot be decoded is left out. One of another size or format than the first
    is converted, as the FFmpeg program does. Both are told in `losses`.

    Args:
        path: the file; or numbered pictures: their folder, or a pattern such as scan_%05d.tif.
        side: pixels of the short side that frames are scaled down to, and then of even sides; None
            leaves them.
        progressive: whether frames that are flagged as interlaced are taken for progressive ones.

    Raises:
        MediaError: the file is missing, unreadable, empty, holds no video, or holds what cannot be
            coloured: RGB, alpha, interlaced frames, a matrix that vidcolor does not know.
    """

    def __init__(self, path: Path, *, side: int | None = None, progressive: bool = False) -> None:
        self.path = path
        self._side, self._progressive = side, progressive
        self._pictures = find_pictures(path)
        first = path if self._pictures is None else next(iter(self._pictures.values()))
        self._container = open_input(first)
        try:
            self._video = probe.find_video(self._container, path)
            options = probe.options_for(first, self._container, self._video)
            if self._pictures is None and options:
                self._container.close()
                self._container = open_input(first, **options)
                self._video = probe.find_video(self._container, path)
            self._begin()
        except BaseException:
            self._container.close()
            raise

    def _begin(self) -> None:
        """Read up to the first frame, which alone knows the format."""
        rate, base = self._rate(), probe.fraction(self._video.time_base)
        if self._pictures is not None:
            base = 1 / rate
        declared = probe.declared_tags(self._video)
        self._grid = Grid(rate, base or 1 / rate)
        self._losses = Losses(self._grid.step)
        items = self._open_items(rate)
        ahead, frame = self._read_to_first_frame(items)
        self._items = chain(ahead, items)
        self._stored, self._untimed = _shape(frame), frame.pts is None
        self._twin = self._find_twin(frame)
        self.info = self._describe(frame, declared, rate)
        self._check_matrix()

    def _rate(self) -> Fraction:
        if self._pictures is not None:
            return SEQUENCE_RATE
        video, base = self._video, probe.fraction(self._video.time_base)
        error = Fraction(2 * (base or 0) / self.announced if self.announced else 0)
        return exact_rate(probe.mean_rate(video), probe.fraction(video.base_rate), error=error)

    def _open_items(self, rate: Fraction) -> Iterator[Timed | CopiedPacket]:
        if self._pictures is not None:
            return read_pictures(self._pictures, self._losses)
        given = self.path, self._container, self._video, self.copied
        return iter(Decoder(*given, rate=rate, grid=self._grid, losses=self._losses))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()

    @property
    def copied(self) -> tuple[CopiedStream, ...]:
        """What goes with the pictures as it is, or converted: audio, subtitles, cover art."""
        streams = self._container.streams
        covers = (stream for stream in streams.video if probe.is_cover(stream))
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
        """Seconds from the picture's start to its end, as the file announces them."""
        return probe.announced_seconds(self._video) if self._pictures is None else None

    @property
    def announced_end(self) -> Fraction | None:
        """Seconds from the file's time 0 to the picture's end, likewise."""
        start = Fraction(0) if self._untimed else probe.start_seconds(self._video)
        return None if self.announced is None else start + self.announced

    @property
    def losses(self) -> tuple[Loss, ...]:
        """The frames that are damaged or missing, as far as was read."""
        return self._losses.found(self._grid.base)

    def __iter__(self) -> Iterator[Frame | CopiedPacket]:
        number, last = 0, -1
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
            yield Frame(self._planes(frame), time, duration)
            number, last = number + 1, time
        if number and self._container.format.name in _ANNOUNCING and self.announced_end:
            self._losses.end(round(self.announced_end / self._grid.base))

    def _planes(self, frame: av.VideoFrame) -> tuple[Codes, ...]:
        """A frame's code values, at the clip's size and in its format."""
        info = self.info
        if frame.is_corrupt:
            self._losses.mark(Fate.CONCEALED)
        if _shape(frame) != self._stored:
            self._losses.mark(Fate.CONVERTED)
            full = info.tags.range == FULL_RANGE
            size = info.width, info.height
            return planar_codes(converted(frame, *size, info.pixel_format, full_range=full))
        if (frame.width, frame.height) != (info.width, info.height):
            frame = reformat(frame, info.width, info.height, interpolation="AREA")
        return self._twin.planes(frame)

    def _read_to_first_frame(
        self, items: Iterator[Timed | CopiedPacket]
    ) -> tuple[list[Timed | CopiedPacket], av.VideoFrame]:
        """What was read, up to and with the first frame."""
        ahead: list[Timed | CopiedPacket] = []
        for item in islice(items, _READ_AHEAD):
            ahead.append(item)
            if not isinstance(item, av.Packet):
                return ahead, item[0]
        raise MediaError(f"clip: {self.path} holds no video frame that can be decoded")

    def _describe(self, first: av.VideoFrame, declared: Tags, rate: Fraction) -> Info:
        stream = self._video
        seconds = self.announced
        width, height = self._size(first.width, first.height)
        matrix = probe.display_matrix(first, stream)
        lying = UPRIGHT if matrix is None else orientation_of(matrix)
        if seconds is None and self._container.duration:  # not what the video itself announces
            seconds = Fraction(self._container.duration, av.time_base)
        count = stream.frames or (round(seconds * rate) if seconds else None)
        return Info(
            width=width,
            height=height,
            pixel_format=self._twin.pixel_format,
            tags=probe.tags_of_clip(first, declared),
            sample_aspect=probe.fraction(stream.sample_aspect_ratio) or Fraction(1),
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
        if twin is None or probe.has_alpha_beside(self._video):
            found = "alpha beside its picture" if twin else f"the pixel format {frame.format.name}"
            command = conversions.convert(self._source, conversions.to_pixel_format(frame.format))
            raise MediaError(
                f"clip: {self.path} has {found}, gray and YUV formats "
                f"of 8 to {DEEPEST} bits without alpha are accepted; convert it first, such as "
                f"with: {command}"
            )
        return twin

    def _check_matrix(self) -> None:
        try:
            matrix_of(self.info.tags.matrix, height=self.info.height)
        except ArgumentError as error:
            remedy = conversions.from_matrix(self.info.tags, self._source)
            raise MediaError(f"clip: {self.path} cannot be used: {error}; {remedy}") from None

    @property
    def _source(self) -> str:
        return as_ffmpeg_input(self.path, self._pictures)

    def _check(self, frame: av.VideoFrame, number: int) -> None:
        if _shape(frame) != self._stored and twin_of(frame.format.name) is None:
            command = conversions.convert(self._source, f"-pix_fmt {self._stored[0]}")
            raise MediaError(
                f"clip: frame {number} of {self.path} has the pixel format {frame.format.name} "
                f"where the first has {self._stored[0]}, gray and YUV formats of 8 to {DEEPEST} "
                f"bits without alpha are needed; convert it first, such as with: {command}"
            )
        if frame.interlaced_frame and not self._progressive:
            command = conversions.convert(self._source, conversions.DEINTERLACE)
            raise MediaError(
                f"clip: frame {number} of {self.path} is flagged as interlaced, progressive frames "
                "are needed: if it is progressive film all the same, give --progressive, or "
                f"deinterlace it first, such as with: {command}"
            )


def _shape(frame: av.VideoFrame) -> tuple[str, int, int]:
    """Format, without its range, width and height."""
    return frame.format.name.replace("yuvj", "yuv"), frame.width, frame.height
