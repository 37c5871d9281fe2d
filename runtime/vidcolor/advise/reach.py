"""How far a model's confidence reaches from keys that are not painted yet.

Confidence depends on how well a frame matches the memory and how ambiguous the colours are, not on
which colours they are. So synthetic colours suffice to try keys out, on a few small frames of a
shot. They are different at every place of the picture. Painted keys get synthetic colours as well:
the model would take two kinds of colours for a contradiction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from vidcolor.blend import blend
from vidcolor.planes import Key, Plane
from vidcolor.propagate import Propagator

VIVID = 0.08
"""Synthetic chroma at the frame's edges. With much less, all candidates look alike and a model is
sure of them all. With this, confidence is as high as with the frames' own colours
(`python benchmarks/advice.py`)."""


def made_up(height: int, width: int) -> Plane:
    """Synthetic chroma [2, height, width] float32: Cb rises to the right, Cr downward."""
    right = np.linspace(-VIVID, VIVID, width)
    down = np.linspace(-VIVID, VIVID, height)[:, None]
    return np.stack(np.broadcast_arrays(right, down)).astype(np.float32)


class Reach:
    """The confidence of each sample of a shot, with any of its samples as keys.

    The confidence between two keys depends only on these two, so it is computed once. That takes
    two model steps a sample, and one step beyond the outermost keys.
    """

    def __init__(
        self,
        propagator: Propagator,
        numbers: Sequence[int],
        lumas: Sequence[Plane],
    ) -> None:
        """Try out keys on the samples of one shot.

        Args:
            propagator: The model.
            numbers: Frames of the samples, rising.
            lumas: Their luma [h, w] float32 in [0, 1], all of one size.
        """
        self.numbers = np.array(numbers)
        self._propagator = propagator
        self._lumas = lumas
        self._chroma = made_up(*lumas[0].shape)
        self._known: dict[tuple[int | None, int | None], list[float]] = {}

    def confidence(self, keys: Collection[int]) -> NDArray[np.float64]:
        """Mean confidence of each sample.

        Args:
            keys: Indices of the samples that are keys.

        Returns:
            [samples] in [0, 1]: 1 at the keys; 0 everywhere if there is none.
        """
        if not keys:
            return np.zeros(len(self._lumas))
        means: list[float] = []
        for left, right in pairwise((None, *sorted(keys), None)):
            if (left, right) not in self._known:
                self._known[left, right] = self._between(left, right)
            means += self._known[left, right] + [1.0] * (right is not None)
        return np.array(means)

    def _between(self, left: int | None, right: int | None) -> list[float]:
        """Mean confidence of the samples between the keys `left` and `right`; None is no key."""
        first, stop = -1 if left is None else left, len(self._lumas) if right is None else right
        between = range(first + 1, stop)
        keys = tuple(key for key in (left, right) if key is not None)
        if not between:
            return []
        if left is None or right is None:
            forward = left is not None
            planes = self._carry(keys, between if forward else reversed(between))
            means = [float(confidence.mean()) for _, confidence in planes]
            return means if forward else means[::-1]
        # As in a film, both keys are remembered whichever side colour comes from.
        forward_planes = self._carry(keys[::-1], between)
        backward_planes = self._carry(keys, reversed(between))[::-1]
        distances_before = self.numbers[first + 1 : stop] - self.numbers[left]
        distances_after = self.numbers[right] - self.numbers[first + 1 : stop]
        return [
            float(blend(one, other, distance_before=int(a), distance_after=int(b))[1].mean())
            for one, other, a, b in zip(
                forward_planes, backward_planes, distances_before, distances_after, strict=True
            )
        ]

    def _carry(self, keys: Sequence[int], samples: Iterable[int]) -> list[tuple[Plane, Plane]]:
        """Chroma and confidence of samples in their order, carried from the last of `keys`."""
        state = self._propagator.init_state(*(self._key(key) for key in keys))
        planes = []
        for sample in samples:
            chroma, confidence, state = self._propagator.step(self._lumas[sample], state)
            planes.append((chroma, confidence))
        return planes

    def _key(self, sample: int) -> Key:
        return Key(self._lumas[sample], self._chroma)
