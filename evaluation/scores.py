"""A painted clip held against the true one: figures for each frame."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields

import cv2
import numpy as np
from skimage.color import rgb2lab

from evaluation.clips import CODING, Clip, Codes
from evaluation.methods import Painted
from evaluation.metrics import (
    Lab,
    ciede2000,
    colour_distribution_consistency,
    histogram,
    lab_l1,
    psnr,
    restlessness,
    right_pixels,
    ssim,
)
from vidcolor.color import decode_chroma, encode_chroma
from vidcolor.motion.optical_flow import flow
from vidcolor.planes import Plane

SSIM_EVERY = 5
"""SSIM takes four times as long as all else together, so it is measured on frames 3, 8, 13, ...:
in the middle of each five, since early frames are better than late ones."""
LAB_GRID = 2
"""Lab, and what is measured in it, is taken from every second pixel of every second row, where
4:2:0 footage has its chroma samples."""


@dataclass(frozen=True)
class Scores:
    """One method on one clip; the lists have an entry for each of frames 1, 2, ... T-1."""

    psnr: list[float] = field(default_factory=list)
    """RGB, in dB."""
    accuracy: list[float] = field(default_factory=list)
    """Share of right pixels, as the reports count them."""
    ciede2000: list[float] = field(default_factory=list)
    lab_l1: list[float] = field(default_factory=list)
    ssim: list[float] = field(default_factory=list)
    """Of every `SSIM_EVERY`-th frame."""
    confidence: list[float] = field(default_factory=list)
    """The model's own, mean over the frame; empty for methods that have none."""
    flicker: list[float] = field(default_factory=list)
    """By how many 8-bit codes more than the truth's chroma changes along the motion from the frame
    before; of frames 2, 3, ... since the one before must be painted too."""
    cdc: float = 0.0
    seconds: float = 0.0
    """Spent painting."""


def frame_rgb(luma: Codes, chroma: Codes) -> Codes:
    """8-bit RGB [h, w, 3] of a clip's codes: luma [h, w] and chroma [2, h, w]."""
    return cv2.cvtColor(np.dstack((luma, chroma[1], chroma[0])), cv2.COLOR_YCrCb2RGB)


def painted_rgb(luma: Codes, painted: Painted) -> Codes:
    """The same of a painted frame, its chroma rounded to the codes that a video would hold."""
    return frame_rgb(luma, np.stack(encode_chroma(painted.chroma, CODING)))


_LISTS = tuple(f.name for f in fields(Scores) if f.name not in ("cdc", "seconds"))


class Ruler:
    """The true frames of a clip, made ready to measure painted ones against."""

    def __init__(self, clip: Clip) -> None:
        self._clip = clip
        self._truth = [frame_rgb(*planes) for planes in zip(clip.luma, clip.chroma, strict=True)]
        self._lab = [frame_lab(frame) for frame in self._truth]
        self._first = histogram(self._truth[0])
        middle = min((SSIM_EVERY + 1) // 2, len(clip) - 1)
        self._ssim_frames = range(middle, len(clip), SSIM_EVERY)

    def true_cdc(self) -> float:
        """The colour distribution consistency of the true frames."""
        return colour_distribution_consistency([histogram(frame) for frame in self._truth])

    def measure(self, painting: Iterable[Painted]) -> Scores:
        """Measure frames 1, 2, ... T-1; ValueError when there are more or fewer."""
        figures: dict[str, list[float]] = {name: [] for name in _LISTS}
        histograms, seconds = [self._first], 0.0
        before: Plane | None = None
        for t, painted in zip(range(1, len(self._truth)), painting, strict=True):
            rgb = painted_rgb(self._clip.luma[t], painted)
            for name, value in self._frame(t, rgb).items():
                figures[name].append(value)
            if painted.confidence is not None:
                figures["confidence"].append(painted.confidence)
            if before is not None:
                figures["flicker"].append(self._flicker(t, before, painted.chroma))
            before = painted.chroma
            histograms.append(histogram(rgb))
            seconds += painted.seconds
        cdc = colour_distribution_consistency(histograms)
        return Scores(**figures, cdc=cdc, seconds=seconds)

    def _frame(self, t: int, rgb: Codes) -> dict[str, float]:
        truth, lab, true_lab = self._truth[t], frame_lab(rgb), self._lab[t]
        figures = {
            "psnr": psnr(rgb, truth),
            "accuracy": float(right_pixels(lab, true_lab).mean()),
            "ciede2000": ciede2000(lab, true_lab),
            "lab_l1": lab_l1(lab, true_lab),
        }
        if t in self._ssim_frames:
            figures["ssim"] = ssim(rgb, truth)
        return figures

    def _flicker(self, t: int, before: Plane, here: Plane) -> float:
        clip = self._clip
        motion = flow(clip.luma[t], clip.luma[t - 1])
        truth = (decode_chroma(*clip.chroma[n], CODING) for n in (t - 1, t))
        return restlessness(before, here, motion) - restlessness(*truth, motion)


def frame_lab(rgb: Codes) -> Lab:
    """Lab of 8-bit RGB [h, w, 3], on one pixel of `LAB_GRID` squared."""
    small = rgb[::LAB_GRID, ::LAB_GRID].astype(np.float32) / 255
    return np.ascontiguousarray(np.moveaxis(rgb2lab(small), -1, 0))
