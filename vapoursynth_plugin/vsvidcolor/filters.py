"""Filters whose frames Python makes: the Python side of Stage and Recurrence in shim.c."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import vapoursynth as vs
from numpy.typing import NDArray

from vidcolor.errors import VidcolorError
from vidcolor.planes import Key
from vsvidcolor.cursor import Replay

core: Any = vs.core
"""VapourSynth's core; its own type stubs know no plugins."""

Answer = dict[str, Any]


def answer_error(name: str, error: Exception) -> Answer:
    """What the shim turns into an error ``name: sentence``.

    Raising would not do: of an exception VapourSynth shows the whole traceback.
    """
    kind = "" if isinstance(error, VidcolorError) else f"{type(error).__name__}: "
    return {"error": f"{name}: {kind}{error}"}


def stage(
    name: str,
    clips: Sequence[vs.VideoNode],
    make: Callable[..., vs.VideoFrame],
    *,
    format_id: int,
    size: tuple[int, int],
) -> vs.VideoNode:
    """A clip whose frame n is ``make(*frames)`` of frame n of each of `clips`.

    A shorter clip gives its last frame; length and rate are the first's. `make` is called by many
    threads at a time. name: what errors begin with. format_id, size: the new frames' format, and
    height and width.
    """

    def answer(n: int, token: int, frames: Any = None) -> Answer:
        if frames is None:
            return {}  # an input failed
        try:
            return {"val": make(*_many(frames))}
        except Exception as error:
            return answer_error(f"{name}: frame {n}", error)

    height, width = size
    made: vs.VideoNode = core.vidcolor.Stage(
        clips, func=answer, format=format_id, width=width, height=height
    )
    return made


def recurrence(
    name: str, lumas: vs.VideoNode, key: vs.VideoNode, *, replay: Replay
) -> vs.VideoNode:
    """The clip that `replay` makes of `lumas`: confidence, Cb and Cr as the planes of YUV444PS.

    lumas: GRAYS at working size. key: YUV444PS of the same size, its frame 0 is the key.
    """

    def answer(
        n: int, token: int, frames: Any = None, need: Any = None, fetched: Any = None
    ) -> Answer:
        if frames is None:
            replay.drop(token)
            return {}
        try:
            luma, key = _many(frames)
            numbers = [n, *_many(need)]
            planes = (plane(frame, 0) for frame in (luma, *_many(fetched)))
            step = replay.advance(
                n, token, key=partial(read_key, key), lumas=dict(zip(numbers, planes, strict=True))
            )
        except Exception as error:
            return answer_error(name, error)
        if isinstance(step, range):
            return {"need": list(step)}
        return {"val": new_frame(vs.YUV444PS, step.confidence, *step.chroma)}

    made: vs.VideoNode = core.vidcolor.Recurrence(
        [lumas, key], func=answer, format=vs.YUV444PS, width=lumas.width, height=lumas.height
    )
    return made


def plane(frame: vs.VideoFrame, index: int) -> NDArray[Any]:
    """One plane of a frame as [h, w], in place."""
    return np.asarray(frame[index])


def read_key(frame: vs.VideoFrame) -> Key:
    """The planes of a YUV444PS frame."""
    return Key(
        luma=plane(frame, 0).copy(), chroma=np.stack([plane(frame, index) for index in (1, 2)])
    )


def new_frame(format_id: int, *planes: NDArray[Any] | None) -> vs.VideoFrame:
    """A frame of these [h, w] planes, all of one size; what None stands for is left as it is."""
    height, width = next(values.shape for values in planes if values is not None)
    frame = vs.core.create_video_frame(format_id, width, height)
    for index, values in enumerate(planes):
        if values is not None:
            plane(frame, index)[:] = values
    return frame


def _many(values: Any) -> list[Any]:
    """VapourSynth gives an array of one element as that element, and an empty one not at all."""
    if values is None:
        return []
    return values if isinstance(values, list) else [values]
