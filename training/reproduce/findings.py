"""What the reports found, put to our models: found again or not, with the numbers that say so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from training.reproduce.options import REPORTS
from training.reproduce.probes import Fetching, Tracking, Transfer

RIGHT = 0.6
"""Transfer looks right from this accuracy on: the least in the reports' Table 1 is 63 %."""
COLLAPSED = 0.25
"""Propagation has collapsed when less than this share is left of what transfer gets right beyond
what is right in gray."""
LEAST_GAIN = 0.05
"""By so much transfer must be more accurate than gray, for anything to be left of that."""
LAST = 10
"""Frames at the end of the propagation curve that say what is left."""
LAW = 0.1
"""A measured curve follows (1 - eta)^t when it is this close to it in the mean."""
FETCHED = 0.05
"""A model fetches from the key when so many more of the lost colours come back right with it."""


@dataclass(frozen=True)
class Measured:
    """All numbers that the findings are drawn from, of one system."""

    dt: int
    """Frames between c_{t-dt} and c_t in its training."""
    train: Transfer
    """At its own dt, on clips it was trained on."""
    test: Transfer
    """At its own dt, on held-out clips."""
    step: float
    """Accuracy of transfer from frame to frame on held-out clips: 1 - eta."""
    curve: Sequence[float]
    """Accuracy of propagation at frames 1, 2, ... after the key, there."""
    gray: Sequence[float]
    """The same of frames left gray."""
    tracking: Tracking
    fetching: Fetching

    @property
    def left(self) -> float:
        """At the curve's end, of what transfer gets right beyond gray: 0 is no better than gray.

        Also 0 where transfer itself is hardly better, so that there is nothing to lose.
        """
        gray = float(np.mean(self.gray[-LAST:]))
        beyond = float(np.mean(self.curve[-LAST:])) - gray
        gained = self.step - gray
        return max(0.0, beyond / gained) if gained >= LEAST_GAIN else 0.0

    @property
    def off_law(self) -> float:
        """Mean distance of the curve from (1 - eta)^t."""
        law = self.step ** np.arange(1, len(self.curve) + 1)
        return float(np.abs(np.asarray(self.curve) - law).mean())


@dataclass(frozen=True)
class Finding:
    """One of the reports' findings, or what they expected of work they left open."""

    claim: str
    found: bool
    evidence: str
    """The numbers, in a sentence."""


def find(systems: Mapping[str, Measured]) -> list[Finding]:
    """The verdict on every finding that these systems have numbers for."""
    every = [_right, _collapse, _law, _copies, _gray, _tracks, _fetch_not, _fetch, _hold]
    return [finding for examine in every if (finding := examine(systems)) is not None]


def _some(systems: Mapping[str, Measured], *names: str) -> dict[str, Measured]:
    return {name: systems[name] for name in names if name in systems}


def _all(systems: Mapping[str, Measured], *names: str) -> dict[str, Measured]:
    """These, or none where one of them did not run."""
    return _some(systems, *names) if all(name in systems for name in names) else {}


def _list(values: Mapping[str, float], form: str = ".0%") -> str:
    return ", ".join(f"{name} {value:{form}}" for name, value in values.items())


def _right(systems: Mapping[str, Measured]) -> Finding | None:
    accuracy = {name: m.test.accuracy for name, m in _some(systems, *REPORTS).items()}
    if not accuracy:
        return None
    return Finding(
        "Transfer, a step from a true frame, looks right",
        all(value >= RIGHT for value in accuracy.values()),
        f"pixel accuracy on held-out clips, each at its dt: {_list(accuracy)} (right is from "
        f"{RIGHT:.0%} on)",
    )


def _collapse(systems: Mapping[str, Measured]) -> Finding | None:
    left = {name: m.left for name, m in _some(systems, *REPORTS).items()}
    if not left:
        return None
    return Finding(
        "Propagation, on the own output, collapses",
        all(value < COLLAPSED for value in left.values()),
        f"of what transfer gets right beyond gray is left at the end: {_list(left)} (collapsed is "
        f"below {COLLAPSED:.0%})",
    )


def _law(systems: Mapping[str, Measured]) -> Finding | None:
    off = {name: m.off_law for name, m in _some(systems, *REPORTS).items()}
    if not off:
        return None
    return Finding(
        "It collapses as (1 - eta)^t",
        all(value <= LAW for value in off.values()),
        f"mean distance of the measured curve from it: {_list(off, '.2f')} (follows it up to "
        f"{LAW:g})",
    )


def _copies(systems: Mapping[str, Measured]) -> Finding | None:
    copied = {n: m.tracking.copied for n, m in _all(systems, "cgan-dt1", "cgan-dt5").items()}
    if not copied:
        return None
    return Finding(
        "dt = 1 learns to copy pixels",
        copied["cgan-dt1"] > copied["cgan-dt5"],
        "of the pixels whose colour changed within five frames, so many are painted with the "
        f"colour that was there: {_list(copied, '.1%')}",
    )


def _gray(systems: Mapping[str, Measured]) -> Finding | None:
    kept = {n: m.tracking.saturation for n, m in _all(systems, "cgan-dt1", "cgan-dt5").items()}
    if not kept:
        return None
    return Finding(
        "What moves turns gray with dt = 1",
        kept["cgan-dt1"] < kept["cgan-dt5"],
        f"saturation of the coloured ones of those pixels, of the true one: {_list(kept, '.1%')}",
    )


def _tracks(systems: Mapping[str, Measured]) -> Finding | None:
    right = {n: m.tracking.accuracy for n, m in _all(systems, "cgan-dt1", "cgan-dt5").items()}
    if not right:
        return None
    return Finding(
        "dt = 5 tracks what moves",
        right["cgan-dt5"] > right["cgan-dt1"],
        f"right of the same pixels: {_list(right, '.1%')}",
    )


def _gains(systems: Mapping[str, Measured]) -> str:
    gains = {name: m.fetching.gain for name, m in systems.items()}
    return (
        "of colours lost in the frame before, so many more come back right within five frames "
        f"with the key in colour than with a gray one: {_list(gains, '+.1%')} (fetches from "
        f"{FETCHED:+.0%} on)"
    )


def _fetch_not(systems: Mapping[str, Measured]) -> Finding | None:
    extended = _some(systems, "extended")
    if not extended:
        return None
    return Finding(
        "The extended model does not fetch colour from c_1",
        extended["extended"].fetching.gain < FETCHED,
        _gains(extended),
    )


def _fetch(systems: Mapping[str, Measured]) -> Finding | None:
    fetching = _some(systems, "similarity", "flagship")
    if not fetching:
        return None
    return Finding(
        "A similarity sub-net (their future work) does",
        all(m.fetching.gain >= FETCHED for m in fetching.values()),
        _gains(fetching),
    )


def _hold(systems: Mapping[str, Measured]) -> Finding | None:
    left = {name: m.left for name, m in _some(systems, "similarity", "flagship").items()}
    if not left:
        return None
    also = {name: m.left for name, m in _some(systems, "convlstm").items()}
    beside = f"; beside them {_list(also)}" if also else ""
    return Finding(
        "With it propagation does not collapse",
        all(value >= COLLAPSED for value in left.values()),
        f"of what transfer gets right beyond gray is left at the end: {_list(left)}{beside}",
    )
