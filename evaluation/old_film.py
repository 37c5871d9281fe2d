"""Luma degraded as on old film: users' footage is seldom as clean as ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np

from evaluation.clips import Codes


@dataclass(frozen=True)
class OldFilm:
    """The degradation of one clip; what differs by frame is drawn from (seed, position)."""

    seed: int
    gamma: float = 1.0
    """Exponent of luma in [0, 1]."""
    blur: float = 0.0
    """Deviation of the softness of lens and print, in pixels."""
    grain: float = 0.0
    """Deviation of the grain, of a range of 1."""
    flicker: float = 0.0
    """Deviation of the exposure from frame to frame, as a share of it."""

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Self:
        """Draw one at random."""
        return cls(
            seed=int(rng.integers(2**31)),
            gamma=float(np.exp(rng.normal(0.0, 0.15))),
            blur=float(rng.uniform(0.3, 1.2)) if rng.random() < 0.5 else 0.0,
            grain=float(rng.uniform(0.0, 0.04)),
            flicker=float(rng.uniform(0.0, 0.06)),
        )

    def degrade(self, luma: Codes, position: int) -> Codes:
        """Degrade one frame.

        Args:
            luma: Codes [h, w].
            position: The frame's in its clip; grain and exposure depend on it.

        Returns:
            Codes [h, w].
        """
        rng = np.random.default_rng([self.seed, position])
        plane = luma.astype(np.float32) / 255
        if self.blur:
            plane = np.asarray(cv2.GaussianBlur(plane, (0, 0), self.blur), np.float32)
        plane = plane**self.gamma * (1 + self.flicker * rng.standard_normal())
        plane += self.grain * rng.standard_normal(plane.shape, np.float32)
        return np.rint(np.clip(plane, 0, 1) * 255).astype(np.uint8)
