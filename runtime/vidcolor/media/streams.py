"""What goes with the pictures: whether each stream is copied, converted or left out.

A stream is copied if the container takes it and gives it back, which is tried out in memory, as the
FFmpeg program copies it. Sound that it does not take is converted. The rest is left out, and named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

import av
from av.bitstream import BitStreamFilterContext
from av.container import OutputContainer
from av.stream import Stream

from vidcolor.media.containers import open_input

if TYPE_CHECKING:
    from vidcolor.media.info import CopiedPacket, CopiedStream

_TRIED = 3
"""Packets of each stream that a container is tried with."""
_LOOKED_THROUGH = 600
"""Packets of a file that are looked through for them."""
_AAC_RATES = (48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)
"""Samples a second, of what is converted to AAC."""
_AAC_BITS = 96_000
"""Bits a second for each channel."""
_EXACT = ("pcm_", "adpcm_", "flac", "alac", "wavpack", "tta", "truehd", "mlp", "ape", "g72")
"""How the names of sound codecs begin that are kept as PCM, where the container holds it."""
_SHALLOW = {"u8", "u8p", "s16", "s16p"}
"""Formats of samples of at most 16 bits."""

_IMAGES = {"mjpeg": "image/jpeg", "png": "image/png", "bmp": "image/bmp", "gif": "image/gif"}
"""What kind of file cover art is."""
_WORDS = {"audio": "sound", "subtitle": "subtitles", "video": "video", "data": "data"}


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
class Converted:
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


def add_tracks(
    container: OutputContainer,
    streams: Sequence[CopiedStream],
    *,
    clip: Path,
    converted: list[str],
    left_out: list[str],
) -> dict[int, Track]:
    """Streams of the output for streams of the clip, by the index of the latter.

    Args:
        container: the output, before its header is written.
        streams: those of `Reader.copied`.
        clip: the file they are in.
        converted: gets what is converted, in words.
        left_out: gets what is not kept, in words.
    """
    tracks: dict[int, Track] = {}
    samples = _samples(clip, streams)
    for number, stream in enumerate(streams, 1):
        what = describe(stream, number)
        if _is_cover(stream) and container.format.name == "matroska":
            _attach(container, stream, samples[stream.index], left_out, what)
            continue
        track = _copy(container, stream, samples) or _convert(container, stream)
        if track is None:
            left_out.append(what)
            continue
        if isinstance(track, Converted):
            converted.append(f"{what} of {clip} becomes {track.stream.codec_context.name}")
        track.stream.metadata.update(stream.metadata)
        track.stream.disposition = stream.disposition
        tracks[stream.index] = track
    return tracks


def describe(stream: Stream, number: int | None = None) -> str:
    """A stream in words, such as 'sound (wmav2)'. number: which it is beside the picture."""
    word = "cover art" if _is_cover(stream) else _WORDS.get(stream.type, "a stream")
    name = stream.name if stream.type == "data" else getattr(stream.codec_context, "name", None)
    if name is None:
        which = "" if number is None else f"track {number}, "
        return f"{word} ({which}of a kind that FFmpeg does not know)"
    return f"{word} ({name})"


def _is_cover(stream: Stream) -> bool:
    flags = stream.disposition
    return stream.type == "video" and bool(flags & av.stream.Disposition.attached_pic)


def _attach(
    container: OutputContainer,
    cover: CopiedStream,
    packets: Sequence[bytes],
    left_out: list[str],
    what: str,
) -> None:
    """Put cover art into a Matroska file, where it is a file within the file."""
    kind = _IMAGES.get(getattr(cover.codec_context, "name", ""))
    if kind is None or not packets:
        left_out.append(what)
        return
    name = cover.metadata.get("filename") or f"cover.{kind.removeprefix('image/')}"
    container.add_attachment(name, kind, packets[0])


def _samples(clip: Path, streams: Sequence[CopiedStream]) -> Mapping[int, list[bytes]]:
    """The first packets of each stream, as far as they lie near the beginning of the file."""
    found: dict[int, list[bytes]] = {stream.index: [] for stream in streams}
    if not found:
        return found
    with open_input(clip) as container:
        chosen = [container.streams[index] for index in found]
        try:
            for packet in islice(container.demux(chosen), _LOOKED_THROUGH):
                data = found[packet.stream.index]
                if packet.size and len(data) < _TRIED:
                    data.append(bytes(packet))
                if all(len(data) == _TRIED for data in found.values()):
                    break
        except (av.FFmpegError, OSError):
            pass  # it is told when the file is read
    return found


def _copy(
    container: OutputContainer, stream: CopiedStream, samples: Mapping[int, list[bytes]]
) -> Copied | None:
    """A stream for packets as they are; None where the container does not keep them."""
    if stream.codec_context is None or not _keeps(
        container.format.name, stream, samples.get(stream.index, [])
    ):
        return None
    return Copied(_add_like(container, stream))


def _keeps(muxer: str, stream: CopiedStream, packets: Sequence[bytes]) -> bool:
    """Whether a file with this stream alone can be written, and be read again."""
    memory = BytesIO()
    try:
        with av.open(memory, "w", format=muxer) as trial:
            added = _add_like(trial, stream)
            trial.start_encoding()
            for number, data in enumerate(packets):
                packet = av.Packet(data)
                packet.stream, packet.time_base = added, stream.time_base
                packet.pts = packet.dts = number * _of_a_second(stream)
                packet.is_keyframe = True
                trial.mux(packet)
        with av.open(BytesIO(memory.getvalue())) as written:
            return not packets or any(
                other.type == stream.type
                and other.codec_context is not None
                and _is_cover(other) == _is_cover(stream)
                for other in written.streams
            )
    except (av.FFmpegError, OSError, ValueError):
        return False


def _of_a_second(stream: CopiedStream) -> int:
    """Ticks of a tenth of a second."""
    base = stream.time_base
    return max(1, round(Fraction(base.denominator, 10 * max(1, base.numerator))))


def _add_like(container: OutputContainer, stream: CopiedStream) -> Stream:
    """A stream with all parameters of another. Raises ValueError where FFmpeg says no."""
    if stream.type != "video":
        try:
            return container.add_stream_from_template(stream)
        except ValueError:
            pass  # FFmpeg's strict list of codecs lacks it, but the muxer may take it
    added = container.add_data_stream()
    BitStreamFilterContext("null", stream, added)  # copies the parameters
    added.time_base = stream.time_base
    added.disposition = stream.disposition
    return added


def _convert(container: OutputContainer, stream: CopiedStream) -> Converted | None:
    """A stream for sound that is encoded anew; None where that is not possible."""
    if stream.type != "audio" or stream.codec_context is None:
        return None
    given = cast(av.AudioStream, stream)
    context = given.codec_context
    if not context.sample_rate or not context.channels:
        return None
    shallow = context.format is not None and context.format.name in _SHALLOW
    pcm = "pcm_s16le" if shallow else "pcm_s24le"
    exact = context.name.startswith(_EXACT) and container.format.name != "mp4"
    for codec in (pcm, "aac") if exact else ("aac", pcm):
        if codec in container.supported_codecs:
            return Converted(given, _add_encoder(container, codec, given))
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
