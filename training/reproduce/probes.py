"""Questions to a model, put through the shipped runtime: does it transfer, copy, track, fetch?

The reports answer them by looking at pictures; here each answer is a number. Lab, and which pixels
are right, are the evaluation's (`evaluation.scores`, `evaluation.metrics`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.clips import Clip
from evaluation.metrics import Lab, lab_l1, right_pixels
from evaluation.predictors import Prediction, key_frame, remember
from evaluation.scores import frame_lab, frame_rgb, prediction_rgb
from vidcolor.planes import Key, Plane
from vidcolor.propagate import Propagator, State

RECOVERY = 5
"""Frames that a model is given to fetch what the frame before them has lost."""


@dataclass(frozen=True)
class Transfer:
    """One step after a true frame, as the reports' Table 1 has it."""

    accuracy: float
    """Share of right pixels."""
    l1: float
    """Mean absolute error in Lab."""


@dataclass(frozen=True)
class Tracking:
    """One step after a true frame, of those pixels alone that have another colour than there."""

    accuracy: float
    """Share that is right: a model that copies what was at the same place has 0."""
    copied: float
    """Share that has the colour which was at the same place."""
    saturation: float
    """Mean chroma as painted over the true mean chroma, of those that are not gray in truth."""


@dataclass(frozen=True)
class Fetching:
    """What comes back of colours that the frame before has lost: it is given in gray.

    Shares of right pixels after `RECOVERY` frames, among those that are wrong in gray.
    """

    with_key: float
    """The key given in its colours."""
    without_key: float
    """The key given in gray too: what the model guesses."""

    @property
    def gain(self) -> float:
        """What the key brought."""
        return self.with_key - self.without_key


@dataclass(frozen=True)
class Probe:
    """A model that is asked, and the frames it is asked about."""

    propagator: Propagator
    clips: Sequence[Clip]
    """Frame 0 is the key."""
    frames: int
    """Frames that are asked about in each clip, evenly spread."""

    def transfer(self, distance: int) -> Transfer:
        """Frames from the true ones `distance` before."""
        found = [
            (float(right_pixels(ours, truth).mean()), lab_l1(ours, truth))
            for clip, t in self._asked(distance)
            for ours, truth in [(_lab(clip, t, self._step(clip, t, distance)), _true(clip, t))]
        ]
        accuracy, l1 = np.mean(found, axis=0)
        return Transfer(float(accuracy), float(l1))

    def tracking(self, distance: int) -> Tracking:
        """The same, of the pixels whose colour changed within `distance` frames."""
        counts = np.zeros(3)
        chroma = np.zeros(2)
        for clip, t in self._asked(distance):
            predicted = self._step(clip, t, distance)
            before, there = clip.chroma_plane(t - distance), clip.chroma_plane(t)
            ours, copy, truth, gray = (
                _lab(clip, t, c) for c in (predicted, before, there, np.zeros_like(there))
            )
            changed = ~right_pixels(copy, truth)
            colored = changed & ~right_pixels(gray, truth)
            counts += [
                changed.sum(),
                (right_pixels(ours, truth) & changed).sum(),
                (right_pixels(ours, copy) & changed).sum(),
            ]
            chroma += [np.hypot(*lab[1:])[colored].sum() for lab in (ours, truth)]
        return Tracking(
            accuracy=_share(counts[1], counts[0]),
            copied=_share(counts[2], counts[0]),
            saturation=_share(chroma[0], chroma[1]),
        )

    def fetching(self) -> Fetching:
        """Measure how many lost colours come back; see `Fetching`."""
        return Fetching(self._recovered(lambda key: key), self._recovered(_in_gray))

    def _recovered(self, given: Callable[[Key], Key]) -> float:
        right = colored = 0
        for clip, t in self._asked(RECOVERY):
            memory = self.propagator.init_state(given(key_frame(clip, 0)))
            state = self.propagator.init_state(_in_gray(key_frame(clip, t - RECOVERY)))
            state = remember(state, of=memory)
            for n in range(t - RECOVERY + 1, t + 1):
                chroma, _, state = self.propagator.step(clip.luma_plane(n), state)
            truth = _true(clip, t)
            lost = ~right_pixels(_lab(clip, t, np.zeros_like(chroma)), truth)
            right += int((right_pixels(_lab(clip, t, chroma), truth) & lost).sum())
            colored += int(lost.sum())
        return _share(right, colored)

    def _step(self, clip: Clip, t: int, distance: int) -> Plane:
        """Frame t's chroma, from the true frame `distance` before it."""
        first = self.propagator.init_state(key_frame(clip, 0))
        state: State = remember(self.propagator.init_state(key_frame(clip, t - distance)), of=first)
        return self.propagator.step(clip.luma_plane(t), state).chroma

    def _asked(self, distance: int) -> Iterator[tuple[Clip, int]]:
        for clip in self.clips:
            last = len(clip) - 1
            if last >= distance:
                spread = np.linspace(distance, last, self.frames).round().astype(int)
                yield from ((clip, int(t)) for t in np.unique(spread))


def _lab(clip: Clip, t: int, chroma: Plane) -> Lab:
    """Frame t with this chroma [2, h, w] in ±0.5."""
    return frame_lab(prediction_rgb(clip.luma[t], Prediction(chroma, None, 0.0)))


def _true(clip: Clip, t: int) -> Lab:
    return frame_lab(frame_rgb(clip.luma[t], clip.chroma[t]))


def _in_gray(key: Key) -> Key:
    return Key(luma=key.luma, chroma=np.zeros_like(key.chroma))


def _share(part: float, whole: float) -> float:
    """Of nothing, none."""
    return float(part / whole) if whole else 0.0
