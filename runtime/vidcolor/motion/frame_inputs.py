"""What a step takes from luma alone, so that it can be made before the frames before are coloured.

Only the graph is recurrent. Padding and optical flow are not, and cost as much as a small graph
does: whoever has cores to spare makes them for the frames to come (`Propagator.run`). Tracks of the
keys are followed from frame to frame (`FrameInputs.followed`), but that too needs no colour.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from vidcolor.inference import contract
from vidcolor.motion.optical_flow import Flow, Luma8, flow, to_uint8
from vidcolor.motion.track import Tracks, enlarge_flow, follow, halve, halve_flow
from vidcolor.planes import Plane, check_luma

EVEN = 2
"""The least multiple that planes are padded to where there is flow to keys, of half size."""


@dataclass(frozen=True, eq=False, repr=False)
class FrameInputs:
    """A frame's inputs to the propagate graph, but for state and memory. Opaque to callers."""

    size: tuple[int, int]
    """Height and width of the frame, in pixels."""
    required_flows: frozenset[str]
    """The contract's flow inputs that the model asks for."""
    luma: Plane
    """[1, 1, H, W], padded to the model's multiple."""
    flows: dict[str, Plane]
    """Those inputs, padded; that of the tracks is there when they are."""
    luma8: Luma8 | None
    """[h, w], what flow compares; None where the model asks for none."""
    previous: Luma8 | None
    """What flow goes to: the frame before, if there is one and the model asks for it."""
    keys: tuple[Luma8, ...]
    """The keys [H/2, W/2], if the model asks for the flow to them."""
    half: Luma8 | None
    """[H/2, W/2], what keys are compared with."""
    direct: tuple[Flow, ...]
    """Flow straight to each of the keys [2, H/2, W/2]."""
    tracks: Tracks | None = None
    """The keys' tracks, once `with_tracks`."""
    since: Tracks | None = None
    """Those of the frame before, which they go on from."""

    def __repr__(self) -> str:
        return f"FrameInputs(size={self.size}, flows={sorted(self.flows)})"

    @property
    def nbytes(self) -> int:
        """Bytes of the planes that are this frame's own."""
        planes = (self.luma, *self.flows.values(), *self.direct, *(self.tracks or ()))
        codes = (plane for plane in (self.luma8, self.half) if plane is not None)
        return sum(p.nbytes for p in planes) + sum(p.nbytes for p in codes)

    def follows(self, previous: Luma8 | None, keys: tuple[Luma8, ...]) -> bool:
        """Whether these are the frame before and the keys that it was seen beside."""
        pairs = ((self.previous, previous), *zip(self.keys, keys, strict=False))
        return len(self.keys) == len(keys) and all(
            one is two or _equal(one, two) for one, two in pairs
        )

    def to_key(self, luma8: Luma8) -> Flow | None:
        """The flow straight to a key of this luma, if there is one."""
        for key, motion in zip(self.keys, self.direct, strict=True):
            if key is luma8 or _equal(key, luma8):
                return motion
        return None

    def with_tracks(self, since: Tracks | None) -> FrameInputs:
        """The same with tracks, which go on from those of the frame before.

        Itself where the model asks for none, or where it is followed from there already.
        """
        half, asked = self.half, contract.FLOW_TRACK in self.required_flows
        if half is None or not asked or (self.tracks is not None and self.since is since):
            return self
        height, width = half.shape
        tracks = self.direct
        if since is not None:
            step = halve_flow(self.flows[contract.FLOW_PREVIOUS][0])
            tracks = tuple(
                follow(half, key, direct=direct, step=step, before=before)
                for key, direct, before in zip(self.keys, self.direct, since, strict=True)
            )
        flows = {**self.flows, contract.FLOW_TRACK: _enlarged(tracks, 2 * height, 2 * width)}
        return replace(self, flows=flows, tracks=tracks, since=since)


