"""Where another key would help a film that is coloured already, from its account alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidcolor.account import Account
from vidcolor.advice import WORTH, Confidences, middle, stretches


@dataclass(frozen=True)
class Suggestion:
    """A frame of the film to paint."""

    frame: int
    serves: range
    """The frames around it that lack confidence."""
    before: float
    """Mean confidence of these."""
    after: float
    """With it, as expected."""
    gain: float
    """Frames times the confidence that each gains."""


def suggest(account: Account, *, goal: float, most: int = 12) -> list[Suggestion]:
    """The keys that would help most, at most `most`, the most helpful first.

    goal: confidence that every frame should have. A key goes into the middle of each stretch that
    lacks some, if that is worth the paint. From it confidence is expected to fade as it does from
    the film's keys, in the mean.
    """
    hold = _hold(account)
    found = []
    for span in account.spans:
        now = _confidence(account, span)
        lacking = np.maximum(0, goal - now)
        for stretch in stretches(lacking):
            key = middle(lacking, stretch)
            after = np.maximum(now, hold[np.abs(np.arange(len(span)) - key)])
            gain = float((after - now).sum())
            if gain >= WORTH:
                part = slice(stretch.start, stretch.stop)
                found.append(
                    Suggestion(
                        frame=span[key],
                        serves=span[part],
                        before=float(now[part].mean()),
                        after=float(after[part].mean()),
                        gain=gain,
                    )
                )
    return sorted(found, key=lambda suggestion: -suggestion.gain)[:most]


def _hold(account: Account) -> NDArray[np.float64]:
    """Mean confidence by the number of frames to the nearest key of the shot, from 0.

    Never rising, for as many frames as there are in the longest shot: where the film tells nothing
    it goes on as it is.
    """
    longest = max(len(span) for span in account.spans)
    total, count = np.zeros(longest), np.zeros(longest)
    for span in account.spans:
        keys = np.array([frame for frame in account.keys if frame in span])
        if len(keys):
            far = np.abs(np.array(span)[:, None] - keys).min(axis=1)
            np.add.at(total, far, _confidence(account, span))
            np.add.at(count, far, 1)
    means = np.where(count > 0, total / np.maximum(count, 1), 1)
    means[0] = 1
    return np.minimum.accumulate(means)


def _confidence(account: Account, span: range) -> Confidences:
    start = span.start - account.first
    return np.array(account.confidence[start : start + len(span)])
