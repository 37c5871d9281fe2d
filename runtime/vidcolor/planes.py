"""Luma and chroma planes, and the key frame made of them, checked at birth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]


@dataclass(frozen=True, eq=False, repr=False)
class Key:
    """A coloured frame, at working size or at any other.

    luma: [h, w] float32 in [0, 1]. chroma: [2, h, w] float32, Cb then Cr, in [-0.5, 0.5].
    weight: [h, w] float32 in [0, 1], where it is painted; None when it is everywhere.
    Raises ValueError when shape or type are off.
    """

    luma: Plane
    chroma: Plane
    weight: Plane | None = None

    def __post_init__(self) -> None:
        check_luma(self.luma)
        check_chroma(self.chroma)
        if self.chroma.shape[1:] != self.luma.shape:
            raise ValueError(f"chroma is {self.chroma.shape[1:]}, its luma is {self.luma.shape}")
        if self.weight is not None and self.weight.shape != self.luma.shape:
            raise ValueError(f"weight is {self.weight.shape}, its luma is {self.luma.shape}")

    def __repr__(self) -> str:
        return f"Key(luma={self.luma.shape}, chroma={self.chroma.shape})"


def check_luma(luma: Plane) -> None:
    """Raise ValueError unless luma is a [h, w] float32 plane."""
    if luma.ndim != 2 or luma.dtype != np.float32:
        raise ValueError(f"luma must be [h, w] float32, got {luma.shape} {luma.dtype}")


def check_chroma(chroma: Plane) -> None:
    """Raise ValueError unless chroma is [2, h, w] float32."""
    if chroma.ndim != 3 or chroma.shape[0] != 2 or chroma.dtype != np.float32:
        raise ValueError(f"chroma must be [2, h, w] float32, got {chroma.shape} {chroma.dtype}")
