"""A video as its shots, frame by frame: decoded, scaled, cut where a shot ends, at a steady rate.

Nothing is held but the few frames that the detector looks ahead, however long the video is.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import repeat
from pathlib import Path

import av
import cv2
import numpy as np
from av.rational import AVRational
from scenedetect import AdaptiveDetector, FrameTimecode

from evaluation.clips import Codes, scaled_rgb
from vidcolor.errors import ArgumentError

_LEAST_SIDE = 16
"""Pixels."""
_RATE_UNKNOWN = Fraction(25)
_LONGEST_STEP = 1
"""Seconds. Time stamps that jump further, or back, are taken for damage."""
_SAME = 1.0
"""Mean difference of two frames in codes, below which the second repeats the first."""
_LONGEST_MOMENT = 8
"""Frames; what is held must not grow with a video that stands still."""
_DETECTOR_SIDE = 256
"""Long side of what the detector sees at most, in pixels."""


class UnreadableError(ValueError):
    """The video cannot be decoded to its end, or holds what nobody can train on."""


@dataclass(frozen=True)
class Size:
    """What frames are scaled to: width and height, or the short side, or nothing (kept)."""

    width: int | None = None
    height: int | None = None
    short_side: int | None = None

    @classmethod
    def parse(cls, text: str) -> Size:
        """'256x256', '256' (the short side) or 'keep'; ArgumentError for anything else."""
        if text == "keep":
            return cls()
        sides = [int(side) if side.isdecimal() else 0 for side in text.split("x")]
        if len(sides) > 2 or min(sides) < _LEAST_SIDE:
            raise ArgumentError(
                f"size is {text!r}; WIDTHxHEIGHT, the short side alone (both from {_LEAST_SIDE} "
                "pixels up) or 'keep' are accepted"
            )
        return cls(*sides) if len(sides) == 2 else cls(short_side=sides[0])

    def of(self, width: int, height: int) -> tuple[int, int]:
        """Return the width and height that a frame of this width and height is scaled to."""
        if self.width and self.height:
            return self.width, self.height
        scale = Fraction(self.short_side or min(width, height), min(width, height))
        return round(width * scale), round(height * scale)


@dataclass(frozen=True, eq=False)
class ShotFrame:
    """One frame of a shot."""

    rgb: Codes
    """[h, w, 3]."""
    seconds: Fraction
    """When it shows, from the video's first frame."""
    begins: bool = False
    """Whether it is the first of its shot."""


def read_shots(
    path: Path, *, size: Size, rate: Fraction | None
) -> tuple[Fraction, Iterator[ShotFrame]]:
    """Read a video as frames that are cut into shots.

    Args:
        path: The video.
        size: What frames are scaled to.
        rate: Frames a second: frames are repeated or left out within a shot, so that it passes as
            fast as in the video. None keeps all frames, at their mean rate.

    Returns:
        Frames a second, and the frames.

    Raises:
        UnreadableError: The video cannot be decoded; also while the frames are drawn.
    """
    try:
        container = av.open(path)
    except (av.FFmpegError, OSError, ValueError) as error:
        raise _damaged(error) from error
    if not container.streams.video:
        container.close()
        raise UnreadableError("it holds no video")
    stream = container.streams.video[0]
    mean = _fraction(stream.average_rate or stream.guessed_rate or _RATE_UNKNOWN)
    frames = cut(_decode(container, size=size, rate=mean))
    return rate or mean, paced(frames, rate=rate, last=1 / mean) if rate else frames


def cut(frames: Iterable[ShotFrame]) -> Iterator[ShotFrame]:
    """The same frames, the first of each shot marked by PySceneDetect's adaptive detector.

    The detector compares a frame with the ones around it and is blind at both ends, where short
    pieces of footage often have a frame or two of another shot. So it is given the first and the
    last frame several times.
    """
    detector = AdaptiveDetector(min_scene_len=1)
    ahead = detector.window_width
    waiting: deque[list[ShotFrame]] = deque(maxlen=ahead + 1)
    for n, moment in enumerate(_longer(_moments(frames), by=ahead)):
        waiting.append(moment)
        time = FrameTimecode(n, fps=float(_RATE_UNKNOWN))
        begins = bool(detector.process_frame(time, _for_detector(moment[0].rgb)))
        if n >= 2 * ahead:
            first, *others = waiting[0]
            yield replace(first, begins=begins or n == 2 * ahead)
            yield from others


