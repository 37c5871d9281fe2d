"""What the scores of many clips come to: one line of a table for each method, curves, and ranks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from evaluation.methods import Method
from evaluation.metrics import rank_correlation
from evaluation.scores import Scores

ENDS = 10
"""Frames at the beginning and at the end of a clip that drift compares."""
CHAIN = "flow chain"
"""The baseline that every method is compared with."""

Clips = Mapping[str, Mapping[str, Scores]]
"""Scores by clip and by method's label."""


@dataclass(frozen=True)
class AgainstChain:
    """A method beside flow chain."""

    frames_below: float
    """Share of all frames whose PSNR is lower."""
    clips_above: float
    """Share of clips whose PSNR is higher."""
    worst_clip: str
    worst: float
    """PSNR above flow chain's of that clip, in dB: below zero where flow chain is better."""


@dataclass(frozen=True)
class Summary:
    """One method on all clips. Clips count alike, however long they are."""

    psnr: float
    first: float
    """PSNR of the first `ENDS` painted frames."""
    last: float
    """PSNR of the last `ENDS`."""
    drift: float
    """First minus last, in dB."""
    ssim: float
    ciede2000: float
    accuracy: float
    lab_l1: float
    cdc: float
    frames_per_second: float
    against_chain: AgainstChain | None
    """None where flow chain did not run, and for flow chain."""
    confidence_pooled: float | None
    """Rank correlation of confidence with PSNR over the frames of all clips."""
    confidence_within: float | None
    """The mean over clips of the same within each."""
    flicker: float | None = None
    """Codes; None where no clip has two painted frames."""


def summarise(clips: Clips, label: str) -> Summary:
    """The figures of a method over all clips."""
    every = [methods[label] for methods in clips.values()]
    first = float(np.mean([np.mean(s.psnr[:ENDS]) for s in every]))
    last = float(np.mean([np.mean(s.psnr[-ENDS:]) for s in every]))
    means = {
        name: float(np.mean([np.mean(getattr(s, name)) for s in every]))
        for name in ("psnr", "ssim", "ciede2000", "accuracy", "lab_l1", "cdc")
    }
    pooled, within = _confidence(every)
    flickers = [np.mean(s.flicker) for s in every if s.flicker]
    return Summary(
        **means,
        first=first,
        last=last,
        drift=first - last,
        frames_per_second=sum(len(s.psnr) for s in every) / sum(s.seconds for s in every),
        against_chain=_against_chain(clips, label),
        confidence_pooled=pooled,
        confidence_within=within,
        flicker=float(np.mean(flickers)) if flickers else None,
    )


def above(clips: Clips, label: str, other: str) -> dict[str, float]:
    """By clip: mean PSNR of a method minus that of another, worst first."""
    differences = {
        clip: float(np.mean(methods[label].psnr) - np.mean(methods[other].psnr))
        for clip, methods in clips.items()
    }
    return dict(sorted(differences.items(), key=lambda item: item[1]))


def mean_curve(every: Sequence[Sequence[float]]) -> list[float]:
    """The mean over clips at frames 1, 2, ..., as far as half of the clips reach."""
    reach = sorted(len(curve) for curve in every)[len(every) // 2]
    return [float(np.mean([curve[t] for curve in every if t < len(curve)])) for t in range(reach)]


def _against_chain(clips: Clips, label: str) -> AgainstChain | None:
    if label == CHAIN or any(CHAIN not in methods for methods in clips.values()):
        return None
    difference = above(clips, label, CHAIN)
    worst_clip = next(iter(difference))
    below = np.concatenate(
        [np.less(methods[label].psnr, methods[CHAIN].psnr) for methods in clips.values()]
    )
    return AgainstChain(
        frames_below=float(below.mean()),
        clips_above=float(np.mean([value > 0 for value in difference.values()])),
        worst_clip=worst_clip,
        worst=difference[worst_clip],
    )


def _confidence(every: Sequence[Scores]) -> tuple[float | None, float | None]:
    pooled = rank_correlation(
        [c for s in every for c in s.confidence], [p for s in every for p in s.psnr]
    )
    within = [rank_correlation(s.confidence, s.psnr) for s in every]
    ranked = [value for value in within if value is not None]
    return pooled, float(np.mean(ranked)) if ranked else None


@dataclass(frozen=True)
class Evaluation:
    """All that a run of `python -m training evaluate` found out."""

    command: str
    versions: dict[str, str]
    options: dict[str, object]
    models: dict[str, dict[str, object]]
    """By model, what its bundle says of itself."""
    methods: Sequence[Method]
    summaries: dict[str, Summary]
    """By method's label."""
    true_cdc: float
    """The true frames' colour distribution consistency, mean over clips."""
    clips: Clips

    @property
    def subject(self) -> Method:
        """What the report is about: the first model in propagation, without any flow chain."""
        propagating = [method for method in self.methods if method.kind == "propagation"]
        chain = [method for method in self.methods if method.label == CHAIN]
        return (propagating + chain + list(self.methods))[0]

    def worst_first(self) -> dict[str, float]:
        """By clip: how far the subject is above flow chain in dB, or its PSNR without that."""
        subject = self.subject.label
        if subject != CHAIN and CHAIN in self.summaries:
            return above(self.clips, subject, CHAIN)
        levels = {clip: float(np.mean(m[subject].psnr)) for clip, m in self.clips.items()}
        return dict(sorted(levels.items(), key=lambda item: item[1]))

    def curve(self, label: str, figure: str) -> list[float]:
        """A method's figure at frames 1, 2, ...: the mean over clips, as far as half of them go."""
        return mean_curve([getattr(methods[label], figure) for methods in self.clips.values()])

    def error_rate(self, method: Method) -> float | None:
        """The model's eta: the share of pixels wrong one step after a true frame, if it ran."""
        transfer = self.summaries.get(replace(method, kind="transfer").label)
        return None if transfer is None or not method.model else 1 - transfer.accuracy
