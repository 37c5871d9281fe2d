"""START HERE: ``core.vidcolor.Propagate``, from its arguments to a graph of filters.

    clip -> luma, key's chroma -> step(luma, state) -> chroma, state' -> clip (luma untouched)

Between full-size clips and the model stand two stages that have no memory and run in parallel. Only
the small planes between them pass through the recurrence, one frame after the other. Inputs of a
step that depend on luma alone, such as optical flow, are computed ahead, in parallel. All colour is
made by the runtime's own `WorkingSize.downsample_codes`, `Propagator.step`, `blend_passes` and
`Enlarger`. So it is the same, bit for bit, as in the plain loop of
`vidcolor.propagate`.

`vidcolor.timeline` says which frame is stepped from which; `vsvidcolor.render` asks it when a
request for a frame arrives.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import vapoursynth as vs

from vidcolor.checks import check_choice, check_whole
from vidcolor.errors import ArgumentError
from vidcolor.inference.bundle import DEFAULT_MODEL
from vidcolor.inference.enlarge import Enlarger
from vidcolor.inference.providers import ERRORS
from vidcolor.inference.session import Session
from vidcolor.propagate import Propagator
from vidcolor.timeline import DIRECTIONS, FIRST_INTERVAL, Shots
from vidcolor.working_size import WorkingSize
from vsvidcolor import cancel
from vsvidcolor.arguments import (
    check_alpha,
    check_blend,
    check_clip,
    check_flag,
    check_key,
    check_references,
    clip_frames,
    grades_of,
    key_frames,
    precision_of,
)
from vsvidcolor.filters import core, prefetch, recurrence, stage
from vsvidcolor.key_clip import Keys
from vsvidcolor.key_frame import ALPHA_PROP
from vsvidcolor.props import COLOR_PROPS
from vsvidcolor.render import Renderer
from vsvidcolor.replay import Replay
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
    key: vs.VideoNode | None = None,
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
    saturation: float | list[float] | None = None,
    hue: float | list[float] | None = None,
    checkpoint: int = FIRST_INTERVAL,
    references: vs.VideoNode | list[vs.VideoNode] | None = None,
    blend: vs.VideoNode | None = None,
    weight: float | None = None,
    ranges: list[int] | None = None,
) -> dict[str, Any]:
    """Colour a clip from key frames: the function behind ``core.vidcolor.Propagate``.

    Args:
        clip: GRAY, or YUV of any subsampling, whose own chroma is ignored; 8 to 16 bit integer,
            half or single float. Luma, depth and subsampling are kept; GRAY becomes 4:4:4.
        key: Frames of `clip` in colour, RGB or YUV of any size with the clip's aspect. It may be
            left out where there are references.
        frames: The clip's frame that each frame of `key` shows; without it `key` says so by
            properties, see `Keys`.
        alpha: Where the frames of `key` are painted, GRAY; without it their property _Alpha says
            so. The rest takes its colours from what is painted, spread along the clip's luma.
        direction: From which keys colour is carried to a frame: 'forward' from the one before it,
            'backward' from the one after it, 'both' from both, blended; see `Timeline`.
        scenes: First frames of the clip's shots; without it the property _SceneChangePrev says
            where a shot starts. Nothing is carried from one shot to the next.
        confidence: 1 for a second clip, with the confidence of each pixel.
        model: The name of a shipped model, or the path of a bundle's folder.
        size: Short side, in pixels, of the planes that the model works on.
        provider: 'cpu', 'cuda', 'auto': CUDA where it works; or another as in `Session.load`.
        device_id: Which of the provider's devices.
        num_streams: Steps of the model at a time; between two keys a frame takes two.
        verbosity: What onnxruntime says on stderr, from 0, everything, to 4, fatal errors only.
        fp16: Whether to use the model's float16 graphs; by default on CUDA only.
        saturation: What chroma is multiplied by, that of keys too; a number for all frames, or one
            for each of `ranges`.
        hue: Degrees that chroma is turned by, likewise; see `Grade`.
        checkpoint: Frames between the states that are kept for going back, as long as they fit.
        references: Clips whose frames are pictures in colour that show no frame of `clip`, RGB or
            YUV of any size; shots without a key are coloured by likeness to them.
        blend: The same clip as coloured by something else, of the format that comes out.
        weight: Its share of the chroma, 0 to 1.
        ranges: First and last frames of the ranges that `saturation` and `hue` are for.

    Returns:
        ``clip``: the coloured clip, or with `confidence` a list of it and the confidence.

    Raises:
        VidcolorError: An argument is not accepted; the sentence names it.
    """
    check_clip(clip)
    pictures = check_references(references)
    if key is not None:
        check_key(key, clip)
    elif not pictures:
        raise ArgumentError("key is not given, it may be left out where there are references")
    key = _with_alpha(key, alpha)
    check_choice("direction", direction, DIRECTIONS)
    check_flag("confidence", confidence)
    check_whole("num_streams", num_streams, least=1)
    check_whole("checkpoint", checkpoint, least=1)
    stages = Stages(
        WorkingSize.of(clip.height, clip.width, size),
        grades_of(saturation, hue, ranges, clip),
        check_blend(blend, weight, clip),
    )
    keys = Keys(
        key_frames(frames, key, clip),
        count=0 if key is None else key.num_frames,
        length=clip.num_frames,
        direction=direction,
        fit=stages.fit_key,
        references=sum(picture.num_frames for picture in pictures),
        fit_reference=stages.fit_reference,
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
    if pictures and not session.remembers:
        raise ArgumentError(
            f"references: the model {session.metadata.name} remembers no pictures; leave them out, "
            "or choose another model, such as vidcolor-2"
        )
    replay = Replay(
        Propagator(session),
        keys,
        shots,
        requests=2 * vs.core.num_threads,
        interval=checkpoint,
    )
    renderer = Renderer(replay, keys, shots, streams=num_streams)
    stages = replace(stages, enlarger=Enlarger(stages.working_size, session.device_runner))
    shown = [*([] if key is None else [key]), *pictures]
    key = core.std.Splice(shown, mismatch=True) if len(shown) > 1 else shown[0]
    others = [] if blend is None or stages.blend == 0 else [blend]
    clips = _graph(clip, key, others, stages, renderer, replay if session.flows else None)
    return {"clip": clips if confidence else clips[0]}


def _with_alpha(key: vs.VideoNode | None, alpha: vs.VideoNode | None) -> vs.VideoNode | None:
    """The key clip, whose frames say where they are painted."""
    if alpha is None:
        return key
    if key is None:
        raise ArgumentError("alpha is given without key, whose frames it belongs to")
    check_alpha(alpha, key)
    with_alpha: vs.VideoNode = core.std.ClipToProp(key, alpha, prop=ALPHA_PROP)
    return with_alpha


def _graph(
    clip: vs.VideoNode,
    key: vs.VideoNode,
    others: list[vs.VideoNode],
    stages: Stages,
    renderer: Renderer,
    replay: Replay | None,
) -> list[vs.VideoNode]:
    """The coloured clip, and its confidence.

    key: the keys, and behind them the references.
    others: the clip to blend with, if there is one.
    replay: the renderer's own, where steps have inputs that can be computed ahead.
    """
    working = stages.working_size.working.shape
    luma = stage(NAME, [clip], stages.shrink, format_id=vs.GRAYS, size=working)
    ahead = luma
    if replay is not None:
        ahead = prefetch(NAME, luma, replay=replay, read_luma=stages.read_luma)
    small = recurrence(
        NAME,
        ahead,
        key,
        renderer=renderer,
        read_luma=stages.read_luma,
        write=stages.write,
    )
    chroma = stage(
        NAME,
        [clip, luma, small, *others],
        stages.color,
        format_id=chroma_format(clip),
        size=chroma_shape(clip),
        extra=key,
        extra_number=stages.key_number,
        numbered=True,
    )
    joined = core.std.ShufflePlanes([clip, chroma, chroma], planes=[0, 1, 2], colorfamily=vs.YUV)
    props = [*COLOR_PROPS, CONFIDENCE_PROP, KEYED_PROP]
    colored = core.std.CopyFrameProps(joined, chroma, props=props)
    full = clip.height, clip.width
    mask = stage(NAME, [clip, small], stages.mask, format_id=gray_format(clip), size=full)
    return [colored, mask]
