"""Flicker of exposure, as old film has it, evened out before a model sees the luma.

Frames of old film are brighter and darker by turns. A model that compares a frame's luma with that
of the frame before and of the key takes this for a change of what is seen, and trusts neither. So
it is shown luma as bright as the key's, as long as the film flickers; what comes out keeps the luma
of the film. (training/EXPERIMENTS.md, 22)

Light that changes for good, as a lens that is stopped down, goes one way for many frames. Flicker
turns back at once: that is what tells the two apart, and steady film is left as it is.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from vidcolor.motion.optical_flow import Luma8
from vidcolor.planes import Plane

PLACE = 16
"""Pixels of a place's side. Frames are compared place by place: at that size, motion from one frame
to the next hardly shows, and darkens as many places as it brightens."""
DARK, BRIGHT = 0.06, 0.96
"""Luma of places that tell of exposure; others may be clipped."""
LEAST_PLACES = 16
LEAST_TURN, WHOLE_TURN = 0.02, 0.035
"""How far the logarithm of luma must turn from one change to the next, halved: at the first of them
and below nothing is evened out, at the second and above all is."""
TURN_KEPT = 0.95
"""What is left of a turn from one frame to the next."""
LEVEL_KEPT = 0.98
"""What is left, from one frame to the next, of the difference to the frame that a pass began with:
light that changes for good is given in to within some fifty frames, as errors that add up are."""
MOST = 0.7
"""The greatest logarithm of a gain, either way: a factor of two."""
LEAST_DIFFERENCE = 0.02
"""The least difference of logarithms of luma for which motion is looked for between frames that are
equally bright."""
LEAST = 0.004
"""Gains whose logarithm is nearer to zero are none: that is one code value of 8 bits at most."""


class Exposure(NamedTuple):
    """What is known of a pass's exposure after a frame."""

    brighter: float = 0.0
    """By how much the frame is brighter than the one that the pass began with, as far as that is
    kept: a difference of logarithms of luma."""
    change: float = 0.0
    """The same, but than the frame before."""
    flicker: float = 0.0
    """How far changes have lately turned: half the difference of two that follow each other."""

    def after(self, change: float) -> Exposure:
        """The exposure after the next frame.

        Args:
            change: What `brightening` says of it.
        """
        turned = abs(change - self.change) / 2
        brighter = min(MOST, max(-MOST, LEVEL_KEPT * self.brighter + change))
        return Exposure(brighter, change, max(TURN_KEPT * self.flicker, turned))

    @property
    def gain(self) -> float:
        """What luma is multiplied by to be as bright as at the beginning; 1 without flicker."""
        share = (self.flicker - LEAST_TURN) / (WHOLE_TURN - LEAST_TURN)
        log = -self.brighter * min(1.0, max(0.0, share))
        return float(np.exp(log)) if abs(log) >= LEAST else 1.0


STEADY = Exposure()
"""Of a pass that begins."""


class Difference(NamedTuple):
    """How the luma of two frames differs from place to place, in logarithms."""

    median: float = 0.0
    spread: float = 0.0
    """The median distance of places from the median: hardly any if it is exposure that differs."""


def compare(before: Luma8 | None, here: Luma8 | None) -> Difference:
    """By how much a frame is brighter than the one before, and whether everywhere alike.

    Args:
        before: Luma codes [h, w] of the frame before; None if there is none.
        here: Luma codes [h, w] of the frame; None for models that are not given any.

    Returns:
        Zeros where too few places are neither black nor white, where a frame is missing, and where
        the two are of different sizes, which is told elsewhere.
    """
    if before is None or here is None or before.shape != here.shape:
        return Difference()
    one, two = _places(before), _places(here)
    usable = (np.minimum(one, two) > DARK) & (np.maximum(one, two) < BRIGHT)
    if np.count_nonzero(usable) < LEAST_PLACES:
        return Difference()
    differences = np.log(two[usable] / one[usable])
    median = np.median(differences)
    return Difference(float(median), float(np.median(np.abs(differences - median))))


def brightening(before: Luma8 | None, here: Luma8 | None) -> float:
    """By how much a frame is brighter than the one before, as a whole: `compare`'s median."""
    return compare(before, here).median


def as_bright(here: Luma8, other: Luma8) -> Luma8:
    """Luma codes [h, w] as bright, as a whole, as others that show much the same.

    Args:
        here: Luma codes [h, w].
        other: Luma codes [h, w].

    Returns:
        `here` itself where that makes less than `LEAST_DIFFERENCE`: motion is as well found then.
    """
    difference = brightening(other, here)
    if abs(difference) < LEAST_DIFFERENCE:
        return here
    return exposed_codes(here, float(np.exp(-difference)))


def exposed(luma: Plane, gain: float) -> Plane:
    """Luma in [0, 1] of any shape, multiplied by a gain."""
    if gain == 1:
        return luma
    return np.asarray(np.clip(luma * np.float32(gain), 0, 1), np.float32)


def exposed_codes(luma: Luma8, gain: float) -> Luma8:
    """Luma codes, multiplied by a gain."""
    if gain == 1:
        return luma
    return np.asarray(np.rint(np.clip(luma * np.float32(gain), 0, 255)), np.uint8)


def _places(luma: Luma8) -> NDArray[np.float32]:
    """The mean luma, in [0, 1], of each whole place: fractions of pixels take ten times as long."""
    rows, columns = (max(1, side // PLACE) for side in luma.shape)
    whole = luma[: rows * PLACE, : columns * PLACE]
    codes = cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA)
    return np.asarray(codes, np.float32) / np.float32(255)
