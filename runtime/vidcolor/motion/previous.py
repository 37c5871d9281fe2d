"""Optical flow to the frame before, whatever the exposure of the two."""

from __future__ import annotations

from vidcolor.motion.exposure import as_bright
from vidcolor.motion.optical_flow import Flow, Luma8, flow


def previous_flow(here: Luma8, before: Luma8, out: Flow | None = None) -> Flow:
    """Compute the flow that models are given for the frame before.

    Args:
        here: Luma codes [h, w].
        before: Luma codes [h, w] of the frame before, or of that behind where a clip plays
            backward.
        out: Array [2, h, w] float32 to write to.

    Returns:
        [2, h, w] float32: where each pixel of `here` lies in `before`; `out` if that is given.
    """
    return flow(as_bright(here, before), before, out)
