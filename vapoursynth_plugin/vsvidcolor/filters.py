"""Filters whose frames Python makes: the Python side of Stage and Recurrence in shim.c."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import vapoursynth as vs

from vidcolor.cores import one_opencv_thread
from vidcolor.errors import VidcolorError
from vsvidcolor.cancel import CancelToken, InterruptedSeekError
from vsvidcolor.key_clip import FRAME_PROP
from vsvidcolor.render import ColoredFrame, Renderer
from vsvidcolor.replay import Replay
from vsvidcolor.request import ClipFrame, InputRequest, InputResponse, KeyFrame

core: Any = vs.core
"""VapourSynth's core; its own type stubs know no plugins."""

type Answer = dict[str, Any]
"""What a function gives the shim: `need`, `val` or `error`; see getFrame in shim.c."""

_CLIP, _KEY = 0, 1
"""The places of the clip and of the key clip among the clips of Recurrence."""


def answer_error(name: str, error: Exception) -> Answer:
    """What the shim turns into an error ``name: sentence``.

    An exception would not do: VapourSynth shows its whole traceback.

    Args:
        name: What the error begins with.
        error: The error; the name of its class is shown unless it is one of vidcolor's own.

    Returns:
        The answer for the shim.
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
    extra: vs.VideoNode | None = None,
    extra_number: Callable[..., int | None] | None = None,
    numbered: bool = False,
) -> vs.VideoNode:
    """A filter whose frame n depends on frame n of its inputs only.

    Args:
        name: What errors begin with.
        clips: The inputs. A shorter one gives its last frame; length and rate are the first's.
        make: Called with frame n of each of `clips`, by many threads at a time.
        format_id: The id of the new frames' format.
        size: Height and width of the new frames, in pixels.
        extra: A clip of which `make` sometimes takes one more frame.
        extra_number: Called as `make` is; where it gives a number, `make` is also given that frame
            of `extra`.
        numbered: Whether `make` is given n first.

    Returns:
        The filter's output.
    """

    def answer(
        n: int, token: int, frames: Any = None, need: Any = None, fetched: Any = None
    ) -> Answer:
        if frames is None:
            return {}  # an input failed
        try:
            inputs = _many(frames)
            if extra_number is not None and fetched is None:
                number = extra_number(*inputs)
                if number is not None:
                    return {"need": [len(inputs), number]}
            with one_opencv_thread():  # VapourSynth makes other frames in other threads
                return {"val": make(*([n] if numbered else []), *inputs, *_many(fetched))}
        except InterruptedSeekError:
            raise  # VapourSynth must get this exception itself
        except Exception as error:
            return answer_error(f"{name}: frame {n}", error)

    height, width = size
    made: vs.VideoNode = core.vidcolor.Stage(
        [*clips, *([] if extra is None else [extra])],
        given=len(clips),
        func=answer,
        format=format_id,
        width=width,
        height=height,
    )
    return made


def prefetch(
    name: str,
    lumas: vs.VideoNode,
    *,
    replay: Replay,
    read_luma: Callable[[vs.VideoFrame], ClipFrame],
) -> vs.VideoNode:
    """A filter that passes frames on and has `replay` prepare the steps of each, in parallel.

    Args:
        name: What errors begin with.
        lumas: The clip's luma at working size.
        replay: Takes the prepared inputs.
        read_luma: Reads a frame of `lumas`; called by many threads at a time.

    Returns:
        A clip with the frames of `lumas`.
    """

    def answer(
        n: int, token: int, frames: Any = None, need: Any = None, fetched: Any = None
    ) -> Answer:
        if frames is None:
            return {}  # an input failed
        try:
            clip_frame = read_luma(frames)
            if need is None:
                previous = replay.previous_frames(n, clip_frame)
                if previous:
                    return {"need": _pairs(_CLIP, previous)}
            numbers = [] if need is None else need[1::2]
            given = dict(zip(numbers, map(read_luma, _many(fetched)), strict=True))
            with one_opencv_thread(), CancelToken().asked(n):
                replay.prepare(n, clip_frame.luma, given)
            return {"val": frames}
        except InterruptedSeekError:
            raise  # VapourSynth must get this exception itself
        except Exception as error:
            return answer_error(f"{name}: frame {n}", error)

    passed: vs.VideoNode = core.vidcolor.Stage(
        [lumas],
        given=1,
        func=answer,
        format=lumas.format.id,
        width=lumas.width,
        height=lumas.height,
    )
    # A frame that is fetched again may have to be stepped to again: it must come by here again.
    core.std.SetVideoCache(passed, mode=0)
    return passed


def recurrence(
    name: str,
    lumas: vs.VideoNode,
    key: vs.VideoNode,
    *,
    renderer: Renderer,
    read_luma: Callable[[vs.VideoFrame], ClipFrame],
    write: Callable[[ColoredFrame], vs.VideoFrame],
) -> vs.VideoNode:
    """The filter that colours.

    Args:
        name: What errors begin with.
        lumas: The clip's luma at working size.
        key: The key clip.
        renderer: Colours frame after frame.
        read_luma: Reads a frame of `lumas`.
        write: Makes an output frame of what the renderer gives.

    Returns:
        A YUV444PS clip of the size of `lumas`.
    """

    def read(need: Sequence[int], fetched: Any) -> InputResponse:
        response = InputResponse(lumas={}, keys={})
        for clip, number, frame in zip(need[::2], need[1::2], _many(fetched), strict=True):
            if clip == _CLIP:
                response.lumas[number] = read_luma(frame)
            else:
                response.keys[number] = KeyFrame(frame, frame.props.get(FRAME_PROP))
        return response

    def answer(
        n: int, token: int, frames: Any = None, need: Any = None, fetched: Any = None
    ) -> Answer:
        if frames is None:
            renderer.drop(token)
            return {}
        try:
            response = None if need is None else read(need, fetched)
            result = renderer.advance(n, token, clip_frame=read_luma(frames), response=response)
            if isinstance(result, InputRequest):
                return {"need": [*_pairs(_CLIP, result.lumas), *_pairs(_KEY, result.keys)]}
            return {"val": write(result)}
        except InterruptedSeekError:
            raise  # VapourSynth must get this exception itself
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


def _pairs(clip: int, numbers: Sequence[int]) -> list[int]:
    """Frames of a clip as the shim takes them: place of the clip, number, place, number, ..."""
    return [part for number in numbers for part in (clip, number)]


def _many(values: Any) -> list[Any]:
    """VapourSynth gives an array of one element as that element, and an empty one not at all."""
    if values is None:
        return []
    return values if isinstance(values, list) else [values]
