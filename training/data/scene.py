"""A clip as one example sees it: which frames, cut where, and how it was varied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from evaluation.clips import CHROMA_ZERO, Clip, Codes
from training.data.degrade import Film

if TYPE_CHECKING:
    from training.data.rollouts import RolloutOptions

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Scene:
    """Everything about an example but the frames' pixels."""

    clip: Clip
    frames: Sequence[int]
    """Positions in the clip, in playing order; the first one's colours are given."""
    key: int
    """Position of the key."""
    rows: slice
    columns: slice
    mirrored: bool
    turn: Floats
    """2x2, on chroma: the hue's rotation times the saturation."""
    film: Film | None
    cold: bool
    """Whether its first rollout begins without a past."""

    @classmethod
    def draw(
        cls,
        clip: Clip,
        frames: Sequence[int],
        key: int,
        *,
        options: RolloutOptions,
        rng: np.random.Generator,
    ) -> Self:
        """These frames, varied as the options say."""
        y, x = (int(rng.integers(side - options.crop + 1)) for side in clip.luma.shape[1:])
        return cls(
            clip=clip,
            frames=frames,
            key=key,
            rows=slice(y, y + options.crop),
            columns=slice(x, x + options.crop),
            mirrored=options.flip and bool(rng.random() < 0.5),
            turn=_turn(rng, options),
            film=Film.draw(rng) if rng.random() < options.film else None,
            cold=bool(rng.random() < options.cold),
        )

    def parts(self, frames: int) -> int:
        """How many rollouts of so many frames follow each other in it."""
        return (len(self.frames) - 1) // frames

    def planes(self, positions: Sequence[int]) -> tuple[Codes, Floats]:
        """Luma codes [n, h, w] and chroma [n, 2, h, w] in ±0.5 of these frames."""
        luma = np.stack([self.clip.luma[n, self.rows, self.columns] for n in positions])
        codes = np.stack([self.clip.chroma[n, :, self.rows, self.columns] for n in positions])
        if self.mirrored:
            luma, codes = luma[..., ::-1], codes[..., ::-1]
        if self.film is not None:
            film = self.film
            luma = np.stack([film.wear(p, n) for p, n in zip(luma, positions, strict=True)])
        chroma = (codes.astype(np.float32) - CHROMA_ZERO) / 255
        chroma = np.einsum("ij,njhw->nihw", self.turn, chroma).clip(-0.5, 0.5)
        return np.ascontiguousarray(luma), chroma


def _turn(rng: np.random.Generator, options: RolloutOptions) -> Floats:
    angle = 0.0
    if options.chroma_rotation and rng.random() < options.rotated:
        angle = np.deg2rad(rng.uniform(-options.chroma_rotation, options.chroma_rotation))
    scale = options.saturation ** rng.uniform(-1.0, 1.0)
    turn = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return np.array(turn, np.float32) * np.float32(scale)
