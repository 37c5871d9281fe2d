"""A predicted clip compared with the true one: figures for each frame."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields

import cv2
import numpy as np
from skimage.color import rgb2lab

from evaluation.clips import CODING, Clip, Codes
from evaluation.metrics import (
    Lab,
    chroma_strength,
    ciede2000,
    color_distribution_consistency,
    histogram,
    lab_l1,
    psnr,
    right_pixels,
    ssim,
    warping_error,
)
from evaluation.predictors import Prediction
from vidcolor.color import encode_chroma
from vidcolor.interruption import check
from vidcolor.motion.optical_flow import flow
from vidcolor.planes import Plane

SSIM_EVERY = 5
"""SSIM takes four times as long as all else together, so it is measured on frames 3, 8, 13, ...:
in the middle of each five, since early frames are better than late ones."""
LAB_GRID = 2
"""Lab, and what is measured in it, is taken from every second pixel of every second row, where
4:2:0 footage has its chroma samples."""
FLOW_STRIDE = 4
"""Of the flow by which warping errors are measured: not that of the models, which may change."""


@dataclass(frozen=True)
class Scores:
    """One method on one clip; the lists have an entry for each of frames 1, 2, ... T-1."""

    psnr: list[float] = field(default_factory=list)
    """RGB, in dB."""
    accuracy: list[float] = field(default_factory=list)
    """Share of right pixels, as the reports count them."""
    ciede2000: list[float] = field(default_factory=list)
    """Colour difference, mean over the frame; about 1 can just be seen."""
    lab_l1: list[float] = field(default_factory=list)
    """Mean absolute error over pixels and L, a and b, in the units of Lab."""
    ssim: list[float] = field(default_factory=list)
    """Structural similarity of RGB, at most 1, of every `SSIM_EVERY`-th frame."""
    confidence: list[float] = field(default_factory=list)
    """The model's own, in [0, 1], mean over the frame; empty for methods that have none."""
    warping_error: list[float] = field(default_factory=list)
    """By how many 8-bit codes more than the true chroma the predicted one changes along the motion
    from the frame before; of frames 2, 3, ... since the one before must be predicted too."""
    chroma: list[float] = field(default_factory=list)
    """Strength of the predicted chroma: the mean length of (Cb, Cr), in 8-bit codes."""
    true_chroma: list[float] = field(default_factory=list)
    """Strength of the true chroma, in the same unit."""
    cdc: float = 0.0
    """Colour distribution consistency of the whole clip; smaller is steadier."""
    seconds: float = 0.0
    """Spent predicting."""


def frame_rgb(luma: Codes, chroma: Codes) -> Codes:
    """Return the 8-bit RGB [h, w, 3] of a clip's codes: luma [h, w] and chroma [2, h, w]."""
    planes = np.dstack((luma, chroma[1], chroma[0]))
    return np.asarray(cv2.cvtColor(planes, cv2.COLOR_YCrCb2RGB), np.uint8)


def prediction_rgb(luma: Codes, prediction: Prediction) -> Codes:
    """Return the 8-bit RGB [h, w, 3] of a predicted frame.

    Args:
        luma: The frame's true luma codes [h, w].
        prediction: Its chroma is rounded to the codes that a video would hold.
    """
    return frame_rgb(luma, np.stack(encode_chroma(prediction.chroma, CODING)))


_LISTS = tuple(f.name for f in fields(Scores) if f.name not in ("cdc", "seconds"))


class Scorer:
    """Scores predictions of one clip; the true frames are made ready once."""

    def __init__(self, clip: Clip) -> None:
        self._clip = clip
        self._target = [frame_rgb(*planes) for planes in zip(clip.luma, clip.chroma, strict=True)]
        self._lab = [frame_lab(frame) for frame in self._target]
        self._first = histogram(self._target[0])
        middle = min((SSIM_EVERY + 1) // 2, len(clip) - 1)
        self._ssim_frames = range(middle, len(clip), SSIM_EVERY)

    def true_cdc(self) -> float:
        """Return the colour distribution consistency of the true frames."""
        return color_distribution_consistency([histogram(frame) for frame in self._target])

    def score(self, predictions: Iterable[Prediction]) -> Scores:
        """Compare predictions with the true frames.

        Args:
            predictions: Of frames 1, 2, ... T-1, in order.

        Returns:
            A figure for each frame, and those of the clip.

        Raises:
            ValueError: There are more or fewer predictions.
            KeyboardInterrupt, Terminated: A signal ends the program, and this is another thread.
        """
        figures: dict[str, list[float]] = {name: [] for name in _LISTS}
        histograms, seconds = [self._first], 0.0
        previous: Plane | None = None
        for t, prediction in zip(range(1, len(self._target)), predictions, strict=True):
            check()
            rgb = prediction_rgb(self._clip.luma[t], prediction)
            for name, value in self._frame(t, rgb).items():
                figures[name].append(value)
            figures["chroma"].append(chroma_strength(prediction.chroma))
            figures["true_chroma"].append(chroma_strength(self._clip.chroma_plane(t)))
            if prediction.confidence is not None:
                figures["confidence"].append(prediction.confidence)
            if previous is not None:
                excess = self._warping_error(t, previous, prediction.chroma)
                figures["warping_error"].append(excess)
            previous = prediction.chroma
            histograms.append(histogram(rgb))
            seconds += prediction.seconds
        cdc = color_distribution_consistency(histograms)
        return Scores(**figures, cdc=cdc, seconds=seconds)

    def _frame(self, t: int, rgb: Codes) -> dict[str, float]:
        target, lab, true_lab = self._target[t], frame_lab(rgb), self._lab[t]
        figures = {
            "psnr": psnr(rgb, target),
            "accuracy": float(right_pixels(lab, true_lab).mean()),
            "ciede2000": ciede2000(lab, true_lab),
            "lab_l1": lab_l1(lab, true_lab),
        }
        if t in self._ssim_frames:
            figures["ssim"] = ssim(rgb, target)
        return figures

    def _warping_error(self, t: int, previous: Plane, here: Plane) -> float:
        motion = flow(self._clip.luma[t], self._clip.luma[t - 1], stride=FLOW_STRIDE)
        own = warping_error(self._clip.chroma_plane(t - 1), self._clip.chroma_plane(t), motion)
        return warping_error(previous, here, motion) - own


def frame_lab(rgb: Codes) -> Lab:
    """Return the Lab of 8-bit RGB [h, w, 3], on one pixel of `LAB_GRID` squared."""
    small = rgb[::LAB_GRID, ::LAB_GRID].astype(np.float32) / 255
    return np.ascontiguousarray(np.moveaxis(rgb2lab(small), -1, 0))