def prepare_inputs(
    luma: Plane,
    luma8: Luma8 | None,
    *,
    required_flows: frozenset[str],
    multiple: int,
    previous: Luma8 | None,
    keys: tuple[Luma8, ...],
    reuse: FrameInputs | None = None,
) -> FrameInputs:
    """What there is to see of `luma` [h, w] float32 in [0, 1].

    luma8: the same as `to_uint8` makes it, if it is made already. previous: that of the frame
    before. keys: those of the keys, as `half_size` makes them.
    reuse: this frame, seen beside other frames before it; flow to the same keys is taken from it.
    required_flows: the flow inputs that the model asks for. multiple: its size multiple.
    Raises ValueError for another shape or type.
    """
    check_luma(luma)
    height, width = luma.shape
    if required_flows and luma8 is None:
        luma8 = to_uint8(luma)
    flows, half = {}, None
    direct: Tracks = ()
    if luma8 is not None and required_flows & {contract.FLOW_PREVIOUS, contract.FLOW_TRACK}:
        flows[contract.FLOW_PREVIOUS] = _to_previous(luma8, previous, multiple)
    if luma8 is not None and keys:
        half = half_size(luma8, multiple)
        direct = tuple(_to_key(half, key, reuse) for key in keys)
        if contract.FLOW_KEY in required_flows:
            flows[contract.FLOW_KEY] = _enlarged(direct, *(2 * side for side in half.shape))
    return FrameInputs(
        size=(height, width),
        required_flows=required_flows,
        luma=pad(luma[None], multiple),
        flows=flows,
        luma8=luma8,
        previous=previous,
        keys=keys,
        half=half,
        direct=direct,
    )


def prepare_clip(
    lumas: Iterable[Plane],
    *,
    required_flows: frozenset[str],
    multiple: int,
    previous: Luma8 | None,
    keys: tuple[Luma8, ...],
    tracks: Tracks | None,
) -> Iterator[FrameInputs]:
    """Frames that follow each other, and the keys' tracks followed through them.

    previous, tracks: of the frame before the first one; None where there is none. Everything else
    is as for `see`.
    """
    for luma in lumas:
        seen = prepare_inputs(
            luma,
            None,
            required_flows=required_flows,
            multiple=multiple,
            previous=previous,
            keys=keys,
        )
        seen = seen.with_tracks(tracks)
        yield seen
        previous, tracks = seen.luma8, seen.tracks


def half_size(luma8: Luma8, multiple: int) -> Luma8:
    """[H/2, W/2]: padded as the model's planes are, then halved."""
    height, width = luma8.shape
    around = ((0, -height % multiple), (0, -width % multiple))
    return halve(np.pad(luma8, around, mode="edge"))


def pad(planes: Plane, multiple: int) -> Plane:
    """Planes [c, h, w] as a batch [1, c, H, W], edges repeated right and below.

    H and W are the next multiples of `multiple`; `Propagator.step` crops back.
    """
    channels, height, width = planes.shape
    batch = _padded(1, channels, height, width, multiple)
    batch[0, :, :height, :width] = planes
    return _repeat_edges(batch, height, width)


def _to_previous(here: Luma8, previous: Luma8 | None, multiple: int) -> Plane:
    """Flow to the frame before, padded: [1, 2, H, W]; none at all without one."""
    height, width = here.shape
    batch = _padded(1, 2, height, width, multiple)
    plane = batch[0, :, :height, :width]
    if previous is None:
        plane[...] = 0
    else:
        flow(here, previous, out=plane)
    return _repeat_edges(batch, height, width)


def _to_key(half: Luma8, key: Luma8, reuse: FrameInputs | None) -> Flow:
    known = None if reuse is None else reuse.to_key(key)
    return flow(half, key) if known is None else known


def _enlarged(motions: tuple[Flow, ...], height: int, width: int) -> Plane:
    """[k, 2, H, W]"""
    batch = np.empty((len(motions), 2, height, width), np.float32)
    for motion, plane in zip(motions, batch, strict=True):
        enlarge_flow(motion, plane)
    return batch


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