def paced(frames: Iterable[ShotFrame], *, rate: Fraction, last: Fraction) -> Iterator[ShotFrame]:
    """Bring the frames of each shot to a steady rate.

    Args:
        frames: With their times.
        rate: Frames a second.
        last: Seconds for which the very last frame shows.

    Yields:
        The frames that show in the middle of each interval.
    """
    start, given = Fraction(0), 0
    for picture, end in _with_ends(frames, last=last):
        if picture.begins:
            start, given = picture.seconds, 0
        due = math.floor((end - start) * rate + Fraction(1, 2))
        while given < due:
            yield replace(picture, seconds=start + given / rate, begins=given == 0)
            given += 1


def _decode(
    container: av.container.InputContainer, *, size: Size, rate: Fraction
) -> Iterator[ShotFrame]:
    """Every frame, upright and of square samples."""
    now, before, shape = Fraction(0), None, None
    with container:
        try:
            for index, frame in enumerate(container.decode(video=0)):
                shape = shape or (frame.width, frame.height)
                if frame.interlaced_frame:
                    raise UnreadableError("it is interlaced: deinterlace it first")
                if (frame.width, frame.height) != shape:
                    raise UnreadableError("its frames are not all of one size")
                told = None if frame.pts is None else frame.pts * _fraction(frame.time_base)
                step = -1 if told is None or before is None else told - before
                if index:
                    now += step if 0 <= step <= _LONGEST_STEP else 1 / rate
                before = told
                yield ShotFrame(_upright(frame, size, _sample_aspect(container)), now)
        except (av.FFmpegError, OSError) as error:
            raise _damaged(error) from error
    if shape is None:
        raise UnreadableError("it holds no frames")


def _upright(frame: av.VideoFrame, size: Size, sample_aspect: Fraction) -> Codes:
    """The frame as players show it, at its size."""
    quarters = round(frame.rotation / 90) % 4
    shown = max(1, round(frame.width * sample_aspect)), frame.height
    if quarters % 2:
        height, width = size.of(*reversed(shown))
    else:
        width, height = size.of(*shown)
    rgb = scaled_rgb(frame, width=width, height=height)
    return np.ascontiguousarray(np.rot90(rgb, quarters))


def _sample_aspect(container: av.container.InputContainer) -> Fraction:
    ratio = container.streams.video[0].sample_aspect_ratio
    return _fraction(ratio) if ratio and ratio.denominator else Fraction(1)


def _moments(frames: Iterable[ShotFrame]) -> Iterator[list[ShotFrame]]:
    """Frames together that are the same to the eye, as in a video that was made at a lower rate.

    Among repeated frames every step of the true ones would look like a cut.
    """
    moment: list[ShotFrame] = []
    first: Codes | None = None
    for picture in frames:
        image = _for_detector(picture.rgb)
        same = first is not None and float(cv2.absdiff(image, first).mean()) < _SAME
        if not same or len(moment) == _LONGEST_MOMENT:
            if moment:
                yield moment
            moment, first = [], image
        moment.append(picture)
    yield moment


def _longer(moments: Iterable[list[ShotFrame]], *, by: int) -> Iterator[list[ShotFrame]]:
    """The first and the last one `by` more times."""
    each = iter(moments)
    moment = next(each)
    yield from repeat(moment, by + 1)
    for moment in each:
        yield moment
    yield from repeat(moment, by)


def _with_ends(
    frames: Iterable[ShotFrame], *, last: Fraction
) -> Iterator[tuple[ShotFrame, Fraction]]:
    """Each frame with the second at which the next one shows."""
    before = None
    for picture in frames:
        if before is not None:
            yield before, picture.seconds
        before = picture
    if before is not None:
        yield before, before.seconds + last


def _for_detector(rgb: Codes) -> Codes:
    scale = _DETECTOR_SIDE / max(rgb.shape[:2])
    if scale < 1:
        smaller = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        rgb = np.asarray(smaller, np.uint8)
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), np.uint8)


def _fraction(ratio: AVRational | Fraction) -> Fraction:
    return Fraction(ratio.numerator, ratio.denominator)


def _damaged(error: Exception) -> UnreadableError:
    # Without the path, which `str(error)` has, so that a manifest is the same on every machine.
    return UnreadableError(f"it cannot be decoded ({getattr(error, 'strerror', None) or error})")
