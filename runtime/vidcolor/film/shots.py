"""Shot detection: the first frames of a film's shots, found by PySceneDetect from luma alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidcolor.color import Coding, decode_luma
from vidcolor.film.progress import Progress, no_progress
from vidcolor.media.info import Frame, Info
from vidcolor.media.pictures import Codes
from vidcolor.media.reader import Reader
from vidcolor.media.tags import coding_of
from vidcolor.motion.exposure import LEAST_TURN, STEADY, compare, exposed_codes
from vidcolor.motion.optical_flow import to_uint8
from vidcolor.optional import require
from vidcolor.working_size import area_means

THRESHOLD = 3.0
"""How many times the change of the frames around it a frame must change by, to begin a shot. The
library's default was the best of ten settings on 288 cuts between clips of footage: 7 missed, 6
false, all of these in one clip from a hand-held camera."""

SHORTEST = 8
"""Frames of the shortest shot; what changes back sooner is a flash."""

NEW_PICTURE = 0.2
"""The spread of how places differ from the frame before, in logarithms of luma, above which it is
not exposure that differs. Within shots, flicker or not, it was at most 0.199 on 123 of them, and
at nine of ten cuts between them it was more."""

START, CUT, FADE = "start", "cut", "fade"
"""How a shot may begin: as the film does, by a cut, or out of black."""

_BLACK = 12
"""Of 255: mean luma below which a picture is faded out; the library's default."""
_SIDE = 128
"""Pixels of the short side that cuts are looked for on."""

Small = NDArray[np.uint8]
"""Luma [h, w] of a frame, full range, of `_SIDE` pixels or less on the short side."""


@dataclass(frozen=True)
class Cut:
    """Where a shot begins."""

    frame: int
    seconds: float = 0.0
    """When it shows, from the film's first frame."""
    kind: str = START
    """`START`, `CUT` or `FADE`."""
    score: float | None = None
    """Of a `CUT`: its change, in those of the frames around it; at least the threshold."""


