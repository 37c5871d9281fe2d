"""What the scores of many clips come to: one line of a table for each method, curves, and ranks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from evaluation.metrics import rank_correlation
from evaluation.predictors import Predictor
from evaluation.scores import Scores

ENDS = 10
"""Frames at the beginning and at the end of a clip that drift compares."""
GROWTH = (10, 60)
"""Frames after the key between which the growth of the error is measured."""
GROWTH_REACH = 2
"""Frames before and after each of these two that count too, since single frames differ."""
CHAIN = "flow chain"
"""The baseline that every method is compared with."""

Clips = Mapping[str, Mapping[str, Scores]]
"""Scores by clip and by method's label."""


@dataclass(frozen=True)
class AgainstChain:
    """A method beside flow chain."""

    frames_below: float
    """Share of all frames whose PSNR is lower."""
    frames_above: float
    """Share of all frames whose PSNR is higher."""
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
    """PSNR of the first `ENDS` predicted frames."""
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
    warping_error: float | None
    """In excess of the true frames', in 8-bit codes; None where no clip has two predictions."""
    chroma_kept: float | None
    """Strength of predicted chroma over that of the true one in the last `ENDS` frames, the mean
    over clips; 0 is gray, 1 as strong as in truth. None where the true frames are gray."""
    error_growth: float | None
    """PSNR around frame `GROWTH[0]` minus that around frame `GROWTH[1]`, in dB, the mean over the
    clips that are long enough; None where none is."""


def summarise(clips: Clips, label: str) -> Summary:
    """Return the figures of a method over all clips.

    Args:
        clips: Scores by clip and by method's label.
        label: The method's.
    """
    every = [methods[label] for methods in clips.values()]
    first = float(np.mean([np.mean(s.psnr[:ENDS]) for s in every]))
    last = float(np.mean([np.mean(s.psnr[-ENDS:]) for s in every]))
    means = {
        name: float(np.mean([np.mean(getattr(s, name)) for s in every]))
        for name in ("psnr", "ssim", "ciede2000", "accuracy", "lab_l1", "cdc")
    }
    pooled, within = _confidence(every)
    return Summary(
        **means,
        first=first,
        last=last,
        drift=first - last,
        frames_per_second=sum(len(s.psnr) for s in every) / sum(s.seconds for s in every),
        against_chain=_against_chain(clips, label),
        confidence_pooled=pooled,
        confidence_within=within,
        warping_error=_mean([np.mean(s.warping_error) for s in every if s.warping_error]),
        chroma_kept=_mean([chroma_kept(s) for s in every]),
        error_growth=_mean([error_growth(s) for s in every]),
    )


def chroma_kept(scores: Scores) -> float | None:
    """Return predicted over true strength of chroma in the last `ENDS` frames of one clip.

    None where the true frames are gray.
    """
    true = sum(scores.true_chroma[-ENDS:])
    return sum(scores.chroma[-ENDS:]) / true if true else None


def error_growth(scores: Scores) -> float | None:
    """Return the dB that one clip loses from frame `GROWTH[0]` to frame `GROWTH[1]`.

    None where the clip ends before the latter's surroundings.
    """
    # Entry 0 of the list is frame 1.
    early, late = (scores.psnr[frame - GROWTH_REACH - 1 : frame + GROWTH_REACH] for frame in GROWTH)
    return float(np.mean(early) - np.mean(late)) if late else None


def above(clips: Clips, label: str, other: str) -> dict[str, float]:
    """Return by how much a method is above another in mean PSNR.

    Args:
        clips: Scores by clip and by method's label.
        label: The method's.
        other: The other one's.

    Returns:
        dB by clip, worst first.
    """
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
    differences = np.concatenate(
        [np.subtract(methods[label].psnr, methods[CHAIN].psnr) for methods in clips.values()]
    )
    return AgainstChain(
        frames_below=float((differences < 0).mean()),
        frames_above=float((differences > 0).mean()),
        clips_above=float(np.mean([value > 0 for value in difference.values()])),
        worst_clip=worst_clip,
        worst=difference[worst_clip],
    )


def _confidence(every: Sequence[Scores]) -> tuple[float | None, float | None]:
    pooled = rank_correlation(
        [c for s in every for c in s.confidence], [p for s in every for p in s.psnr]
    )
    within = [rank_correlation(s.confidence, s.psnr) for s in every]
    return pooled, _mean(within)


def _mean(values: Sequence[float | None]) -> float | None:
    """The mean of those that are not None; None where all are."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


@dataclass(frozen=True)
class Evaluation:
    """All that a run of `python -m evaluation` found out."""

    command: str
    versions: dict[str, str]
    provenance: dict[str, str]
    """See `evaluation.provenance`."""
    options: dict[str, object]
    models: dict[str, dict[str, object]]
    """By model, what its bundle says of itself."""
    predictors: Sequence[Predictor]
    summaries: dict[str, Summary]
    """By method's label."""
    true_cdc: float
    """The true frames' colour distribution consistency, mean over clips."""
    clips: Clips

    @property
    def subject(self) -> Predictor:
        """What the report is about: the first model in propagation, without any flow chain."""
        propagating = [method for method in self.predictors if method.kind == "propagation"]
        chain = [method for method in self.predictors if method.label == CHAIN]
        return (propagating + chain + list(self.predictors))[0]

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

    def error_rate(self, method: Predictor) -> float | None:
        """The model's eta: the share of pixels wrong one step after a true frame, if it ran."""
        transfer = self.summaries.get(replace(method, kind="transfer").label)
        return None if transfer is None or not method.model else 1 - transfer.accuracy
