"""START HERE: ``core.vidcolor.Propagate``, from its arguments to a graph of filters.

    clip -> luma, key's chroma -> step(luma, state) -> chroma, state' -> clip (luma untouched)

Between clips of full size and the model stand two stages that have no memory and run in parallel;
only the small planes between them pass through the recurrence, one frame after the other. All
colour is made by the runtime's own `Fit.down`, `Propagator.step` and `Fit.up`, so that it is the
same, bit for bit, as in the plain loop of `vidcolor.propagate`.
"""

from __future__ import annotations

from typing import Any

import vapoursynth as vs

from vidcolor.bundle import DEFAULT_MODEL
from vidcolor.fit import Fit
from vidcolor.propagate import Propagator
from vidcolor.session import Session
from vsvidcolor.arguments import check_clip, check_key, precision_of
from vsvidcolor.cursor import Replay
from vsvidcolor.filters import core, recurrence, stage
from vsvidcolor.props import COLOUR_PROPS
from vsvidcolor.stages import Stages, chroma_format, chroma_shape

NAME = "Propagate"


def propagate(
    *,
    clip: vs.VideoNode,
    key: vs.VideoNode,
    model: str = DEFAULT_MODEL,
    size: int = 256,
    provider: str = "auto",
    device_id: int = 0,
    fp16: int | None = None,
) -> dict[str, Any]:
    """Colour `clip` from frame 0 of `key`.

    clip: GRAY, or YUV of any subsampling, whose own chroma is not looked at; 8 to 16 bit integer,
        half or single float. Luma comes out as it went in, and so do depth and subsampling; GRAY
        becomes 4:4:4.
    key: what frame 0 of `clip` looks like in colour, RGB or YUV of any size with the clip's aspect.
    model: the name of a shipped bundle, or the path of a bundle's folder.
    size: short side of the planes the model works on, in pixels.
    provider: 'cpu', 'cuda', or 'auto': CUDA where it works.
    device_id: which CUDA device.
    fp16: whether to use the model's float16 graphs; by default on CUDA only.

    Raises VidcolorError for arguments that are not accepted.
    """
    check_clip(clip)
    check_key(key, clip)
    fit = Fit.of(clip.height, clip.width, size)
    session = Session.load(
        model, provider=provider, device_id=device_id, precision=precision_of(fp16)
    )
    replay = Replay(Propagator(session), requests=2 * vs.core.num_threads)
    return {"clip": _graph(clip, key, Stages(fit), replay)}


def _graph(clip: vs.VideoNode, key: vs.VideoNode, stages: Stages, replay: Replay) -> vs.VideoNode:
    """The coloured clip. Frame 0 takes the key's own chroma; all others take the model's."""
    working, full = stages.fit.working.shape, chroma_shape(clip)
    chroma_only = chroma_format(clip)
    first = [clip[0], key[0]]

    luma = stage(NAME, [clip], stages.shrink, format_id=vs.GRAYS, size=working)
    small_key = stage(NAME, first, stages.shrink_key, format_id=vs.YUV444PS, size=working)
    small = recurrence(NAME, luma, small_key, replay=replay)
    chroma = stage(NAME, first, stages.fit_key, format_id=chroma_only, size=full)
    if clip.num_frames > 1:
        later = stage(NAME, [clip, luma, small], stages.enlarge, format_id=chroma_only, size=full)
        chroma += later[1:]

    joined = core.std.ShufflePlanes([clip, chroma, chroma], planes=[0, 1, 2], colorfamily=vs.YUV)
    coloured: vs.VideoNode = core.std.CopyFrameProps(joined, chroma, props=COLOUR_PROPS)
    return coloured
