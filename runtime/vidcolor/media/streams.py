"""What goes with the pictures: whether each stream is copied, converted or left out.

A stream is copied if the container takes it and gives it back, which is tried out in memory, as the
FFmpeg program copies it. Sound and text that it does not take are converted. The rest is left
out, and named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import av
from av.bitstream import BitStreamFilterContext
from av.container import OutputContainer
from av.stream import Stream

from vidcolor.media.containers import open_input
from vidcolor.media.tracks import Copied, Track, convert

if TYPE_CHECKING:
    from vidcolor.media.info import CopiedStream

_TRIED = 3
"""Packets of each stream that a container is tried with."""
_LOOKED_THROUGH = 600
"""Packets of a file that are looked through for them."""
_IMAGES = {"mjpeg": "image/jpeg", "png": "image/png", "bmp": "image/bmp", "gif": "image/gif"}
"""What kind of file cover art is."""
_WORDS = {"audio": "sound", "subtitle": "subtitles", "video": "video", "data": "data"}


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
        track = _copy(container, stream, samples) or convert(container, stream)
        if track is None:
            left_out.append(what)
            continue
        if not isinstance(track, Copied):
            become = "become" if stream.type == "subtitle" else "becomes"
            converted.append(f"{what} of {clip} {become} {track.stream.codec_context.name}")
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
