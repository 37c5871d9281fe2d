"""Video files out, through PyAV: frames, timing and tags as `vidcolor.media.reader` has them.

A file is written under a temporary name beside its place and takes its name when it is complete,
so that no half-written file is ever taken for a whole one. The same frames give the same bytes, as
far as the encoder's own do: x264 on several threads has been seen to give one packet in thousands a
few bytes more or less.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Self, cast

import av
from av.container import OutputContainer
from av.stream import Stream
from av.video.stream import VideoStream

from vidcolor.errors import ArgumentError, MediaError
from vidcolor.files import cannot_write
from vidcolor.media import names
from vidcolor.media.codecs import AUTO, Encoder, choose
from vidcolor.media.containers import muxer_of, open_output
from vidcolor.media.info import CopiedPacket, Info, Tags
from vidcolor.media.orientation import UPRIGHT
from vidcolor.media.pictures import Codes, plane_codes
from vidcolor.media.reader import Reader
from vidcolor.media.span import Span
from vidcolor.media.streams import add_tracks, describe
from vidcolor.media.tracks import Track

REPORT_ENDING = ".vidcolor.json"
"""Of the longest name of a file that lies beside an output."""

_FASTEST_COUNTED = 255
"""Frames a second that a timecode track can count; files of odd rates seem to have more."""
_PROGRESSIVE = 1
"""AV_FIELD_PROGRESSIVE."""


class Writer:
    """A clip being written, with the shape, timing, audio and so on of the clip `like`.

    Use it as a context: leaving it completes the file and gives it its name; leaving it by an
    exception removes what was written. What the container cannot hold and the picture can do
    without is named in `left_out`, and told in `notes`.

    Args:
        path: the file to write; its ending chooses the container.
        like: the clip.
        tags: what to say of the colours.
        codec: a name of `CODECS`, or 'auto' for the first of them that holds the clip's pixel
            format in the output's container; or an encoder itself.
        overwrite: whether to replace a file that is there.
        info: the shape of the frames, where it is not that of `like`.
        span: what part of `like` is written; all of it, if None.
        partial: the temporary name; one is made up, if None.
        audio: whether the clip's sound goes with it.

    Raises:
        ArgumentError: the output's name or place does not do, the codec is unknown, or codec or
            container cannot hold the clip.
        MediaError: the file cannot be written.
    """

    def __init__(
        self,
        path: Path,
        *,
        like: Reader,
        tags: Tags,
        codec: str | Encoder = AUTO,
        overwrite: bool = False,
        info: Info | None = None,
        span: Span | None = None,
        partial: Path | None = None,
        audio: bool = True,
    ) -> None:
        _check_place(path, clip=like.path, overwrite=overwrite)
        info = info or like.info
        self._path = path
        self._partial = partial or names.partial_of(path)
        self._tags, self._time_base, self._span = tags, info.time_base, span
        self._durations: dict[int, int] = {}
        self.left_out: list[str] = []
        """What the container could not hold, such as 'subtitles (srt)'."""
        self.notes: list[str] = []
        """The same in sentences; and what it holds in another form, such as sound as AAC."""
        # Known before there is a file: an interrupt may come at any time, also while it is removed.
        self._undo = ExitStack()
        self._undo.callback(self._partial.unlink, missing_ok=True)
        try:
            self._container = open_output(self._partial, muxer_of(path))
            self._undo.callback(_close, self._container)
            encoder, self.pixel_format = choose(
                codec,
                info,
                holds=self._container.supported_codecs,
                container=self._container.format.name,
            )
            if encoder.fast_start and self._container.format.name in ("mp4", "mov"):
                self._container.options["movflags"] = "+faststart"
            self._video = self._add_video(encoder, info)
            self._tracks = self._add_tracks(like, audio=audio)
            self._add_attachments(like)
            self._say(like, info)
            self.notes += [
                f"{what} of {like.path} is left out: {path} cannot hold it"
                for what in self.left_out
            ]
            self._start(encoder, info)
        except BaseException:
            self.discard()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            try:
                with self._named_errors():
                    self._mux(self._video.encode())
                    for track in self._tracks.values():
                        self._mux_beside(track.finish())
                    self._container.close()
                    self._partial.replace(self._path)
            except BaseException:
                self.discard()
                raise
        else:
            self.discard()

    def write(self, planes: Sequence[Codes], *, pts: int, duration: int) -> None:
        """Write one frame: code values of luma and both chroma planes; times as in `Frame`."""
        frame = av.VideoFrame(self._video.width, self._video.height, self.pixel_format)
        for index, codes in enumerate(planes):
            plane_codes(frame, index)[...] = codes
        if self._span is not None:
            pts = self._span.move(pts, self._time_base)
        frame.pts, frame.time_base = pts, self._time_base
        frame.colorspace, frame.color_range = self._tags.matrix, self._tags.range
        frame.color_primaries, frame.color_trc = self._tags.primaries, self._tags.transfer
        self._durations[pts] = duration
        with self._named_errors():
            self._mux(self._video.encode(frame))

    def copy(self, packet: CopiedPacket) -> None:
        """Write one of the clip's packets of audio, subtitles or cover art."""
        track = self._tracks.get(packet.stream.index)
        cover = packet.stream.type == "video"
        if track is None:
            return
        if self._span is not None and not cover and not self._span.cut_packet(packet):
            return
        with self._named_errors():
            self._mux_beside(track.feed(packet))

    def _mux(self, packets: list[av.Packet[VideoStream]]) -> None:
        for packet in packets:
            # Encoders know the mean rate only; a frame of variable rate lasts what it lasted.
            if packet.pts is not None:
                packet.duration = self._durations.pop(packet.pts, 0) or packet.duration
            self._container.mux(packet)

    def _mux_beside(self, packets: Iterable[av.Packet[Any]]) -> None:
        """Write what goes with the picture. A packet that makes no sense does not stop the film."""
        for packet in packets:
            with suppress(av.error.InvalidDataError, av.error.ArgumentError):
                self._container.mux(packet)

    def _add_video(self, encoder: Encoder, info: Info) -> VideoStream:
        stream = cast(
            VideoStream,
            self._container.add_stream(
                encoder.library, rate=info.rate, options=encoder.options_for(self.pixel_format)
            ),
        )
        context = stream.codec_context
        # PyAV's default is threads by slices alone, which costs x264 bits and quality.
        context.thread_type = "AUTO"
        context.width, context.height = info.width, info.height
        context.pix_fmt = self.pixel_format
        context.field_order = _PROGRESSIVE
        context.time_base = stream.time_base = self._time_base
        context.sample_aspect_ratio = info.sample_aspect
        context.colorspace, context.color_range = self._tags.matrix, self._tags.range
        context.color_primaries = self._tags.primaries
        context.color_trc = self._tags.transfer
        context.chroma_sample_location = self._tags.siting
        if info.display_matrix is not None:
            stream.set_display_matrix(info.display_matrix)
        elif info.orientation != UPRIGHT:
            stream.set_display_rotation(info.rotation, hflip=info.mirrored)
        return stream

    def _start(self, encoder: Encoder, info: Info) -> None:
        """Write what comes before the first packet."""
        try:
            with self._named_errors():
                self._container.start_encoding()
        except MediaError:
            encoder.check_opens(self.pixel_format, info)
            raise

    def _add_tracks(self, like: Reader, *, audio: bool) -> dict[int, Track]:
        """Streams for what goes with the picture, by the indices of the clip's."""
        self._video.disposition = like.disposition
        for stream in like.not_copied:
            self.notes.append(f"{describe(stream)} of {like.path} is left out: {_why(stream)}")
        converted: list[str] = []
        tracks = add_tracks(
            self._container,
            [stream for stream in like.copied if audio or stream.type != "audio"],
            clip=like.path,
            converted=converted,
            left_out=self.left_out,
        )
        for what in converted:
            self.notes.append(f"{what}: {self._path} cannot hold it as it is")
        return tracks

    def _say(self, like: Reader, info: Info) -> None:
        """What the clip says of itself besides its colours."""
        video, chapters = like.video_metadata, like.chapters
        if self._span is not None:
            video = self._span.cut_metadata(video, info.rate)
            chapters = self._span.cut_chapters(chapters)
        if "timecode" in video and round(info.rate) > _FASTEST_COUNTED:
            self.left_out.append(f"timecode ({video.pop('timecode')})")
        self._video.metadata.update(video)
        self._container.metadata.update(like.metadata)
        self._container.set_chapters(chapters)

    def _add_attachments(self, like: Reader) -> None:
        for attached in like.attachments:
            name, kind = attached.name or "attachment", attached.mimetype
            if self._container.format.name == "matroska":
                self._container.add_attachment(
                    name, kind or "application/octet-stream", attached.data
                )
            else:
                self.left_out.append(f"attachment {name}")

    def discard(self) -> None:
        """Write nothing: remove what was written so far."""
        self._undo.close()

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except (MediaError, MemoryError):
            raise
        except (av.FFmpegError, OSError) as error:
            raise cannot_write(self._path, error) from error


def _why(stream: Stream) -> str:
    """Why a stream has no place in any output."""
    return (
        "one video is coloured" if stream.type == "video" else "only pictures, sound and text go on"
    )


def _check_place(path: Path, *, clip: Path, overwrite: bool) -> None:
    names.check_length(path, spare=REPORT_ENDING)
    if not path.parent.is_dir():
        raise ArgumentError(f"output: there is no folder {path.parent} to write {path.name} into")
    if path.is_dir():
        raise ArgumentError(f"output: {path} is a folder, the name of a file is needed")
    if not path.exists():
        return
    if clip.exists() and path.samefile(clip):
        raise ArgumentError(f"output: {path} is the clip itself, another name is needed")
    if not overwrite:
        raise ArgumentError(f"output: {path} exists already; --overwrite replaces it")


def _close(container: OutputContainer) -> None:
    """Of a file that is not kept, whatever may be wrong with it."""
    with suppress(av.FFmpegError, OSError):
        container.close()
