"""Where another key would help a film that is coloured already, from its account alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidcolor.advise.worth import WORTH, Confidences, middle, stretches
from vidcolor.film.report import Account


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
    the shot's own keys, or if it has none as it does from all of the film's, in the mean.
    """
    spans = account.spans
    found = []
    for span in spans:
        keyed = any(frame in span for frame in account.keys)
        hold = _hold(account, [span] if keyed else spans, len(span))
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


def _hold(account: Account, spans: Sequence[range], length: int) -> NDArray[np.float64]:
    """Mean confidence in `spans` by the number of frames to their nearest key, from 0: [length].

    Never rising; where nothing is known of frames so far off, it stays as it is.
    """
    total, count = np.zeros((2, max(map(len, account.spans))))
    for span in spans:
        keys = np.array([frame for frame in account.keys if frame in span])
        if len(keys):
            far = np.abs(np.array(span)[:, None] - keys).min(axis=1)
            np.add.at(total, far, _confidence(account, span))
            np.add.at(count, far, 1)
    means = np.where(count > 0, total / np.maximum(count, 1), 1)
    means[0] = 1
    return np.asarray(np.minimum.accumulate(means)[:length])


def _confidence(account: Account, span: range) -> Confidences:
    start = span.start - account.first
    return np.array(account.confidence[start : start + len(span)])
