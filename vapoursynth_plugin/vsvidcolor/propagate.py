"""START HERE: ``core.vidcolor.Propagate``, from its arguments to a graph of filters.

    clip -> luma, key's chroma -> step(luma, state) -> chroma, state' -> clip (luma untouched)

Between clips of full size and the model stand two stages that have no memory and run in parallel;
only the small planes between them pass through the recurrence, one frame after the other. What a
step takes from luma alone, optical flow, is made on the way there, in parallel too. All
colour is made by the runtime's own `Fit.down`, `Propagator.step`, `blend` and `Fit.up`, so that it
is the same, bit for bit, as in the plain loop of `vidcolor.propagate`.

Which frame is stepped from which is said by `vidcolor.timeline`, when a request for it arrives in
`vsvidcolor.render`.
"""

from __future__ import annotations

from typing import Any

import vapoursynth as vs

from vidcolor.inference.bundle import DEFAULT_MODEL
from vidcolor.inference.providers import ERRORS
from vidcolor.inference.session import Session
from vidcolor.propagate import Propagator
from vidcolor.timeline import DIRECTIONS, FIRST_INTERVAL, Shots
from vidcolor.working_size import Fit
from vsvidcolor import cancel
from vsvidcolor.arguments import (
    check_alpha,
    check_choice,
    check_clip,
    check_flag,
    check_key,
    check_least,
    clip_frames,
    key_frames,
    precision_of,
)
from vsvidcolor.filters import core, outlook, recurrence, stage
from vsvidcolor.key_clip import Keys
from vsvidcolor.key_frame import ALPHA_PROP
from vsvidcolor.props import COLOUR_PROPS
from vsvidcolor.render import Renderer
from vsvidcolor.stages import (
    CONFIDENCE_PROP,
    KEYED_PROP,
    Stages,
    chroma_format,
    chroma_shape,
    gray_format,
)

NAME = "Propagate"


def propagate(
    *,
    clip: vs.VideoNode,
    key: vs.VideoNode,
    frames: int | list[int] | None = None,
    alpha: vs.VideoNode | None = None,
    direction: str = "both",
    scenes: int | list[int] | None = None,
    confidence: int = 0,
    model: str = DEFAULT_MODEL,
    size: int = 256,
    provider: str = "auto",
    device_id: int = 0,
    num_streams: int = 1,
    verbosity: int = ERRORS,
    fp16: int | None = None,
    saturation: float = 1.0,
    checkpoint: int = FIRST_INTERVAL,
) -> dict[str, Any]:
    """Colour `clip` from the frames of `key`.

    clip: GRAY, or YUV of any subsampling, whose own chroma is not looked at; 8 to 16 bit integer,
        half or single float. Luma comes out as it went in, and so do depth and subsampling; GRAY
        becomes 4:4:4.
    key: what frames of `clip` look like in colour, RGB or YUV of any size with the clip's aspect.
    frames: which of the clip's frames those of `key` show; else `key` says so, see `Keys`.
    alpha: where the frames of `key` are painted, GRAY; else their property _Alpha says so. What is
        not painted takes its colours from what is, spread along the clip's luma.
    direction: from which keys colour is carried to a frame: 'forward' from the one before it,
        'backward' from the one after it, 'both' from either, blended; see `Timeline.runs`.
    scenes: first frames of the clip's shots; else the property _SceneChangePrev says where a shot
        starts. Nothing is carried from one shot to the next.
    confidence: 1 for a second clip, with the confidence in each pixel.
    model: the name of a shipped bundle, or the path of a bundle's folder.
    size: short side of the planes the model works on, in pixels.
    provider: 'cpu', 'cuda', or 'auto': CUDA where it works.
    device_id: which CUDA device.
    num_streams: steps of the model at a time; between two keys a frame takes two.
    verbosity: how much onnxruntime says on stderr, from 0, everything, to 4, fatal errors only.
    fp16: whether to use the model's float16 graphs; by default on CUDA only.
    saturation: what chroma is multiplied by, that of keys too.
    checkpoint: frames between the states that are kept for going back, as long as they fit.

    Raises VidcolorError for arguments that are not accepted.
    """
    check_clip(clip)
    check_key(key, clip)
    if alpha is not None:
        check_alpha(alpha, key)
        key = core.std.ClipToProp(key, alpha, prop=ALPHA_PROP)
    check_choice("direction", direction, DIRECTIONS)
    check_flag("confidence", confidence)
    check_least("num_streams", num_streams, least=1)
    check_least("saturation", saturation, least=0)
    check_least("checkpoint", checkpoint, least=1)
    stages = Stages(Fit.of(clip.height, clip.width, size), saturation)
    keys = Keys(
        key_frames(frames, key, clip),
        count=key.num_frames,
        length=clip.num_frames,
        direction=direction,
    )
    shots = Shots(clip.num_frames, clip_frames("scenes", scenes, clip))
    session = Session.load(
        model,
        provider=provider,
        device_id=device_id,
        precision=precision_of(fp16),
        verbosity=verbosity,
    )
    cancel.listen()
    renderer = Renderer(
        Propagator(session),
        keys,
        shots,
        requests=2 * vs.core.num_threads,
        interval=checkpoint,
        streams=num_streams,
    )
    clips = _graph(clip, key, stages, renderer, looks=bool(session.flows))
    return {"clip": clips if confidence else clips[0]}


def _graph(
    clip: vs.VideoNode, key: vs.VideoNode, stages: Stages, renderer: Renderer, *, looks: bool
) -> list[vs.VideoNode]:
    """The coloured clip, and its confidence. looks: whether steps take more than the luma."""
    working = stages.fit.working.shape
    luma = stage(NAME, [clip], stages.shrink, format_id=vs.GRAYS, size=working)
    small = recurrence(
        NAME,
        outlook(NAME, luma, renderer=renderer, read_luma=stages.read_luma) if looks else luma,
        key,
        renderer=renderer,
        read_luma=stages.read_luma,
        read_key=stages.read_key,
        write=stages.write,
    )
    chroma = stage(
        NAME,
        [clip, luma, small],
        stages.colour,
        format_id=chroma_format(clip),
        size=chroma_shape(clip),
        aside=key,
        wanted=stages.wanted,
    )
    joined = core.std.ShufflePlanes([clip, chroma, chroma], planes=[0, 1, 2], colorfamily=vs.YUV)
    props = [*COLOUR_PROPS, CONFIDENCE_PROP, KEYED_PROP]
    coloured = core.std.CopyFrameProps(joined, chroma, props=props)
    full = clip.height, clip.width
    mask = stage(NAME, [clip, small], stages.mask, format_id=gray_format(clip), size=full)
    return [coloured, mask]
