"""A clip as one example has it: which frames, cut where, and how they are augmented."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Self

import numpy as np
from numpy.typing import NDArray

from evaluation.clips import CHROMA_ZERO, Clip, Codes
from evaluation.old_film import OldFilm
from training.data.flows import FlowCache
from training.data.options import RolloutOptions
from vidcolor.motion.exposure import STEADY, brightening, exposed_codes

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
    chroma_matrix: Floats
    """[2, 2], applied to (Cb, Cr): the hue's rotation times the saturation."""
    film: OldFilm | None
    no_history: bool
    """Whether its first rollout begins without history, on a state of zeros."""
    evened: bool
    """Whether the model is shown film's flicker evened out; see `Preparer.previous`."""

    @classmethod
    def draw(
        cls,
        clip: Clip,
        frames: Sequence[int],
        key: int,
        *,
        options: RolloutOptions,
        evened: bool,
        rng: np.random.Generator,
    ) -> Self:
        """Draw how these frames are cut and varied.

        Args:
            clip: The footage.
            frames: Positions in it, in playing order.
            key: Position of the key.
            options: How much is varied.
            evened: Whether the model is shown film's flicker evened out.
            rng: What is drawn depends on it alone.

        Returns:
            The scene.
        """
        y, x = (int(rng.integers(side - options.crop + 1)) for side in clip.luma.shape[1:])
        return cls(
            clip=clip,
            frames=frames,
            key=key,
            rows=slice(y, y + options.crop),
            columns=slice(x, x + options.crop),
            mirrored=options.flip and bool(rng.random() < 0.5),
            chroma_matrix=_chroma_matrix(rng, options),
            film=OldFilm.draw(rng) if rng.random() < options.film else None,
            no_history=bool(rng.random() < options.cold),
            evened=evened,
        )

    def parts(self, frames: int) -> int:
        """Return how many rollouts of so many frames follow each other in it."""
        return (len(self.frames) - 1) // frames

    def planes(self, positions: Sequence[int]) -> tuple[Codes, Floats]:
        """Return luma codes [n, h, w] and chroma [n, 2, h, w] in ±0.5 of these positions.

        Luma is as models are shown it: flicker of film is evened out as the runtime does it.
        """
        luma = np.stack([exposed_codes(self._luma(n), self._gains.get(n, 1.0)) for n in positions])
        codes = np.stack([self.clip.chroma[n, :, self.rows, self.columns] for n in positions])
        if self.mirrored:
            codes = codes[..., ::-1]
        chroma = (codes.astype(np.float32) - CHROMA_ZERO) / 255
        chroma = np.einsum("ij,njhw->nihw", self.chroma_matrix, chroma).clip(-0.5, 0.5)
        return np.ascontiguousarray(luma), chroma

    def flows(self, positions: Sequence[int], cache: FlowCache) -> list[Floats] | None:
        """Cut the flows of these frames, each to the one before, from those of the whole clip.

        Args:
            positions: Of the frames that follow each other; the first one has no flow.
            cache: Flows of whole clips.

        Returns:
            Flow [2, h, w] in pixels of all but the first frame; None where they have to be
            computed: the frames are degraded, or not neighbours in the clip.
        """
        steps = {after - before for before, after in pairwise(positions)}
        if self.film is not None or steps not in ({1}, {-1}):
            return None
        whole = cache.flows(self.clip, backward=steps == {-1})
        flows = [whole[n, :, self.rows, self.columns].astype(np.float32) for n in positions[1:]]
        if self.mirrored:
            # What lay to the left lies to the right.
            flows = [flow[:, :, ::-1] * np.array([[[-1]], [[1]]], np.float32) for flow in flows]
        return flows

    def _luma(self, position: int) -> Codes:
        """Luma codes [h, w] of a position, as the film has them."""
        luma = self.clip.luma[position, self.rows, self.columns]
        luma = luma[:, ::-1] if self.mirrored else luma
        return luma if self.film is None else self.film.degrade(luma, position)

    @cached_property
    def _gains(self) -> dict[int, float]:
        """What luma is multiplied by, by position; see `vidcolor.motion.exposure`."""
        if self.film is None or not self.evened:
            return {}
        exposure, gains = STEADY, {}
        # Without history, nothing is known of the frame before the first that is coloured.
        before = None if self.no_history else self._luma(self.frames[0])
        for position in self.frames[1:]:
            here = self._luma(position)
            exposure = exposure.after(brightening(before, here))
            gains[position], before = exposure.gain, here
        return gains


def _chroma_matrix(rng: np.random.Generator, options: RolloutOptions) -> Floats:
    angle = 0.0
    if options.chroma_rotation and rng.random() < options.rotated:
        angle = np.deg2rad(rng.uniform(-options.chroma_rotation, options.chroma_rotation))
    scale = options.saturation ** rng.uniform(-1.0, 1.0)
    rotation = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return np.array(rotation, np.float32) * np.float32(scale)
