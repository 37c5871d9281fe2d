"""Video files out, through PyAV: `vidcolor.video`'s frames, timing and tags, and the audio.

A file is written under a temporary name beside its place and takes its name when it is complete,
so that no half-written file is ever taken for a whole one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Self, cast

import av
from av.container import OutputContainer
from av.video.stream import VideoStream

from vidcolor.errors import ArgumentError, MediaError
from vidcolor.video import AudioPacket, Codes, Info, Reader, Tags, plane_codes

CODECS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "libx264": {"preset": "medium", "crf": "16"},
        "libx265": {"preset": "medium", "crf": "18", "x265-params": "log-level=none"},
        "ffv1": {"level": "3", "slicecrc": "1"},
    }
)
"""The encoders on offer, the most widely played first, with FFmpeg's settings for each."""

_LOSSLESS = ("ffv1",)


class Writer:
    """A clip being written, with the shape, timing and audio of the clip `like`.

    tags: what to say of the colours. codec: one of `CODECS`, or 'auto' for the first of them that
    holds the clip's pixel format in the output's container.

    Use it as a context: leaving it completes the file and gives it its name; leaving it by an
    exception removes what was written.

    Raises ArgumentError when the output's name or place does not do, when the codec is unknown,
    or when codec or container cannot hold the clip; MediaError when the file cannot be written.
    """

    def __init__(
        self,
        path: Path,
        *,
        like: Reader,
        tags: Tags,
        codec: str = "auto",
        overwrite: bool = False,
    ) -> None:
        _check_place(path, clip=like.path, overwrite=overwrite)
        self._path = path
        self._partial = path.with_name(f".{path.stem}.{os.getpid()}.partial{path.suffix}")
        self._tags, self._time_base = tags, like.info.time_base
        self._durations: dict[int, int] = {}
        self._container = _open(self._partial)
        try:
            codec, self.pixel_format = self._choose(codec, like.info)
            self._video = self._add_video(codec, like.info)
            self._audio = {stream.index: self._add_audio(stream) for stream in like.audio}
            self._container.metadata.update(like.metadata)
            with self._named_errors():
                self._container.start_encoding()
        except BaseException:
            self._discard()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            try:
                with self._named_errors():
                    self._mux(self._video.encode())
                    self._container.close()
                    self._partial.replace(self._path)
            except BaseException:
                self._discard()
                raise
        else:
            self._discard()

    def write(self, planes: Sequence[Codes], *, pts: int, duration: int) -> None:
        """Write one frame: code values of luma and both chroma planes; times as in `Frame`."""
        frame = av.VideoFrame(self._video.width, self._video.height, self.pixel_format)
        for index, codes in enumerate(planes):
            plane_codes(frame, index)[...] = codes
        frame.pts, frame.time_base = pts, self._time_base
        frame.colorspace, frame.color_range = self._tags.matrix, self._tags.range
        frame.color_primaries, frame.color_trc = self._tags.primaries, self._tags.transfer
        self._durations[pts] = duration
        with self._named_errors():
            self._mux(self._video.encode(frame))

    def copy(self, packet: AudioPacket) -> None:
        """Write one of the clip's audio packets as it is."""
        packet.stream = self._audio[packet.stream.index]
        with self._named_errors():
            self._container.mux(packet)

    def _mux(self, packets: list[av.Packet[VideoStream]]) -> None:
        for packet in packets:
            # Encoders know the mean rate only; a frame of variable rate lasts what it lasted.
            if packet.pts is not None:
                packet.duration = self._durations.pop(packet.pts, 0) or packet.duration
            self._container.mux(packet)

    def _choose(self, asked: str, info: Info) -> tuple[str, str]:
        """The codec to use and the pixel format to give it."""
        if asked != "auto" and asked not in CODECS:
            raise ArgumentError(
                f"codec: got {asked!r}, one of {', '.join(('auto', *CODECS))} is needed"
            )
        container = self._container.format.name
        for codec in CODECS if asked == "auto" else (asked,):
            pixel_format = _yuv_format(info, lossless=codec in _LOSSLESS)
            holds = {form.name for form in av.Codec(codec, "w").video_formats or ()}
            if pixel_format in holds and codec in self._container.supported_codecs:
                return codec, pixel_format
        raise ArgumentError(
            f"codec: {asked} does not hold {info.pixel_format} in {container} files; "
            "ffv1 in an .mkv file holds every format"
        )

    def _add_video(self, codec: str, info: Info) -> VideoStream:
        if (
            codec == "ffv1"
            and info.sample_aspect != 1
            and self._container.format.name == "matroska"
        ):
            # Matroska keeps it in a place that PyAV cannot write; H.264 has one of its own.
            raise ArgumentError(
                f"codec: ffv1 in .mkv cannot keep the clip's sample aspect {info.sample_aspect}; "
                "use an output that ends in .mp4, or another codec"
            )
        stream = cast(
            VideoStream,
            self._container.add_stream(codec, rate=info.rate, options=dict(CODECS[codec])),
        )
        context = stream.codec_context
        # PyAV's default is threads by slices alone, which costs x264 bits and quality.
        context.thread_type = "AUTO"
        context.width, context.height = info.width, info.height
        context.pix_fmt = self.pixel_format
        context.time_base = stream.time_base = self._time_base
        context.sample_aspect_ratio = info.sample_aspect
        context.colorspace, context.color_range = self._tags.matrix, self._tags.range
        context.color_primaries = self._tags.primaries
        context.color_trc = self._tags.transfer
        context.chroma_sample_location = self._tags.siting
        if info.rotation:
            stream.set_display_rotation(info.rotation)
        return stream

    def _add_audio(self, audio: av.AudioStream) -> av.AudioStream:
        try:
            stream = self._container.add_stream_from_template(audio)
        except (av.FFmpegError, ValueError) as error:
            raise ArgumentError(
                f"output: {self._path.suffix} files cannot hold the clip's audio "
                f"({audio.name}); .mkv holds nearly every kind"
            ) from error
        stream.metadata.update(audio.metadata)
        stream.disposition = audio.disposition
        return stream

    def _discard(self) -> None:
        with suppress(av.FFmpegError, OSError):
            self._container.close()
        self._partial.unlink(missing_ok=True)

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except (av.FFmpegError, OSError) as error:
            reason = error.strerror or str(error)
            raise MediaError(f"output: {self._path} cannot be written ({reason})") from error


