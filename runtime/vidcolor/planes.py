"""Luma and chroma planes, and the key frame made of them, checked when it is made."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_BEYOND = 0.5
"""How far beyond its range a value is taken: resampling and unclipped colours overshoot."""

Plane = NDArray[np.float32]
"""One plane [h, w] or several [c, h, w]. Luma is in [0, 1], chroma in [-0.5, 0.5]."""


@dataclass(frozen=True, eq=False, repr=False)
class Key:
    """A coloured frame, at working size or at any other size.

    Raises:
        ValueError: A plane has another shape or type, or values far beyond its range.
    """

    luma: Plane
    """[h, w] float32 in [0, 1]."""
    chroma: Plane
    """[2, h, w] float32 in [-0.5, 0.5], Cb then Cr."""
    weight: Plane | None = None
    """[h, w] float32 in [0, 1], how solid the paint is; None if it is solid everywhere."""

    def __post_init__(self) -> None:
        check_luma(self.luma)
        check_chroma(self.chroma)
        if self.chroma.shape[1:] != self.luma.shape:
            raise ValueError(f"chroma is {self.chroma.shape[1:]}, its luma is {self.luma.shape}")
        if self.weight is None:
            return
        if not _is_float32(self.weight) or self.weight.ndim != 2:
            raise ValueError(f"weight must be [h, w] float32, got {_described(self.weight)}")
        if self.weight.shape != self.luma.shape:
            raise ValueError(f"weight is {self.weight.shape}, its luma is {self.luma.shape}")
        _check_values("weight", self.weight, 0, 1)

    def __repr__(self) -> str:
        return f"Key(luma={self.luma.shape}, chroma={self.chroma.shape})"


def check_luma(luma: Plane) -> None:
    """Raise ValueError unless luma is a [h, w] float32 plane of numbers about 0 to 1."""
    if not _is_float32(luma) or luma.ndim != 2:
        raise ValueError(f"luma must be [h, w] float32, got {_described(luma)}")
    _check_values("luma", luma, 0, 1)


def check_chroma(chroma: Plane) -> None:
    """Raise ValueError unless chroma is [2, h, w] float32, of numbers about -0.5 to 0.5."""
    if not _is_float32(chroma) or chroma.ndim != 3 or chroma.shape[0] != 2:
        raise ValueError(f"chroma must be [2, h, w] float32, got {_described(chroma)}")
    _check_values("chroma", chroma, -0.5, 0.5)


def _is_float32(plane: object) -> bool:
    return isinstance(plane, np.ndarray) and plane.dtype == np.float32


def _described(plane: object) -> str:
    """What was given in place of a plane, for an error."""
    if isinstance(plane, np.ndarray):
        return f"{plane.shape} {plane.dtype}"
    return type(plane).__name__


def _check_values(name: str, plane: Plane, least: float, most: float) -> None:
    """Code values in place of shares, and what is no number, would come out as wrong colours."""
    if not plane.size:
        raise ValueError(f"{name} is {plane.shape}, which has no pixels")
    low, high = float(plane.min()), float(plane.max())  # NaN, where one is
    if not (least - _BEYOND <= low and high <= most + _BEYOND):
        raise ValueError(f"{name} must be in {least:g} to {most:g}, got {low:g} to {high:g}")
