"""Where another key would help a coloured film, from its report alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidcolor.advise.worth import WORTH, Confidences, middle, runs_above_zero
from vidcolor.film.report import Report

MOST = 12
"""Most suggestions for one film."""


@dataclass(frozen=True)
class Suggestion:
    """A frame of the film that is worth painting."""

    frame: int
    """Its number in the film, from 0."""
    serves: range
    """The frames around it that lack confidence."""
    before: float
    """Their mean confidence now."""
    after: float
    """Their mean confidence with the key, as expected."""
    gain: float
    """Sum over the shot's frames of the confidence that each gains."""


def suggest(report: Report, *, goal: float) -> list[Suggestion]:
    """Suggest the keys that would help most.

    A key goes into the middle of each run of frames below the goal, if it gains enough. Confidence
    is expected to fade from it as it fades from the shot's own keys in the mean, or in a shot
    without keys as it fades from all keys of the film.

    Args:
        report: The film's report.
        goal: Confidence that every frame should have, in (0, 1].

    Returns:
        At most `MOST` suggestions, the most helpful first.
    """
    spans = report.spans
    found = []
    for span in spans:
        has_key = any(frame in span for frame in report.keys)
        hold = _hold(report, [span] if has_key else spans, len(span))
        now = _confidence(report, span)
        lacking = np.maximum(0, goal - now)
        for run in runs_above_zero(lacking):
            key = middle(lacking, run)
            after = np.maximum(now, hold[np.abs(np.arange(len(span)) - key)])
            gain = float((after - now).sum())
            if gain >= WORTH:
                part = slice(run.start, run.stop)
                found.append(
                    Suggestion(
                        frame=span[key],
                        serves=span[part],
                        before=float(now[part].mean()),
                        after=float(after[part].mean()),
                        gain=gain,
                    )
                )
    return sorted(found, key=lambda suggestion: -suggestion.gain)[:MOST]


def _hold(report: Report, spans: Sequence[range], length: int) -> NDArray[np.float64]:
    """Mean confidence in `spans` by the distance to the nearest key, from 0 frames: [length].

    It never rises. Beyond the largest known distance it stays the same.
    """
    total, count = np.zeros((2, max(map(len, report.spans))))
    for span in spans:
        keys = np.array([frame for frame in report.keys if frame in span])
        if len(keys):
            far = np.abs(np.array(span)[:, None] - keys).min(axis=1)
            np.add.at(total, far, _confidence(report, span))
            np.add.at(count, far, 1)
    means = np.where(count > 0, total / np.maximum(count, 1), 1)
    means[0] = 1
    return np.asarray(np.minimum.accumulate(means)[:length])


def _confidence(report: Report, span: range) -> Confidences:
    start = span.start - report.first
    return np.array(report.confidence[start : start + len(span)])
