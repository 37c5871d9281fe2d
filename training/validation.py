"""How a generator does on held-out clips while it trains: figures, and a sheet to look at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from evaluation.clips import Clip, Codes
from evaluation.metrics import PSNR_LIMIT, right_pixels
from training.data.motion import motion
from training.data.options import RolloutOptions
from training.data.rollout import Rollout
from training.data.rollouts import Rollouts
from training.models.base import Generator
from training.models.lab import CHROMATICITY, LIGHTNESS_HALF, planes_to_lab, planes_to_rgb
from training.rollout import Unroll
from training.sheets import Row, write_sheet

EXAMPLES = 16
FRAMES = 8
"""Frames propagated for the figures; the first of them is the reports' colour transfer."""
ENDS = 10
"""Frames at the end of a whole clip that have a figure of their own."""
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
        """Measure pixel accuracy in [0, 1].

        Args:
            generator: It is run in eval mode, and left in its own.
            batch: Examples at a time; it does not change the figures.

        Returns:
            `transfer_accuracy`, one step after a true frame, and `propagation_accuracy`, after
            `FRAMES` of its own.
        """
        device = next(generator.parameters()).device
        first, last = [], []
        for start in range(0, EXAMPLES, batch):
            indices = range(start, min(start + batch, EXAMPLES))
            rollout = self._figures.batch(0, indices).to(device)
            accuracy = _accuracy(rollout, _propagate(generator, rollout))
            first.append(accuracy[:, 0])
            last.append(accuracy[:, -1])
        return {
            "transfer_accuracy": torch.cat(first).mean().item(),
            "propagation_accuracy": torch.cat(last).mean().item(),
        }

    @torch.inference_mode()
    def sheet(self, generator: Generator, path: Path) -> Codes:
        """Write and return a sheet of propagations: rows gray, true, ours for each clip."""
        rows = []
        for rollouts in self._sheets:
            rollout = rollouts.example(0, 0).to(next(generator.parameters()).device)
            frames = rollout.luma.shape[1] - 1
            columns = np.linspace(0, frames - 1, SHEET_COLUMNS).round().astype(int).tolist()
            luma, target = rollout.luma[0, 1:][columns], rollout.chroma[0, 1:][columns]
            ours = _propagate(generator, rollout)[0, columns]
            rows += [
                Row("gray", luma, torch.zeros_like(target)),
                Row("true", luma, target),
                Row("ours", luma, ours),
            ]
        return write_sheet(path, rows)


class WholeClips:
    """Held-out clips coloured from their first frame to their last: what models are judged by.

    Those that move most are taken. Frames are cut to the greatest square in their middle whose
    side is a multiple of the generator's. Examples are made once and kept.
    """

    def __init__(
        self,
        clips: Sequence[Clip],
        *,
        count: int,
        frames: int,
        size_multiple: int,
        flows: frozenset[str],
    ) -> None:
        """Choose the clips and make their examples.

        Args:
            clips: The held-out ones.
            count: Clips that are used, at most.
            frames: Frames of each, at most.
            size_multiple: The generator's, in pixels.
            flows: The flow inputs that the generator has.
        """
        usable = [c for c in clips if len(c) > 1 and min(c.luma.shape[1:]) >= size_multiple]
        chosen = sorted(usable, key=motion, reverse=True)[:count]
        self._examples = [
            whole_rollout(c, frames=frames, size_multiple=size_multiple, flows=flows)
            for c in chosen
        ]

    def __len__(self) -> int:
        return len(self._examples)

    @torch.inference_mode()
    def measure(self, generator: Generator) -> dict[str, float]:
        """Measure the PSNR of RGB in dB, with the true luma: the mean over clips.

        Args:
            generator: It is run in eval mode, and left in its own.

        Returns:
            `whole_psnr` of all frames, `whole_last` of the last `ENDS`; nothing without clips.
        """
        device = next(generator.parameters()).device
        curves = []
        for example in self._examples:
            rollout = example.to(device)
            chroma = _propagate(generator, rollout)
            curves.append(frame_psnr(rollout.luma[0, 1:], chroma[0], rollout.chroma[0, 1:]))
        if not curves:
            return {}
        return {
            "whole_psnr": torch.stack([curve.mean() for curve in curves]).mean().item(),
            "whole_last": torch.stack([curve[-ENDS:].mean() for curve in curves]).mean().item(),
        }


def whole_rollout(clip: Clip, *, frames: int, size_multiple: int, flows: frozenset[str]) -> Rollout:
    """Return a clip as one rollout from its first frame, which is the key, as a batch of one.

    Args:
        clip: The footage.
        frames: Most frames, the first one included.
        size_multiple: Of the middle square's side, in pixels.
        flows: The flow inputs that are needed.
    """
    height, width = clip.luma.shape[1:]
    side = min(height, width) // size_multiple * size_multiple
    y, x = (height - side) // 2, (width - side) // 2
    part = np.s_[..., y : y + side, x : x + side]
    middle = Clip(clip.name, clip.luma[:frames][part], clip.chroma[:frames][part])
    options = RolloutOptions(frames=len(middle) - 1, crop=side, flip=False)
    return Rollouts([middle], options=options, seed=0, flows=flows).example(0, 0)


def _propagate(generator: Generator, rollout: Rollout) -> Tensor:
    """Chroma [B, T, 2, h, w] of a rollout on the generator's own output, in eval mode."""
    training = generator.training
    output = Unroll(generator, own_output=True).eval()(rollout)
    generator.train(training)
    chroma: Tensor = output.chroma
    return chroma


def _accuracy(rollout: Rollout, chroma: Tensor) -> Tensor:
    """[B, T] of chroma [B, T, 2, h, w]."""
    frames = (rollout.luma[:, 1:], chroma, rollout.chroma[:, 1:])
    accuracy = pixel_accuracy(*(f.flatten(0, 1) for f in frames))
    by_frame: Tensor = accuracy.view(chroma.shape[:2])
    return by_frame


def frame_psnr(luma: Tensor, chroma: Tensor, target: Tensor) -> Tensor:
    """Return the PSNR of RGB of each frame in dB, with the true luma, at most `PSNR_LIMIT`.

    Args:
        luma: [..., 1, h, w] in [0, 1].
        chroma: [..., 2, h, w] in ±0.5.
        target: The truth, of the same shape.

    Returns:
        [...].
    """
    error = planes_to_rgb(luma, chroma.float()) - planes_to_rgb(luma, target)
    mean = error.square().mean((-3, -2, -1))
    psnr: Tensor = -10 * torch.log10(mean.clamp(min=10 ** (-PSNR_LIMIT / 10)))
    return psnr


def pixel_accuracy(luma: Tensor, chroma: Tensor, true_chroma: Tensor) -> Tensor:
    """Return the share of right pixels of each frame, [N].

    Args:
        luma: [N, 1, h, w] in [0, 1], the true one, so that a pixel can err in chroma alone.
        chroma: [N, 2, h, w] in ±0.5.
        true_chroma: The same of the true frames.
    """
    scale = torch.tensor([LIGHTNESS_HALF, CHROMATICITY, CHROMATICITY], device=luma.device)
    prediction, target = (
        planes_to_lab(luma, planes) * scale.view(3, 1, 1) for planes in (chroma, true_chroma)
    )
    share: Tensor = right_pixels(prediction, target).float().mean(dim=(1, 2))
    return share