def _check_place(path: Path, *, clip: Path, overwrite: bool) -> None:
    if not path.parent.is_dir():
        raise ArgumentError(f"output: there is no folder {path.parent} to write {path.name} into")
    if path.is_dir():
        raise ArgumentError(f"output: {path} is a folder, the name of a file is needed")
    if not path.exists():
        return
    if path.samefile(clip):
        raise ArgumentError(f"output: {path} is the clip itself, another name is needed")
    if not overwrite:
        raise ArgumentError(f"output: {path} exists already; --overwrite replaces it")


def _open(path: Path) -> OutputContainer:
    try:
        return av.open(path, "w")
    except (av.FFmpegError, ValueError) as error:
        raise ArgumentError(
            f"output: nothing is known to write as {path.suffix or 'a file without an ending'}; "
            "end the name in .mp4, .mov or .mkv"
        ) from error


def _yuv_format(info: Info, *, lossless: bool) -> str:
    """The pixel format to encode: the clip's own, or YUV of the same depth for a gray clip.

    Every player shows 4:2:0, which needs even sides; what is lossless keeps all of the chroma.
    """
    if not info.is_gray:
        return info.pixel_format
    odd = info.width % 2 or info.height % 2
    return f"yuv{444 if lossless or odd else 420}p" + (f"{info.bits}le" if info.bits > 8 else "")
