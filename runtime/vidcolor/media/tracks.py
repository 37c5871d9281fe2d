"""Streams of an output beside its picture, each fed with packets: copied, or encoded anew."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, cast

import av
from av.container import OutputContainer
from av.stream import Stream
from av.subtitles.stream import SubtitleStream

if TYPE_CHECKING:
    from vidcolor.media.info import CopiedPacket, CopiedStream

_AAC_RATES = (48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)
"""Samples a second, of what is converted to AAC."""
_AAC_BITS = 96_000
"""Bits a second for each channel."""
_EXACT = ("pcm_", "adpcm_", "flac", "alac", "wavpack", "tta", "truehd", "mlp", "ape", "g72")
"""How the names of sound codecs begin that are kept as PCM, where the container holds it."""
_SHALLOW = {"u8", "u8p", "s16", "s16p"}
"""Formats of samples of at most 16 bits."""

_TEXTS = ("mov_text", "subrip")
"""Encoders of text that is shown: that of MP4 and MOV, and that of Matroska."""


class Track(Protocol):
    """A stream of the output that is fed with packets of a stream of the clip."""

    def feed(self, packet: CopiedPacket) -> Iterable[av.Packet[Any]]:
        """The packets that can be written now."""

    def finish(self) -> Iterable[av.Packet[Any]]:
        """The packets that are left at the end."""


@dataclass
class _Times:
    """Gives packets the rising times that containers need."""

    _last: int | None = None
    _next: int = 0

    def mend(self, packet: av.Packet[Any]) -> None:
        given = packet.dts if packet.dts is not None else packet.pts
        time = self._next if given is None else given
        if self._last is not None and time <= self._last:
            time = self._last + 1
        packet.dts = time
        packet.pts = time if packet.pts is None else max(packet.pts, time)
        self._last, self._next = time, time + (packet.duration or 0)


@dataclass
class Copied:
    """Packets as they are."""

    stream: Stream
    _times: _Times = field(default_factory=_Times)

    def feed(self, packet: CopiedPacket) -> Iterable[av.Packet[Any]]:
        """The packet itself."""
        self._times.mend(packet)
        packet.stream = self.stream  # type: ignore[assignment]  # of any kind
        return (packet,)

    def finish(self) -> Iterable[av.Packet[Any]]:
        """Nothing."""
        return ()


@dataclass
class ConvertedSound:
    """Sound that is decoded and encoded anew."""

    given: av.AudioStream
    stream: av.AudioStream
    _times: _Times = field(default_factory=_Times)

    def feed(self, packet: CopiedPacket) -> Iterable[av.Packet[Any]]:
        """What the encoder has ready."""
        made: list[av.Packet[Any]] = []
        try:
            for frame in self.given.codec_context.decode(cast(Any, packet)):
                made += self.stream.encode(frame)
        except (av.FFmpegError, ValueError):
            pass  # a damaged packet of sound is silence
        return self._timed(made)

    def finish(self) -> Iterable[av.Packet[Any]]:
        """What is left in the encoder."""
        try:
            return self._timed(self.stream.encode(None))
        except (av.FFmpegError, ValueError):
            return ()

    def _timed(self, packets: Sequence[av.Packet[Any]]) -> Sequence[av.Packet[Any]]:
        for packet in packets:
            self._times.mend(packet)
        return packets


@dataclass
class ConvertedText:
    """Subtitles of one kind of text that become those of another, with what they have in common."""

    given: SubtitleStream
    stream: SubtitleStream
    _times: _Times = field(default_factory=_Times)

    def feed(self, packet: CopiedPacket) -> Iterable[av.Packet[Any]]:
        """What is shown, if it is any text."""
        try:
            shown = self.given.codec_context.decode2(cast(Any, packet))
            if shown is None:
                return ()
            made = self.stream.codec_context.encode_subtitle(shown)
        except (av.FFmpegError, ValueError):
            return ()  # a damaged line
        made.pts, made.dts = packet.pts, packet.dts
        made.duration, made.time_base = packet.duration, packet.time_base
        made.stream = self.stream
        self._times.mend(made)
        return (made,)

    def finish(self) -> Iterable[av.Packet[Any]]:
        """Nothing."""
        return ()


def convert(
    container: OutputContainer, stream: CopiedStream
) -> ConvertedSound | ConvertedText | None:
    """A stream of an output for what is encoded anew.

    Args:
        container: the output, before its header is written.
        stream: of the clip.

    Returns:
        None where that is not possible: for pictures, and for what FFmpeg cannot decode.

    """
    if stream.codec_context is None:
        return None
    if isinstance(stream, av.AudioStream):
        return _convert_sound(container, stream)
    if isinstance(stream, SubtitleStream):
        return _convert_text(container, stream)
    return None


def _convert_text(container: OutputContainer, given: SubtitleStream) -> ConvertedText | None:
    context = given.codec_context
    kind = next((kind for kind in _TEXTS if kind in container.supported_codecs), None)
    if kind is None or not context.codec.text_sub:
        return None
    try:
        if not context.is_open:
            context.open()
    except (av.FFmpegError, ValueError):
        return None
    added = cast(SubtitleStream, container.add_stream(kind))
    added.time_base = given.time_base
    added.codec_context.subtitle_header = context.subtitle_header
    return ConvertedText(given, added)


def _convert_sound(container: OutputContainer, given: av.AudioStream) -> ConvertedSound | None:
    context = given.codec_context
    if not context.sample_rate or not context.channels:
        return None
    shallow = context.format is not None and context.format.name in _SHALLOW
    pcm = "pcm_s16le" if shallow else "pcm_s24le"
    exact = context.name.startswith(_EXACT) and container.format.name != "mp4"
    for codec in (pcm, "aac") if exact else ("aac", pcm):
        if codec in container.supported_codecs:
            return ConvertedSound(given, _add_encoder(container, codec, given))
    return None


def _add_encoder(container: OutputContainer, codec: str, given: av.AudioStream) -> av.AudioStream:
    context = given.codec_context
    rate, layout = context.sample_rate, context.layout.name
    if codec == "aac":
        rate = min(_AAC_RATES, key=lambda known: (known < rate, abs(known - rate)))
        layout = layout if layout in ("mono", "stereo", "5.1", "7.1") else _plain(context.channels)
    added = cast(av.AudioStream, container.add_stream(codec, rate=rate, layout=layout))
    if codec == "aac":
        added.codec_context.bit_rate = _AAC_BITS * context.channels
    return added


def _plain(channels: int) -> str:
    return "mono" if channels == 1 else "stereo"
