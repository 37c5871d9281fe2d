"""Filters whose frames Python makes: the Python side of Stage and Recurrence in shim.c."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

import numpy as np
import vapoursynth as vs
from numpy.typing import NDArray

from vidcolor.errors import VidcolorError
from vsvidcolor.render import Colours, Renderer
from vsvidcolor.request import Given, Luma, Need, Painted

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
    aside: vs.VideoNode | None = None,
    wanted: Callable[..., int | None] | None = None,
) -> vs.VideoNode:
    """A clip whose frame n is ``make(*frames)`` of frame n of each of `clips`.

    A shorter clip gives its last frame; length and rate are the first's. `make` is called by many
    threads at a time. name: what errors begin with. format_id, size: the new frames' format, and
    height and width. aside, wanted: when ``wanted(*frames)`` is a number, `make` is also given
    that frame of the clip `aside`.
    """

    def answer(
        n: int, token: int, frames: Any = None, need: Any = None, fetched: Any = None
    ) -> Answer:
        if frames is None:
            return {}  # an input failed
        try:
            given = _many(frames)
            number = wanted(*given) if wanted is not None and fetched is None else None
            if number is not None:
                return {"need": [len(given), number]}
            return {"val": make(*given, *_many(fetched))}
        except Exception as error:
            return answer_error(f"{name}: frame {n}", error)

    height, width = size
    made: vs.VideoNode = core.vidcolor.Stage(
        [*clips, *([] if aside is None else [aside])],
        given=len(clips),
        func=answer,
        format=format_id,
        width=width,
        height=height,
    )
    return made


def outlook(
    name: str,
    lumas: vs.VideoNode,
    *,
    renderer: Renderer,
    read_luma: Callable[[vs.VideoFrame], Luma],
) -> vs.VideoNode:
    """`lumas` itself; on their way, `renderer` looks at its frames, many threads at a time."""

    def answer(
        n: int, token: int, frames: Any = None, need: Any = None, fetched: Any = None
    ) -> Answer:
        if frames is None:
            return {}
        try:
            luma = read_luma(frames)
            beside = renderer.beside(n, luma) if need is None else []
            if beside:
                return {"need": [part for number in beside for part in (0, number)]}
            numbers = [] if need is None else need[1::2]
            given = zip(numbers, map(read_luma, _many(fetched)), strict=True)
            renderer.prepare(n, luma, dict(given))
            return {"val": frames}
        except Exception as error:
            return answer_error(f"{name}: frame {n}", error)

    seen: vs.VideoNode = core.vidcolor.Stage(
        [lumas],
        given=1,
        func=answer,
        format=lumas.format.id,
        width=lumas.width,
        height=lumas.height,
    )
    # Whoever fetches a frame again may have a step to make of it again.
    core.std.SetVideoCache(seen, mode=0)
    return seen


def recurrence(
    name: str,
    lumas: vs.VideoNode,
    key: vs.VideoNode,
    *,
    renderer: Renderer,
    read_luma: Callable[[vs.VideoFrame], Luma],
    read_key: Callable[[vs.VideoFrame], Painted],
    write: Callable[[Colours], vs.VideoFrame],
) -> vs.VideoNode:
    """The clip that `renderer` makes of `lumas` and `key`: YUV444PS of the size of `lumas`."""

    def answer(
        n: int, token: int, frames: Any = None, need: Any = None, fetched: Any = None
    ) -> Answer:
        if frames is None:
            renderer.drop(token)
            return {}
        try:
            luma, given = read_luma(frames), None
            if need is not None:
                given = Given(lumas={}, keys={})
                for clip, number, frame in zip(need[::2], need[1::2], _many(fetched), strict=True):
                    kind: dict[int, Any] = given[clip]
                    kind[number] = (read_luma, read_key)[clip](frame)
            result = renderer.advance(n, token, luma=luma, given=given)
            if isinstance(result, Need):
                pairs = ((clip, n) for clip, numbers in enumerate(result) for n in numbers)
                return {"need": list(chain.from_iterable(pairs))}
            return {"val": write(result)}
        except Exception as error:
            return answer_error(name, error)

    made: vs.VideoNode = core.vidcolor.Recurrence(
        [lumas, key],
        given=1,
        func=answer,
        format=vs.YUV444PS,
        width=lumas.width,
        height=lumas.height,
    )
    return made


def plane(frame: vs.VideoFrame, index: int) -> NDArray[Any]:
    """One plane of a frame as [h, w], in place."""
    return np.asarray(frame[index])


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
