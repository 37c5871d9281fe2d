"""The inputs of a step that depend only on luma.

They can be computed ahead of time, before earlier frames are coloured. Only the propagate graph is
recurrent. Padding, optical flow and the features graph are not, and take about as long: other cores
can prepare them for the frames to come (`Propagator.run`). Tracks of the keys are followed from
frame to frame (`FrameInputs.with_tracks`), but they need no colour either.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from operator import is_

import numpy as np

from vidcolor.inference import contract
from vidcolor.inference.runner import Tensors
from vidcolor.motion.exposure import brightening
from vidcolor.motion.optical_flow import Flow, Luma8, to_uint8
from vidcolor.motion.pad import empty_batch, pad, repeat_edges
from vidcolor.motion.previous import previous_flow
from vidcolor.motion.track import Tracks, direct_flow, enlarge_flow, follow, half_size, halve_flow
from vidcolor.planes import Plane, check_luma

ELSEWHERE = 64.0
"""Pixels, along either side, by which the flow to a reference leads away from its track."""


@dataclass(frozen=True, eq=False, repr=False)
class FrameInputs:
    """A frame's inputs to the propagate graph, besides state and memory. Opaque to callers."""

    size: tuple[int, int]
    """Height and width of the frame, in pixels."""
    required_flows: frozenset[str]
    """The contract's flow inputs that the model has."""
    luma: Plane
    """[1, 1, H, W] float32 in [0, 1], padded to the model's size multiple."""
    flows: dict[str, Plane]
    """The flow inputs, padded; `FLOW_TRACK` is among them once there are tracks."""
    luma8: Luma8 | None
    """[h, w], what flow is computed on; None where the model has no flow input."""
    previous: Luma8 | None
    """[h, w] of the frame before, if there is one and the model needs the flow to it."""
    keys: tuple[Luma8, ...]
    """[H/2, W/2] of each key, if the model needs the flow to them."""
    half: Luma8 | None
    """[H/2, W/2] of this frame, what the keys are compared with."""
    direct: tuple[Flow, ...]
    """[2, H/2, W/2] for each key: the flow straight to it, found without the frames between."""
    tracks: Tracks | None = None
    """The keys' tracks, once `with_tracks` has added them."""
    previous_tracks: Tracks | None = None
    """The tracks of the frame before, which `tracks` were continued from."""
    brightening: float = 0.0
    """By how much the frame is brighter than the one before, see `vidcolor.motion.exposure`."""
    features: Tensors = field(default_factory=dict)
    """What the model's features graph gave for `luma`; none if it has no such graph."""
    gain: float = 1.0
    """What `luma` was multiplied by for them, see `vidcolor.motion.exposure`."""

    def __repr__(self) -> str:
        return f"FrameInputs(size={self.size}, flows={sorted(self.flows)})"

    @property
    def nbytes(self) -> int:
        """Bytes of the planes that belong to this frame alone."""
        planes = (self.luma, *self.flows.values(), *self.direct, *(self.tracks or ()))
        codes = (plane for plane in (self.luma8, self.half) if plane is not None)
        features = sum(tensor.tensor_size_in_bytes() for tensor in self.features.values())
        return sum(p.nbytes for p in planes) + sum(p.nbytes for p in codes) + int(features)

    def are_of(self, luma: Plane) -> bool:
        """Whether the inputs were prepared from this luma [h, w]."""
        height, width = self.size
        return np.array_equal(self.luma[0, 0, :height, :width], luma)

    def follows(self, previous: Luma8 | None, keys: tuple[Luma8, ...]) -> bool:
        """Whether the inputs were prepared for this frame before and these keys."""
        pairs = ((self.previous, previous), *zip(self.keys, keys, strict=False))
        return len(self.keys) == len(keys) and all(
            one is two or _equal(one, two) for one, two in pairs
        )

    def direct_to(self, key: Luma8) -> Flow | None:
        """The direct flow to a key with these luma codes [H/2, W/2], if it was computed."""
        for known, motion in zip(self.keys, self.direct, strict=True):
            if known is key or _equal(known, key):
                return motion
        return None

    def flows_with(self, references: int) -> dict[str, Plane]:
        """The flow inputs of a step whose memory ends with so many references.

        Args:
            references: How many; see `vidcolor.references`.

        Returns:
            `flows` itself if there are none.
        """
        if not references:
            return self.flows
        ways = dict(
            zip(
                (contract.FLOW_KEY, contract.FLOW_TRACK),
                _nowhere(references, *self.luma.shape[2:]),
                strict=True,
            )
        )
        flows = dict(self.flows)
        for name in self.required_flows & contract.FLOWS_TO_KEYS:
            known = [flows[name]] if name in flows else []
            flows[name] = np.concatenate([*known, ways[name]])
        return flows

    def with_tracks(self, previous_tracks: Tracks | None) -> FrameInputs:
        """The same inputs with tracks that continue those of the frame before.

        Args:
            previous_tracks: Tracks of the frame before. None if there is no such frame; the tracks
                are then the direct flow.

        Returns:
            New inputs. These same ones where the model needs no tracks, or where they continue
            `previous_tracks` already.
        """
        is_done = self.tracks is not None and _are(self.previous_tracks, previous_tracks)
        if not self.needs_tracks or is_done:
            return self
        if previous_tracks is None:
            return self.with_known_tracks(self.direct, None)
        return self.with_known_tracks(tuple(self.follow(previous_tracks)), previous_tracks)

    @property
    def needs_tracks(self) -> bool:
        """Whether the model has an input for tracks, and there are keys to follow."""
        return self.half is not None and contract.FLOW_TRACK in self.required_flows

    def follow(self, previous_tracks: Iterable[Flow]) -> Iterator[Flow]:
        """The tracks, key by key; each of the frame before is taken when its turn comes.

        Args:
            previous_tracks: Of the frame before, in the order of the keys.
        """
        assert self.half is not None, "asked only where `needs_tracks`"  # noqa: S101
        to_previous = halve_flow(self.flows[contract.FLOW_PREVIOUS][0])
        for key, direct, track in zip(self.keys, self.direct, previous_tracks, strict=True):
            yield follow(
                self.half, key, direct=direct, to_previous=to_previous, previous_track=track
            )

    def with_known_tracks(self, tracks: Tracks, previous_tracks: Tracks | None) -> FrameInputs:
        """As `with_tracks`, with what `follow` gave for those of the frame before."""
        height, width = self.luma.shape[2:]
        flows = {**self.flows, contract.FLOW_TRACK: _full_size(tracks, height, width)}
        return replace(self, flows=flows, tracks=tracks, previous_tracks=previous_tracks)


