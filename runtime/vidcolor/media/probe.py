"""What a file says of its pictures: in its container, and in its first frame."""

from __future__ import annotations

import re
import struct
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
from av.container import InputContainer
from av.rational import AVRational
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from vidcolor.errors import MediaError
from vidcolor.media.containers import open_input
from vidcolor.media.info import FULL_RANGE, UNSPECIFIED, Tags

_MATRIX = 9
"""Numbers of a display matrix."""
_LOOKED_AT = 32
"""Frames that tell whether a container holds the times at which frames show."""
_FAR = {"analyzeduration": "600000000", "probesize": str(1 << 26)}
"""Microseconds and bytes that FFmpeg reads, and holds, to get to know the streams; by default these
are 5 s and 5 MB."""


def find_video(container: InputContainer, path: Path) -> VideoStream:
    """The stream of the pictures.

    Args:
        container: the open file.
        path: its name.

    Raises:
        MediaError: there is none, or none that FFmpeg has a decoder for.
    """
    pictures = [video for video in container.streams.video if not is_cover(video)]
    if not pictures:
        raise MediaError(f"clip: {path} holds no video that FFmpeg knows")
    if pictures[0].codec_context is None:
        raise MediaError(
            f"clip: {path} holds video that FFmpeg has no decoder for; convert it first, "
            "with the program that made it, to a format such as ProRes, DNxHR or H.264"
        )
    return pictures[0]


def is_cover(stream: Stream) -> bool:
    """Cover art is a video stream, too."""
    return stream.type == "video" and bool(stream.disposition & Disposition.attached_pic)


def has_alpha_beside(video: VideoStream) -> bool:
    """Whether a VP8 or VP9 stream has alpha, which is beside its frames and is not decoded."""
    said = {name.lower(): value for name, value in video.metadata.items()}
    return video.codec_context.name in ("vp8", "vp9") and said.get("alpha_mode") == "1"


def options_for(path: Path, container: InputContainer, video: VideoStream) -> dict[str, str]:
    """What FFmpeg has to be told to read a file right; empty for nearly all files.

    Args:
        path: the file's name.
        container: the same, open without options.
        video: its pictures.
    """
    options: dict[str, str] = {}
    if video.codec_context.pix_fmt is None:
        # They begin far behind the sound: FFmpeg has not come to them, and gives them the start
        # and the length of the whole file, and in some containers an absurd rate.
        options |= _FAR
    if _has_times_of_decoding(path, container, video):
        options["ignore_editlist"] = "1"
    return options


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


def announced_seconds(video: VideoStream) -> Fraction | None:
    """From the pictures' start to their end, as the file announces them."""
    if video.duration is not None:
        return Fraction(video.duration) * (fraction(video.time_base) or 0)
    lasts = _seconds(video.metadata.get("DURATION", ""))  # Matroska's
    if lasts is None or not _has_end_for_duration(video):
        return lasts
    return lasts - start_seconds(video)


def start_seconds(video: VideoStream) -> Fraction:
    """When the pictures begin, in the file's time."""
    return Fraction(video.start_time or 0) * (fraction(video.time_base) or 0)


def _has_end_for_duration(video: VideoStream) -> bool:
    """Whether a Matroska file was written by FFmpeg: then its DURATION is the time of its end."""
    said = {name.lower(): value for name, value in video.container.metadata.items()}
    return said.get("encoder", "").startswith("Lavf")


def mean_rate(video: VideoStream) -> Fraction:
    """Frames a second, as the file has it."""
    return fraction(video.average_rate) or fraction(video.guessed_rate) or Fraction(25)


def display_matrix(first: av.VideoFrame, stream: VideoStream) -> tuple[int, ...] | None:
    """The 9 numbers of how a player shows the picture; None where the file does not say."""
    data = stream.codec_context.coded_side_data.get("display_matrix")
    if data is None:
        side = first.side_data.get("DISPLAYMATRIX")
        data = None if side is None else bytes(side)
    if data is None or len(data) != 4 * _MATRIX:
        return None
    return struct.unpack(f"={_MATRIX}i", data)


def declared_tags(stream: VideoStream) -> Tags:
    """What the container says, before the decoder has read a frame."""
    context = stream.codec_context
    return Tags(
        matrix=context.colorspace,
        primaries=context.color_primaries,
        transfer=context.color_trc,
        range=context.color_range,
        siting=context.chroma_sample_location,
    )


def tags_of_clip(first: av.VideoFrame, declared: Tags) -> Tags:
    """The first frame's own tags; the container's where the frame says nothing."""

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


def fraction(ratio: AVRational | None) -> Fraction | None:
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