class ShotFinder:
    """Looks at the frames of a film, one after the other, and tells where its shots begin.

    Cuts are found, and fades through black: the shot behind one begins in the middle of the black.
    Flicker is no cut: for cuts, exposure is evened out as long as the film flickers.
    The result depends on the film's luma alone, also where the film is in colour.

    Args:
        info: The film's.
        threshold: As `THRESHOLD`.
        shortest: As `SHORTEST`.

    Raises:
        MissingLibraryError: PySceneDetect is not installed.
    """

    def __init__(
        self, info: Info, *, threshold: float = THRESHOLD, shortest: int = SHORTEST
    ) -> None:
        self._library = _scenedetect()
        self._shortest = shortest
        self._changes = self._library.AdaptiveDetector(
            luma_only=True, adaptive_threshold=threshold, min_scene_len=shortest
        )
        self._scores = self._changes.stats_manager = _Scores(self._changes.get_metrics()[-1])
        self._fades = self._library.ThresholdDetector(threshold=_BLACK, min_scene_len=shortest)
        self._rate = float(info.rate)
        self._frames = 0
        self._before: Small | None = None
        self._exposure = STEADY
        self._cuts: list[Cut] = []
        self._black: list[range] = []
        """Frames that are faded out, behind which a picture fades in; off by one at the start."""

    def add(self, small: Small) -> None:
        """Look at the next frame, as `small_luma` has it."""
        difference = compare(self._before, small)
        flickers = self._exposure.flicker > LEAST_TURN and difference.spread <= NEW_PICTURE
        self._exposure = self._exposure.after(difference.median)
        if not flickers:  # what is bright now is what later frames are compared with
            self._exposure = self._exposure._replace(brighter=0.0)
        self._before = small
        even = exposed_codes(small, self._exposure.gain)
        time = self._library.FrameTimecode(self._frames, self._rate)
        for found in self._changes.process_frame(time, _in_color(even)):
            self._cuts.append(Cut(found.frame_num, kind=CUT, score=self._scores.last))
        # The middle of what has been black, as the film has it:
        for found in self._fades.process_frame(time, _in_color(small)):
            self._black.append(range(2 * found.frame_num - self._frames, self._frames))
        self._frames += 1

    @property
    def cuts(self) -> list[Cut]:
        """Where shots begin, as far as was looked at, in order; without times."""
        fades = (
            Cut(black[len(black) // 2], kind=FADE)
            for black in self._black
            if black.start > 1 and not any(self._is_beside(cut, black) for cut in self._cuts)
        )
        return [Cut(0), *sorted((*self._cuts, *fades), key=lambda cut: cut.frame)]

    @property
    def shots(self) -> list[int]:
        """First frames of the shots found so far, in order."""
        return [cut.frame for cut in self.cuts]

    def _is_beside(self, cut: Cut, black: range) -> bool:
        """Whether a cut into the black, or out of it, begins the shot already."""
        return black.start - self._shortest < cut.frame < black.stop + self._shortest


def _in_color(small: Small) -> Small:
    """The picture [h, w, 3] that the library takes."""
    return np.asarray(cv2.merge([small] * 3), np.uint8)


class _Scores:
    """Stands for PySceneDetect's statistics, and keeps the last score alone."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.last: float | None = None

    def set_metrics(self, _time: object, metrics: Mapping[str, float]) -> None:
        """Take note of a frame's."""
        if self._name in metrics:
            self.last = float(metrics[self._name])

    def metrics_exist(self, _time: object, _names: object) -> bool:
        """Whether a frame's are known."""
        return False


def find_cuts(
    path: Path,
    *,
    threshold: float = THRESHOLD,
    shortest: int = SHORTEST,
    progressive: bool = False,
    progress: Progress = no_progress,
) -> tuple[list[Cut], int]:
    """Find where a film's shots begin.

    Args:
        path: The film.
        threshold: As `THRESHOLD`; less finds more cuts.
        shortest: As `SHORTEST`.
        progressive: As in `Reader`.
        progress: Told of every frame.

    Returns:
        One for each shot, in order; the first is at frame 0. And how many frames the film has.
        Frames are those of `vidcolor.media.reader.Reader`.

    Raises:
        MissingLibraryError: PySceneDetect is not installed.
        MediaError: As `Reader` does.
    """
    times: list[int] = []
    with Reader(path, progressive=progressive) as reader:
        info, coding = reader.info, coding_of(reader.info)
        finder = ShotFinder(info, threshold=threshold, shortest=shortest)
        for frame in (item for item in reader if isinstance(item, Frame)):
            finder.add(small_luma(frame.planes[0], coding))
            times.append(frame.pts)
            progress("finding shots", len(times), info.frame_count)
    found = [
        Cut(cut.frame, float((times[cut.frame] - times[0]) * info.time_base), cut.kind, cut.score)
        for cut in finder.cuts
    ]
    return found, len(times)


def find_shots(
    path: Path, *, progressive: bool = False, progress: Progress = no_progress
) -> list[int]:
    """The first frames of a film's shots; arguments and errors as in `find_cuts`."""
    cuts, _ = find_cuts(path, progressive=progressive, progress=progress)
    return [cut.frame for cut in cuts]


def _scenedetect() -> Any:
    return require("scenedetect", library="PySceneDetect", extra="film", purpose="finding shots")


def small_luma(codes: Codes, coding: Coding) -> Small:
    """Luma codes [h, w] as 8-bit luma whose short side is `_SIDE`, or less if it was less."""
    height, width = codes.shape
    scale = min(1.0, _SIDE / min(height, width))
    small = area_means(codes, max(1, round(height * scale)), max(1, round(width * scale)))
    return to_uint8(decode_luma(small, coding))


def detail_of(small: Small) -> float:
    """How much there is to see in a frame: little where it is blurred, or fades."""
    return float(np.abs(cv2.Laplacian(small, cv2.CV_32F)).mean())
