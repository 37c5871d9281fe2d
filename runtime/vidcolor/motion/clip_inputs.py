"""Inputs of all frames of a clip in turn, for code that has the clip and no `Propagator`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import repeat

import numpy as np

from vidcolor.motion.frame_inputs import FrameInputs, prepare_inputs
from vidcolor.motion.optical_flow import Flow, Luma8
from vidcolor.motion.track import Tracks


def prepare_clip(
    lumas: Iterable[Luma8],
    *,
    required_flows: frozenset[str],
    multiple: int,
    previous: Luma8 | None,
    keys: tuple[Luma8, ...],
    tracks: Tracks | None,
    to_previous: Iterable[Flow] | None = None,
) -> Iterator[FrameInputs]:
    """The inputs of frames that follow each other, with the keys' tracks through them.

    Args:
        lumas: Luma codes [h, w] uint8 of the frames, in order.
        required_flows: As in `prepare_inputs`.
        multiple: As in `prepare_inputs`.
        previous: Luma codes [h, w] of the frame before the first one; None if there is none.
        keys: Luma codes [H/2, W/2] of the keys, as `half_size` makes them.
        tracks: Tracks of the frame before the first one; None if there is none.
        to_previous: Flow [2, h, w] of each frame to the one before, if it is known already.

    Yields:
        The inputs of each frame.
    """
    known_flows = repeat(None) if to_previous is None else to_previous
    for luma8, known in zip(lumas, known_flows, strict=False):  # `repeat` has no end
        inputs = prepare_inputs(
            luma8.astype(np.float32) / np.float32(255),
            luma8,
            required_flows=required_flows,
            multiple=multiple,
            previous=previous,
            keys=keys,
            to_previous=known,
        ).with_tracks(tracks)
        yield inputs
        previous, tracks = luma8, inputs.tracks
