"""Single frames and photographs to learn colours from, alone or beside a painted one.

Every example is drawn from (seed, step, batch index) alone, as in `training.data.rollouts`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Self

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from evaluation.clips import CHROMA_ZERO, Clip
from training.data.options import RolloutOptions
from training.data.pictures import Picture
from training.data.scene import Scene
from training.models.bins import smooth
from training.models.lab import CHROMATICITY, planes_to_lab
from training.models.zhang import SCALE
from vidcolor.errors import ArgumentError

COUNTED_FRAMES = 4
"""Frames of each clip, evenly spread, whose colours are counted."""
COUNTED_EVERY = 8
"""Of their pixels, every COUNTED_EVERY-th of every COUNTED_EVERY-th row."""
OF_PICTURES = 0.5
"""Share of the examples that are cut from pictures, where there are some."""


class Stills(NamedTuple):
    """A batch of examples in the runtime's planes."""

    luma: Tensor
    """[B, 1, h, w] in [0, 1], worn where the options say so."""
    chroma: Tensor
    """[B, 2, h, w] in ±0.5, the truth."""
    exemplar_luma: Tensor
    """Another square of the same clip or picture, worn as `luma` is; no rows where the source makes
    none."""
    exemplar_chroma: Tensor
    """Its colours."""

    @classmethod
    def stack(cls, parts: Sequence[Self]) -> Self:
        """Return batches joined along B."""
        return cls(*(torch.cat(tensors) for tensors in zip(*parts, strict=True)))

    def to(self, device: torch.device, *, non_blocking: bool = False) -> Self:
        """Return the same on another device."""
        return type(self)(*(tensor.to(device, non_blocking=non_blocking) for tensor in self))

    def parts(self, size: int) -> Iterator[Self]:
        """Yield batches of so many examples, the last of what is left."""
        for first in range(0, len(self.luma), size):
            yield type(self)(*(tensor[first : first + size] for tensor in self))

    def tensors(self) -> Sequence[Tensor]:
        """Return the four tensors."""
        return tuple(self)

    def pin_memory(self) -> Self:
        """Return a copy in memory that a CUDA device reads directly."""
        return type(self)(*(tensor.pin_memory() for tensor in self))


class StillSource:
    """Draws squares of single frames, and of pictures where some are given.

    Args:
        clips: Those that are too small are left out.
        pictures: Half of the examples are cut from them, from each as often as from any other.
        crop: Side of the squares, in pixels.
        film: Share of the examples whose luma is made like old film's.
        flip: Whether half of them are mirrored.
        exemplars: Whether each has an exemplar: a square of any frame of the same clip.
        seed: What is drawn depends on it, the step and the batch index.

    Raises:
        ArgumentError: No clip is large enough.
    """

    def __init__(
        self,
        clips: Sequence[Clip],
        *,
        crop: int,
        pictures: Sequence[Picture] = (),
        film: float = 0.0,
        flip: bool = True,
        exemplars: bool = False,
        seed: int = 0,
    ) -> None:
        self._options = RolloutOptions(crop=crop, film=film, flip=flip)
        self._pictures, self._exemplars, self._seed = pictures, exemplars, seed
        self.clips = [clip for clip in clips if min(clip.luma.shape[1:]) >= crop]
        if not self.clips:
            raise ArgumentError(
                f"crop is {crop}, but the clips have at most "
                f"{max(min(clip.luma.shape[1:]) for clip in clips)} pixels on the short side"
            )

    def batch(self, step: int, indices: Sequence[int]) -> Stills:
        """Return the examples with these indices in the batch of this step."""
        return Stills.stack([self._example(step, index) for index in indices])

    def _example(self, step: int, index: int) -> Stills:
        rng = np.random.default_rng([self._seed, step, index])
        clip = draw_picture(self._pictures, rng)
        if clip is None:
            clip = self.clips[rng.integers(len(self.clips))]
        luma, chroma = self._square(clip, rng)
        painted = self._square(clip, rng) if self._exemplars else (luma[:0], chroma[:0])
        return Stills(luma, chroma, *painted)

    def _square(self, clip: Clip, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Luma [1, 1, crop, crop] and chroma [1, 2, crop, crop] of any frame of the clip."""
        frame = int(rng.integers(len(clip)))
        scene = Scene.draw(clip, [frame], frame, options=self._options, evened=False, rng=rng)
        luma, chroma = scene.planes([frame])
        return torch.from_numpy(luma[:, None] / np.float32(255)), torch.from_numpy(chroma)


def draw_picture(pictures: Sequence[Picture], rng: np.random.Generator) -> Clip | None:
    """A picture for an example, or None: in half of the cases, and where there are no pictures."""
    if pictures and rng.random() < OF_PICTURES:
        return pictures[int(rng.integers(len(pictures)))].load()
    return None


def true_ab(luma: Tensor, chroma: Tensor) -> Tensor:
    """Return the target ab [B, 2, h / 4, w / 4] of planes [B, 1, h, w] and [B, 2, h, w]."""
    pooled = (F.avg_pool2d(planes, SCALE) for planes in (luma, chroma))
    return planes_to_lab(*pooled)[:, 1:] * CHROMATICITY


def color_probability(clips: Sequence[Clip], bins: Tensor) -> Tensor:
    """Measure how often colours occur.

    Args:
        clips: A few frames of each are counted.
        bins: ab [Q, 2].

    Returns:
        The probability of each bin, smoothed over its neighbours: [Q].
    """
    counts = torch.zeros(len(bins))
    for clip in clips:
        frames = np.linspace(0, len(clip) - 1, COUNTED_FRAMES).round().astype(int)
        every = np.s_[..., COUNTED_EVERY // 2 :: COUNTED_EVERY, COUNTED_EVERY // 2 :: COUNTED_EVERY]
        luma = clip.luma[frames][every].astype(np.float32)[:, None] / 255
        chroma = (clip.chroma[frames][every].astype(np.float32) - CHROMA_ZERO) / 255
        lab = planes_to_lab(torch.from_numpy(luma), torch.from_numpy(chroma))
        ab = lab[:, 1:].movedim(1, -1).flatten(0, 2) * CHROMATICITY
        nearest = torch.cdist(ab, bins).argmin(dim=1)
        counts += torch.bincount(nearest, minlength=len(bins))
    return smooth(counts, bins)
