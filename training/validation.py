"""How a model does on held-out clips while it trains: transfer, propagation, and a sheet to see."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from evaluation.clips import Clip, Codes
from evaluation.metrics import right_pixels
from training.data.rollouts import Rollout, RolloutOptions, Rollouts
from training.models.base import Generator
from training.models.lab import CHROMATICITY, LIGHTNESS_HALF, planes_to_lab
from training.rollout import Rolling
from training.sheets import write_sheet

EXAMPLES = 16
FRAMES = 8
"""Frames propagated for the figures; the first of them is the reports' colour transfer."""
SHEET_CLIPS = 3
SHEET_COLUMNS = 7
SHEET_EVERY = 7
"""Frames between columns, as in the reports' Figures 4 and 5."""


class Validation:
    """Always the same examples, frame by frame (dt = 1), without augmentation.

    Raises ArgumentError when the held-out clips are too short for them.
    """

    def __init__(self, clips: Sequence[Clip], *, crop: int, flows: frozenset[str]) -> None:
        def rollouts(these: Sequence[Clip], frames: int) -> Rollouts:
            options = RolloutOptions(frames=frames, crop=crop, flip=False)
            return Rollouts(these, options=options, seed=0, flows=flows)

        longest = max(len(clip) for clip in clips) - 1
        self._figures = rollouts(clips, min(FRAMES, longest))
        self._sheets = [
            rollouts([clip], min(SHEET_COLUMNS * SHEET_EVERY, len(clip) - 1))
            for clip in self._figures.clips[:SHEET_CLIPS]
        ]

    @torch.inference_mode()
    def measure(self, generator: Generator, *, batch: int) -> dict[str, float]:
        """Pixel accuracy in [0, 1] one step after a true frame and after `FRAMES` own ones."""
        device = next(generator.parameters()).device
        first, last = [], []
        for start in range(0, EXAMPLES, batch):
            places = range(start, min(start + batch, EXAMPLES))
            rollout = self._figures.batch(0, places).to(device)
            accuracy = _accuracy(rollout, _propagate(generator, rollout))
            first.append(accuracy[:, 0])
            last.append(accuracy[:, -1])
        return {
            "transfer_accuracy": torch.cat(first).mean().item(),
            "propagation_accuracy": torch.cat(last).mean().item(),
        }

    @torch.inference_mode()
    def sheet(self, generator: Generator, path: Path) -> Codes:
        """Write and return a sheet of propagations: rows gray, truth, ours for each clip."""
        rows = []
        for rollouts in self._sheets:
            rollout = rollouts.example(0, 0).to(next(generator.parameters()).device)
            frames = rollout.luma.shape[1] - 1
            columns = np.linspace(0, frames - 1, SHEET_COLUMNS).round().astype(int).tolist()
            luma, truth = rollout.luma[0, 1:][columns], rollout.chroma[0, 1:][columns]
            ours = _propagate(generator, rollout)[0, columns]
            rows += [(luma, torch.zeros_like(truth)), (luma, truth), (luma, ours)]
        return write_sheet(path, rows)


def _propagate(generator: Generator, rollout: Rollout) -> Tensor:
    """Chroma [B, T, 2, h, w] of a rollout on the generator's own output, in eval mode."""
    training = generator.training
    painting = Rolling(generator, own_output=True).eval()(rollout)
    generator.train(training)
    return painting.chroma


def _accuracy(rollout: Rollout, chroma: Tensor) -> Tensor:
    """[B, T] of chroma [B, T, 2, h, w]."""
    frames = (rollout.luma[:, 1:], chroma, rollout.chroma[:, 1:])
    return pixel_accuracy(*(f.flatten(0, 1) for f in frames)).unflatten(0, chroma.shape[:2])


def pixel_accuracy(luma: Tensor, chroma: Tensor, true_chroma: Tensor) -> Tensor:
    """Share of right pixels of each frame: [N, 1, h, w], [N, 2, h, w], [N, 2, h, w] -> [N].

    The luma is the true one, so that a pixel can err in chroma alone.
    """
    scale = torch.tensor([LIGHTNESS_HALF, CHROMATICITY, CHROMATICITY], device=luma.device)
    painted, truth = (
        planes_to_lab(luma, planes) * scale.view(3, 1, 1) for planes in (chroma, true_chroma)
    )
    return right_pixels(painted, truth).float().mean(dim=(1, 2))
