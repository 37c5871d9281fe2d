"""The frames of a file, decoded: in the order in which they show, whatever damage there is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from vidcolor.media.clock import Clock
from vidcolor.media.containers import open_input, unreadable
from vidcolor.media.info import CopiedPacket, CopiedStream
from vidcolor.media.losses import Losses
from vidcolor.media.timing import DisplayOrder, Grid

type Timed = tuple[av.VideoFrame, int]
"""A frame, and when it shows, in ticks of the file."""

_SLICED = {"ffv1", "prores", "dnxhd", "mjpeg", "utvideo", "huffyuv", "ffvhuff", "v210", "cfhd"}
"""Decoders that share a frame among threads: a damaged packet then costs no other frame."""
_KEEPING = {"mpeg1video", "mpeg2video"}
"""Decoders that give a frame for a packet that they have refused, of what its memory holds."""
_JUMPING = {"mpeg", "mpegts"}
"""Containers of streams that may be joined end to end, with clocks of their own."""


class Decoder:
    """Iterate it once: `Timed` frames, and packets of other streams, in the file's order.

    Args:
        path: the file's name.
        container: the open file.
        video: its pictures.
        beside: its other streams that are read, too.
        rate: frames a second.
        grid: the times of frames.
        losses: told of packets that cannot be decoded.

    Raises:
        MediaError: the file cannot be read, or there is not enough memory.

    """

    def __init__(
        self,
        path: Path,
        container: InputContainer,
        video: VideoStream,
        beside: Sequence[CopiedStream],
        *,
        rate: Fraction,
        grid: Grid,
        losses: Losses,
    ) -> None:
        self._path, self._container = path, container
        self._video, self._beside = video, beside
        self._rate, self._grid, self._losses = rate, grid, losses
        self._damaged: set[int] = set()
        """Times of packets that could not be decoded, in ticks of the file. Where several threads
        decode frames, that of a later packet, which the error came with."""
        self._keeps = video.codec_context.name in _KEEPING

    def __iter__(self) -> Iterator[Timed | CopiedPacket]:
        video = self._video
        video.thread_type = "SLICE" if video.codec_context.name in _SLICED else "AUTO"
        clock = self._clock(self._container)
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
            yield from self._decode_last(order)
        yield from order.rest()

    def _clock(self, container: InputContainer) -> Clock:
        may_jump = container.format.name in _JUMPING
        return Clock(self._video.index, rate=self._rate, may_jump=may_jump)

    def _packets(self) -> Iterator[av.Packet[Any]]:
        """All packets, up to the end or to where the file cannot be read any further."""
        try:
            yield from self._container.demux(self._video, *self._beside)
        except av.error.InvalidDataError:
            self._losses.damage(None)
        except (av.FFmpegError, OSError) as error:
            raise unreadable(self._path, error) from error

    def _decode(
        self, packet: av.Packet[Any], order: DisplayOrder[av.VideoFrame]
    ) -> Iterator[Timed]:
        """The frames that a packet completes."""
        if packet.pts is not None and not packet.is_discard:
            order.expect(packet.pts)
        try:
            frames = self._video.codec_context.decode(packet)
        except av.error.MemoryError as error:
            raise unreadable(self._path, error) from error
        except (av.FFmpegError, ValueError):
            self._damage(packet)
            return
        for frame in self._sound(frames):
            yield from _in_order(frame, order)

    def _sound(self, frames: Iterable[av.VideoFrame]) -> Iterator[av.VideoFrame]:
        """Those that are more than the memory of a refused packet."""
        return (frame for frame in frames if not (self._keeps and frame.pts in self._damaged))

    def _decode_last(self, order: DisplayOrder[av.VideoFrame]) -> Iterator[Timed]:
        """The last frames, once more from the beginning of the file, on one thread.

        Of the frames that several threads are at in the end, a decoder gives none behind a damaged
        one.
        """
        shown = order.latest
        with open_input(self._path) as container:
            video = cast(VideoStream, container.streams[self._video.index])
            video.codec_context.thread_count = 1
            clock = self._clock(container)
            for packet in _up_to_damage(container.demux(video)):
                for moved in clock.carry(packet) if packet.size else (packet,):
                    if self._keeps and moved.size and moved.pts in self._damaged:
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


def _in_order(frame: av.VideoFrame, order: DisplayOrder[av.VideoFrame]) -> Iterator[Timed]:
    follows = order.latest + max(1, frame.duration or 0)
    return order.add(frame, follows if frame.pts is None else frame.pts)


def _up_to_damage(packets: Iterator[av.Packet[Any]]) -> Iterator[av.Packet[Any]]:
    """The packets up to where the file cannot be read any further, which has been told."""
    with suppress(av.FFmpegError, OSError):
        yield from packets
