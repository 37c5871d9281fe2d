"""How a picture lies in the frames of a file: a player turns and mirrors it by a display matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Orientation:
    """What a player does with a frame: it mirrors it, then turns it."""

    turns: int = 0
    """Quarter turns counter-clockwise, 0 to 3."""
    mirrored: bool = False
    """Whether left and right are swapped before that."""

    @property
    def is_upright(self) -> bool:
        """Whether frames are stored as they are shown."""
        return not self.turns and not self.mirrored

    @property
    def swaps_sides(self) -> bool:
        """Whether the picture shown is as wide as the frame is high."""
        return self.turns % 2 == 1

    def shown(self, stored: NDArray[Any]) -> NDArray[Any]:
        """A plane or image [h, w, ...] as a player shows it; `stored` is the inverse."""
        return np.rot90(stored[:, ::-1] if self.mirrored else stored, self.turns)

    def stored(self, shown: NDArray[Any]) -> NDArray[Any]:
        """An image [h, w, ...] as the frames lie in the file."""
        turned = np.rot90(shown, -self.turns)
        return turned[:, ::-1] if self.mirrored else turned


UPRIGHT = Orientation()


def orientation_of(matrix: Sequence[int]) -> Orientation:
    """What the 9 numbers of a display matrix (ISO/IEC 14496-12, 6.2.2) come to.

    Upright, where they turn by anything but a multiple of 90 degrees.
    """
    a, b, _, c, d = matrix[:5]
    for mirrored in (False, True):
        for turns in range(4):
            x, y = ((1, 0), (0, -1), (-1, 0), (0, 1))[turns]
            # A point (p, q) of the frame, q downwards, is shown at (a p + c q, b p + d q).
            # Mirroring changes the sign of p.
            sign = -1 if mirrored else 1
            if _along((a, b), (sign * x, sign * y)) and _along((c, d), (-y, x)):
                return Orientation(turns, mirrored)
    return UPRIGHT


def _along(vector: tuple[int, int], direction: tuple[int, int]) -> bool:
    """Whether a vector points in one of the four directions of the axes."""
    across = vector[0] * direction[1] - vector[1] * direction[0]
    return not across and vector[0] * direction[0] + vector[1] * direction[1] > 0