def _nowhere(count: int, height: int, width: int) -> tuple[Plane, Plane]:
    """Flow and track [count, 2, height, width] to pictures that nothing can be followed to.

    They say that they are worth nothing: the track stays where it is and the flow leads elsewhere.
    Models compare the two, and where they disagree, trust likeness instead.
    """
    track = np.zeros((count, 2, height, width), np.float32)
    flow_to = np.full_like(track, ELSEWHERE)
    flow_to[:, 0, :, width // 2 :] *= -1
    flow_to[:, 1, height // 2 :] *= -1
    return flow_to, track


def prepare_inputs(
    luma: Plane,
    luma8: Luma8 | None,
    *,
    required_flows: frozenset[str],
    multiple: int,
    previous: Luma8 | None,
    keys: tuple[Luma8, ...],
    reuse: FrameInputs | None = None,
    to_previous: Flow | None = None,
) -> FrameInputs:
    """Pad a frame's luma and compute the optical flow that a model needs of it.

    Args:
        luma: [h, w] float32 in [0, 1].
        luma8: `to_uint8(luma)`, if it is known already.
        required_flows: The contract's flow inputs that the model has.
        multiple: The model's size multiple in pixels.
        previous: `to_uint8` of the frame before, [h, w]; None if there is none.
        keys: `half_size` of `to_uint8` of each key, [H/2, W/2].
        reuse: Inputs already computed for this frame in another pass; flow to shared keys is
            copied from them.
        to_previous: Flow [2, h, w] to the frame before, if it is known already.

    Returns:
        The inputs, without tracks.

    Raises:
        ValueError: `luma` has another shape or type, or is not in [0, 1].
    """
    check_luma(luma)
    height, width = luma.shape
    if required_flows and luma8 is None:
        luma8 = to_uint8(luma)
    flows, half = {}, None
    direct: Tracks = ()
    if luma8 is not None and required_flows & contract.FLOWS_WITH_PREVIOUS:
        flows[contract.FLOW_PREVIOUS] = _to_previous(luma8, previous, multiple, to_previous)
    if luma8 is not None and keys:
        half = half_size(luma8, multiple)
        direct = tuple(_to_key(half, key, reuse) for key in keys)
        if contract.FLOW_KEY in required_flows:
            flows[contract.FLOW_KEY] = _full_size(direct, *(2 * side for side in half.shape))
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
        brightening=brightening(previous, luma8),
    )


def _to_previous(here: Luma8, previous: Luma8 | None, multiple: int, known: Flow | None) -> Plane:
    """Padded flow [1, 2, H, W] to the frame before; zeros if there is none."""
    height, width = here.shape
    batch = empty_batch(2, height, width, multiple)
    plane = batch[0, :, :height, :width]
    if previous is None:
        plane[...] = 0
    elif known is not None:
        plane[...] = known
    else:
        previous_flow(here, previous, out=plane)
    return repeat_edges(batch, height, width)


def _to_key(half: Luma8, key: Luma8, reuse: FrameInputs | None) -> Flow:
    known = None if reuse is None else reuse.direct_to(key)
    return direct_flow(half, key) if known is None else known


def _full_size(motions: tuple[Flow, ...], height: int, width: int) -> Plane:
    """Flows of half size as one batch [k, 2, height, width]."""
    batch = np.empty((len(motions), 2, height, width), np.float32)
    for motion, plane in zip(motions, batch, strict=True):
        enlarge_flow(motion, plane)
    return batch


def _are(one: Tracks | None, two: Tracks | None) -> bool:
    """Whether these are the very same tracks."""
    if one is None or two is None:
        return one is two
    return len(one) == len(two) and all(map(is_, one, two))


def _equal(one: Luma8 | None, two: Luma8 | None) -> bool:
    return one is not None and two is not None and np.array_equal(one, two)
