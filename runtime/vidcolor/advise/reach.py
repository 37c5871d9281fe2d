"""How far a model's confidence holds in a shot, tried out before anything is painted.

Confidence says how well a frame's luma is found again in what the model remembers, and how far
apart the colours are that it might have there, whichever they are. So keys are tried out in made-up
colours, which tell one place from another, and a shot seen small and at some of its frames tells
where colour would fade, and which key would help. Keys that are painted already are tried so too:
beside made-up ones, their colours would look like a contradiction to the model.
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
"""Chroma at the frame's edges in made-up colours. From much less all candidates look alike, and a
model is sure of them all; with this, confidence is as high as with the frames' own colours
(`python benchmarks/advice.py`)."""


def made_up(height: int, width: int) -> Plane:
    """Chroma [2, height, width] that tells places apart: Cb rises to the right, Cr downward."""
    right = np.linspace(-VIVID, VIVID, width)
    down = np.linspace(-VIVID, VIVID, height)[:, None]
    return np.stack(np.broadcast_arrays(right, down)).astype(np.float32)


class Reach:
    """The confidence in each sample of a shot, from any choice of its samples as keys.

    What lies between two keys depends on these two alone and is computed once: two model steps a
    sample, one beyond the outermost keys.
    """

    def __init__(
        self,
        propagator: Propagator,
        numbers: Sequence[int],
        lumas: Sequence[Plane],
    ) -> None:
        """numbers: frames of the samples, rising. lumas: theirs, [h, w] in [0, 1], of one size."""
        self.numbers = np.array(numbers)
        self._propagator = propagator
        self._lumas = lumas
        self._colours = made_up(*lumas[0].shape)
        self._known: dict[tuple[int | None, int | None], list[float]] = {}

    def confidence(self, keys: Collection[int]) -> NDArray[np.float64]:
        """Mean confidence [samples]; 1 in the keys, 0 everywhere if there is none.

        keys: samples, by their place in the shot.
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
        """Mean confidence of the samples after `left` and before `right`, keys where not None."""
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
        since = self.numbers[first + 1 : stop] - self.numbers[left]
        until = self.numbers[right] - self.numbers[first + 1 : stop]
        return [
            float(blend(one, other, since=int(a), until=int(b))[1].mean())
            for one, other, a, b in zip(forward_planes, backward_planes, since, until, strict=True)
        ]

    def _carry(self, keys: Sequence[int], samples: Iterable[int]) -> list[tuple[Plane, Plane]]:
        """Chroma and confidence of `samples` in turn, carried from the last of `keys`."""
        state = self._propagator.init_state(*(self._key(key) for key in keys))
        planes = []
        for sample in samples:
            chroma, confidence, state = self._propagator.step(self._lumas[sample], state)
            planes.append((chroma, confidence))
        return planes

    def _key(self, sample: int) -> Key:
        return Key(self._lumas[sample], self._colours)
