"""A small copy of a film that every browser plays, and thumbnails of some of its frames.

Where a second version of the film is compared with, its frames lie in the same copy, under those
of the first. So the two never get out of step.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import NoReturn

import av
import cv2
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray
from tqdm import tqdm

from vidcolor.advise.sound import Sound
from vidcolor.errors import ArgumentError
from vidcolor.files import cannot_write
from vidcolor.media.info import LIMITED_RANGE, UNSPECIFIED, Frame, Info, Tags
from vidcolor.media.names import url_of
from vidcolor.media.orientation import UPRIGHT, Orientation
from vidcolor.media.pictures import plane_codes, reformat
from vidcolor.media.reader import Reader

_OPTIONS = {"preset": "veryfast", "crf": "22", "g": "12", "bf": "0", "movflags": "faststart"}
"""Key frames twice a second and no reordered frames: a page seeks back and forth all the time."""
_THUMB = 192
"""Longer side of the thumbnails in pixels."""
GAP = 16
"""Rows between a frame and the one of the second version under it, which repeat their edges."""
ASPECT_TOLERANCE = 0.02
"""How far the second version's width over its height may be off the first's, as a share."""


@dataclass
class Preview:
    """What the copy shows."""

    width: int = 1
    """Of a frame, upright and of square pixels."""
    height: int = 1
    film_size: tuple[int, int] = (1, 1)
    """Width and height of the film's frames as a player shows them, in samples."""
    times: list[float] = field(default_factory=list)
    """The time of each frame in seconds from the first, and after them the time of the end."""
    pictures: dict[int, bytes] = field(default_factory=dict)
    """Frame -> thumbnail, as a JPEG file's content."""
    rate: Fraction = Fraction(25)
    """Mean frames a second."""
    has_sound: bool = False
    orientation: Orientation = UPRIGHT
    """How the picture lies in the frames of the film."""

    @property
    def aspect(self) -> float:
        """Width over height, as a player shows it."""
        return self.width / self.height


def encode_preview(
    film: Path,
    target: Path,
    *,
    side: int,
    pictures_of: Collection[int],
    against: Path | None = None,
    audio: bool = True,
    progress: tqdm[NoReturn] | None = None,
) -> Preview:
    """Write a small copy of a film, as H.264 and AAC in MP4.

    Args:
        film: The film.
        target: The file to write.
        side: Longest allowed short side in pixels.
        pictures_of: Frames to make thumbnails of, from 0.
        against: A second version of the film, of as many frames, whose frames are put under the
            first's, `GAP` rows below.
        audio: Whether the copy has the film's sound.
        progress: A progress bar, updated at every frame.

    Returns:
        What the copy shows.

    Raises:
        ArgumentError: The second version is not of the same frames.
        MediaError: A film cannot be read, or the copy cannot be written.
    """
    preview = Preview()
    with ExitStack() as stack:
        reader = stack.enter_context(Reader(film, side=side))
        other = None if against is None else stack.enter_context(Reader(against, side=side))
        stack.enter_context(_named_errors(target))
        container = stack.enter_context(av.open(url_of(target), "w", "mp4"))
        info = reader.info
        preview.rate, preview.orientation = info.rate, info.orientation
        preview.width, preview.height = _shown_size(info)
        preview.film_size = _film_size(film)
        if other is not None:
            _check_aspect(other, preview)
        stream = _stream(container, preview, info, versions=1 if other is None else 2)
        sound = stack.enter_context(Sound(film, container)) if audio else None
        begin, end = None, 0
        for number, (frame, second) in enumerate(_pairs(reader, other)):
            begin = frame.pts if begin is None else begin
            picture = _upright(frame, info, preview, info.tags)
            if number in pictures_of:
                preview.pictures[number] = _jpeg(picture, info)
            if other is not None and second is not None:
                picture = _stacked(picture, _upright(second, other.info, preview, info.tags))
            picture.pts, picture.time_base = frame.pts - begin, info.time_base
            container.mux(stream.encode(picture))
            preview.times.append(float((frame.pts - begin) * info.time_base))
            end = frame.pts - begin + (frame.duration or round(1 / info.rate / info.time_base))
            if sound is not None:
                sound.copy(float(begin * info.time_base), float(end * info.time_base))
            if progress is not None:
                progress.update()
        container.mux(stream.encode())
        if sound is not None:
            sound.finish()
            preview.has_sound = sound.exists
    preview.times.append(float(end * info.time_base))
    return preview


@contextmanager
def _named_errors(target: Path) -> Iterator[None]:
    try:
        yield
    except av.FFmpegError as error:
        raise cannot_write(target, error) from error


