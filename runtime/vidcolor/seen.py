"""What a step takes from luma alone, so that it can be made before the frames before are coloured.

Only the graph is recurrent. Padding and optical flow are not, and cost as much as a small graph
does: whoever has cores to spare makes them for the frames to come (`Propagator.run`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidcolor import contract
from vidcolor.flow import flow, quantise
from vidcolor.planes import Plane, check_luma

Luma8 = NDArray[np.uint8]


@dataclass(frozen=True, eq=False, repr=False)
class Seen:
    """A frame's inputs to the propagate graph, but for state and memory. Opaque to callers."""

    size: tuple[int, int]
    """Height and width of the frame, in pixels."""
    luma: Plane
    """[1, 1, H, W], padded to the model's multiple."""
    flows: dict[str, Plane]
    """The contract's flow inputs that the model asks for, padded."""
    luma8: Luma8 | None
    """[h, w], what flow compares; None where the model asks for none."""
    previous: Luma8 | None
    """What flow goes to: the frame before, if there is one and the model asks for it."""
    keys: tuple[Luma8, ...]
    """The keys, if the model asks for the flow to them."""

    def __repr__(self) -> str:
        return f"Seen(size={self.size}, flows={sorted(self.flows)})"

    @property
    def nbytes(self) -> int:
        """Bytes of the planes that are this frame's own."""
        planes = sum(plane.nbytes for plane in (self.luma, *self.flows.values()))
        return planes + (0 if self.luma8 is None else self.luma8.nbytes)

    def follows(self, previous: Luma8 | None, keys: tuple[Luma8, ...]) -> bool:
        """Whether these are the frame before and the keys that it was seen beside."""
        pairs = ((self.previous, previous), *zip(self.keys, keys, strict=False))
        return len(self.keys) == len(keys) and all(
            one is two or _equal(one, two) for one, two in pairs
        )

    def to_key(self, luma8: Luma8 | None) -> Plane | None:
        """The flow [2, h, w] to a key of this luma, if there is one."""
        height, width = self.size
        for place, key in enumerate(self.keys):
            if key is luma8 or _equal(key, luma8):
                motion: Plane = self.flows[contract.FLOW_KEY][place, :, :height, :width]
                return motion
        return None


def see(
    luma: Plane,
    luma8: Luma8 | None,
    *,
    asks: frozenset[str],
    multiple: int,
    previous: Luma8 | None,
    keys: tuple[Luma8, ...],
    like: Seen | None = None,
) -> Seen:
    """What there is to see of `luma` [h, w] float32 in [0, 1].

    luma8: the same as `flow.quantise` makes it, if it is made already. previous, keys: theirs.
    like: this frame, seen beside other frames before it; flow to the same keys is taken from it.
    asks: the contract's flow inputs that the model asks for. multiple: its size multiple.
    Raises ValueError for another shape or type.
    """
    check_luma(luma)
    height, width = luma.shape
    if asks and luma8 is None:
        luma8 = quantise(luma)
    flows = {}
    if luma8 is not None and contract.FLOW_PREVIOUS in asks:
        flows[contract.FLOW_PREVIOUS] = _flows(luma8, (previous,), multiple, None)
    if luma8 is not None and keys:
        flows[contract.FLOW_KEY] = _flows(luma8, keys, multiple, like)
    return Seen(
        size=(height, width),
        luma=pad(luma[None], multiple),
        flows=flows,
        luma8=luma8,
        previous=previous,
        keys=keys,
    )


def pad(planes: Plane, multiple: int) -> Plane:
    """Planes [c, h, w] as a batch [1, c, H, W], edges repeated right and below.

    H and W are the next multiples of `multiple`; `Propagator.step` crops back.
    """
    channels, height, width = planes.shape
    batch = _padded(1, channels, height, width, multiple)
    batch[0, :, :height, :width] = planes
    return _repeat_edges(batch, height, width)


def _flows(
    here: Luma8, others: tuple[Luma8 | None, ...], multiple: int, like: Seen | None
) -> Plane:
    """Flow from `here` to each of `others`, padded: [n, 2, H, W]; none at all to None."""
    height, width = here.shape
    batch = _padded(len(others), 2, height, width, multiple)
    for plane, other in zip(batch[:, :, :height, :width], others, strict=True):
        known = None if like is None else like.to_key(other)
        if other is None:
            plane[...] = 0
        elif known is not None:
            plane[...] = known
        else:
            flow(here, other, out=plane)
    return _repeat_edges(batch, height, width)


def _padded(count: int, channels: int, height: int, width: int, multiple: int) -> Plane:
    return np.empty(
        (count, channels, height + -height % multiple, width + -width % multiple), np.float32
    )


def _repeat_edges(batch: Plane, height: int, width: int) -> Plane:
    batch[:, :, :height, width:] = batch[:, :, :height, width - 1 : width]
    batch[:, :, height:] = batch[:, :, height - 1 : height]
    return batch


def _equal(one: Luma8 | None, two: Luma8 | None) -> bool:
    return one is not None and two is not None and np.array_equal(one, two)