def _pairs(reader: Reader, other: Reader | None) -> Iterator[tuple[Frame, Frame | None]]:
    """Frames of both versions; the second of each is None if there is one version only."""
    frames = (item for item in reader if isinstance(item, Frame))
    if other is None:
        yield from ((frame, None) for frame in frames)
        return
    seconds = (item for item in other if isinstance(item, Frame))
    count = 0
    for frame in frames:
        second = next(seconds, None)
        if second is None:
            raise _other_length(other, f"has {count} frames, {reader.path} has more")
        yield frame, second
        count += 1
    if next(seconds, None) is not None:
        raise _other_length(other, f"has more frames than the {count} of {reader.path}")


def _other_length(other: Reader, how: str) -> ArgumentError:
    return ArgumentError(f"against: {other.path} {how}; a version of the same frames is needed")


def _shown_size(info: Info) -> tuple[int, int]:
    """Width and height of the picture as a player shows it, both even."""
    width, height = round(info.width * info.sample_aspect), info.height
    if info.orientation.swaps_sides:
        width, height = height, width
    return max(2, width // 2 * 2), max(2, height // 2 * 2)


def _film_size(film: Path) -> tuple[int, int]:
    with Reader(film) as reader:
        info = reader.info
    return (info.height, info.width) if info.orientation.swaps_sides else (info.width, info.height)


def _check_aspect(other: Reader, preview: Preview) -> None:
    width, height = _shown_size(other.info)
    if abs(width / height / preview.aspect - 1) > ASPECT_TOLERANCE:
        raise ArgumentError(
            f"against: {other.path} has another shape: {width / height:.2f} times as wide as high, "
            f"where the first version is {preview.aspect:.2f}; a version of the same frames is "
            "needed"
        )


def _stream(
    container: av.container.OutputContainer, preview: Preview, info: Info, *, versions: int
) -> VideoStream:
    stream = container.add_stream("libx264", rate=info.rate, options=dict(_OPTIONS))
    context = stream.codec_context
    context.thread_type = "AUTO"
    context.width = preview.width
    context.height = versions * preview.height + (versions - 1) * GAP
    context.pix_fmt = "yuv420p"
    context.time_base = stream.time_base = info.time_base
    context.colorspace, context.color_range = info.tags.matrix, LIMITED_RANGE
    context.color_primaries, context.color_trc = info.tags.primaries, info.tags.transfer
    return stream


def _upright(frame: Frame, info: Info, preview: Preview, tags: Tags) -> av.VideoFrame:
    """A frame as a player shows it, in 8-bit 4:2:0 of limited range, which every browser plays.

    Args:
        frame: The frame.
        info: Its film's.
        preview: Has the size of the picture.
        tags: What the picture's colours are; a second version may be of another matrix.
    """
    given = av.VideoFrame(info.width, info.height, info.pixel_format)
    for index, codes in enumerate(frame.planes):
        plane_codes(given, index)[...] = codes
    given.colorspace, given.color_range = info.tags.matrix, info.tags.range or LIMITED_RANGE
    size = (preview.width, preview.height)
    width, height = size[::-1] if info.orientation.swaps_sides else size
    matrix = info.tags.matrix if tags.matrix == UNSPECIFIED else tags.matrix
    stored = reformat(
        given,
        width,
        height,
        "yuv420p",
        src_color_range=given.color_range,
        dst_color_range=LIMITED_RANGE,
        **({} if matrix == info.tags.matrix else {"dst_colorspace": matrix}),
    )
    if info.orientation.is_upright:
        return stored
    return _as_frame(
        [info.orientation.shown(plane_codes(stored, index)) for index in range(3)], stored
    )


def _stacked(first: av.VideoFrame, second: av.VideoFrame) -> av.VideoFrame:
    """Two pictures, one under the other, with `GAP` rows between them."""
    planes: list[NDArray[np.generic]] = []
    for index, rows in enumerate((GAP // 2, GAP // 4, GAP // 4)):
        one, other = plane_codes(first, index), plane_codes(second, index)
        edges = np.repeat(one[-1:], rows, axis=0), np.repeat(other[:1], rows, axis=0)
        planes.append(np.concatenate([one, *edges, other]))
    return _as_frame(planes, first)


def _as_frame(planes: list[NDArray[np.generic]], like: av.VideoFrame) -> av.VideoFrame:
    height, width = planes[0].shape
    frame = av.VideoFrame(width, height, "yuv420p")
    for index, codes in enumerate(planes):
        plane_codes(frame, index)[...] = codes
    frame.colorspace, frame.color_range = like.colorspace, like.color_range
    return frame


def _jpeg(picture: av.VideoFrame, info: Info) -> bytes:
    """A thumbnail of an upright picture, as a JPEG file's content."""
    scale = _THUMB / max(picture.height, picture.width)
    width, height = (max(1, round(scale * side)) for side in (picture.width, picture.height))
    rgb = reformat(picture, width, height, "bgr24", src_colorspace=info.tags.matrix)
    content = cv2.imencode(".jpg", rgb.to_ndarray(), (cv2.IMWRITE_JPEG_QUALITY, 82))[1]
    return content.tobytes()
