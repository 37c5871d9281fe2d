"""What Propagate accepts. Each refusal is one sentence that names the argument."""

from __future__ import annotations

from collections import Counter

import vapoursynth as vs

from vidcolor.errors import ArgumentError, KeyFrameError
from vidcolor.grade import Grades, Spans
from vidcolor.key.scribbles import require_scipy
from vidcolor.references import check_count
from vidcolor.working_size import ASPECT_TOLERANCE, LEAST_SIZE


def check_clip(clip: vs.VideoNode) -> None:
    """Raise ArgumentError unless `clip` is one that can be coloured."""
    _check_constant("clip", clip, _resize("clip", 1920, 1080, "YUV420P8"))
    accepted = "accepted are GRAY and YUV of 8 to 16 bits or half or single float"
    if not _is_depth_accepted(clip.format):
        raise ArgumentError(f"clip is {clip.format.name}, {accepted}")
    if clip.format.color_family == vs.RGB:
        yuv = clip.format.replace(color_family=vs.YUV).name
        raise ArgumentError(
            f"clip is {clip.format.name}, {accepted}; convert it, "
            f'for instance with core.resize.Bicubic(clip, format=vs.{yuv}, matrix_s="709")'
        )
    if min(clip.height, clip.width) < LEAST_SIZE:
        raise ArgumentError(
            f"clip is {clip.width}x{clip.height}, accepted are at least "
            f"{LEAST_SIZE} pixels in both directions"
        )


def check_key(key: vs.VideoNode, clip: vs.VideoNode) -> None:
    """Raise KeyFrameError unless the frames of `key` can be keys of `clip`."""
    _check_constant("key", key, _resize("key", clip.width, clip.height, "RGB48"))
    if key.format.color_family == vs.GRAY or not _is_depth_accepted(key.format):
        raise KeyFrameError(
            f"key is {key.format.name}, accepted are RGB and YUV of 8 to 16 bits or half or "
            "single float: its frames show frames of clip in colour"
        )
    off = (key.width / key.height) / (clip.width / clip.height) - 1
    if abs(off) > ASPECT_TOLERANCE:
        raise KeyFrameError(
            f"key is {key.width}x{key.height}, of aspect {key.width / key.height:.3f}, clip is "
            f"{clip.width}x{clip.height}, of aspect {clip.width / clip.height:.3f}; they may "
            f"differ by {ASPECT_TOLERANCE:.0%}: crop or pad the key to what clip shows"
        )


def check_references(
    given: vs.VideoNode | list[vs.VideoNode] | None,
) -> list[vs.VideoNode]:
    """Check `references`.

    Args:
        given: The argument; None when it was not given. One clip may come as itself.

    Returns:
        The clips; all of their frames are references.

    Raises:
        KeyFrameError: A clip's format is not accepted.
        ArgumentError: They have too many frames.
    """
    if given is None:
        return []
    clips = given if isinstance(given, list) else [given]
    for clip in clips:
        _check_constant("references", clip, "give each picture as a clip of its own")
        if clip.format.color_family == vs.GRAY or not _is_depth_accepted(clip.format):
            raise KeyFrameError(
                f"references: a clip is {clip.format.name}, accepted are RGB and YUV of 8 to 16 "
                "bits or half or single float"
            )
    check_count(sum(clip.num_frames for clip in clips))
    return clips


def check_blend(blend: vs.VideoNode | None, weight: float | None, clip: vs.VideoNode) -> float:
    """Check `blend` and `weight`.

    Returns:
        The weight; 0 where there is nothing to blend with.

    Raises:
        ArgumentError: One is there without the other, or is not accepted.
    """
    if blend is None and weight is None:
        return 0.0
    if blend is None or weight is None:
        raise ArgumentError("blend and weight belong together, only one of them is given")
    if not 0 <= weight <= 1:
        raise ArgumentError(f"weight is {weight}, accepted are 0 to 1")
    form = clip.format
    if form.color_family == vs.GRAY:
        form = vs.core.query_video_format(vs.YUV, form.sample_type, form.bits_per_sample, 0, 0)
    needed = (form.id, clip.width, clip.height, clip.num_frames)
    if (blend.format.id, blend.width, blend.height, blend.num_frames) != needed:
        raise ArgumentError(
            f"blend is {blend.format.name}, {blend.width}x{blend.height}, of {blend.num_frames} "
            f"frames; needed is what clip becomes: {form.name}, {clip.width}x{clip.height}, of "
            f"{clip.num_frames} frames"
        )
    return weight


def grades_of(
    saturation: float | list[float] | None,
    hue: float | list[float] | None,
    ranges: int | list[int] | None,
    clip: vs.VideoNode,
) -> Grades:
    """Check `saturation`, `hue` and `ranges`.

    Args:
        saturation: The argument; None when it was not given. One number may come as itself.
        hue: Likewise.
        ranges: First frame, last frame, first frame, and so on; None when it was not given.
        clip: The clip.

    Returns:
        The grade of each frame. Of several ranges that a frame is in, the last one counts.

    Raises:
        ArgumentError: One is not accepted, or they do not belong together.
    """
    numbers = clip_frames("ranges", ranges, clip) or []
    pairs = list(zip(numbers[::2], numbers[1::2], strict=False))
    if len(numbers) % 2 or any(last < first for first, last in pairs):
        raise ArgumentError(
            f"ranges is {numbers}, accepted are a first and a last frame for each range"
        )
    if ranges is not None and saturation is None and hue is None:
        raise ArgumentError(
            "ranges is given without saturation and hue, whose numbers it is for; to colour only "
            "some frames, give clip[first : last + 1] as clip"
        )
    saturation = 1.0 if saturation is None else saturation
    hue = 0.0 if hue is None else hue
    spans = [range(first, last + 1) for first, last in pairs]
    counts = [len(given) if isinstance(given, list) else 1 for given in (saturation, hue)]
    if spans and len(spans) not in counts:
        raise ArgumentError(
            f"ranges holds {len(spans)} ranges, accepted are as many as there are numbers in "
            "saturation or in hue"
        )
    return Grades(_spans("saturation", saturation, spans), _spans("hue", hue, spans))


def _spans(argument: str, given: float | list[float], ranges: list[range]) -> Spans:
    values = given if isinstance(given, list) else [given]
    if len(values) == len(ranges):
        return list(zip(ranges, values, strict=True))
    if len(values) != 1:
        raise ArgumentError(
            f"{argument} holds {len(values)} numbers, accepted are one for all frames, or one for "
            f"each of ranges, which holds {len(ranges)}"
        )
    return [(None, values[0])]


def check_alpha(alpha: vs.VideoNode, key: vs.VideoNode) -> None:
    """Raise KeyFrameError unless the frames of `alpha` can be the alpha of those of `key`."""
    _check_constant("alpha", alpha, _resize("alpha", key.width, key.height, "GRAY8"))
    if alpha.format.color_family != vs.GRAY or not _is_depth_accepted(alpha.format):
        raise KeyFrameError(
            f"alpha is {alpha.format.name}, accepted is GRAY of 8 to 16 bits or half or single "
            "float: 0 where key is not painted"
        )
    if (alpha.width, alpha.height) != (key.width, key.height):
        raise KeyFrameError(
            f"alpha is {alpha.width}x{alpha.height}, key is {key.width}x{key.height}; they must "
            "have one size"
        )
    if alpha.num_frames != key.num_frames:
        raise KeyFrameError(
            f"alpha has {alpha.num_frames} frames, key has {key.num_frames}; accepted is one for "
            "each frame of key"
        )
    require_scipy()


def key_frames(
    given: int | list[int] | None, key: vs.VideoNode | None, clip: vs.VideoNode
) -> list[int] | None:
    """Check `frames`.

    Args:
        given: The argument; None when it was not given. One number may come as itself.
        key: The key clip, if there is one.
        clip: The clip.

    Returns:
        A list with one frame of `clip` for each frame of `key`, or None.

    Raises:
        KeyFrameError: It is no such list.
    """
    frames = clip_frames("frames", given, clip)
    if key is None:
        if frames is not None:
            raise KeyFrameError("frames is given without key, whose frames it belongs to")
        return []
    if frames is None:
        return None
    if len(frames) != key.num_frames:
        raise KeyFrameError(
            f"frames holds {len(frames)} numbers, accepted is one for each frame of key, "
            f"{key.num_frames}"
        )
    twice = [frame for frame, count in Counter(frames).items() if count > 1]
    if twice:
        raise KeyFrameError(f"frames holds {min(twice)} more than once, accepted is one key each")
    return frames


def clip_frames(
    argument: str, given: int | list[int] | None, clip: vs.VideoNode
) -> list[int] | None:
    """Check a list of frame numbers.

    Args:
        argument: Its name.
        given: The argument; None when it was not given. One number may come as itself.
        clip: The clip.

    Returns:
        The list, or None.

    Raises:
        ArgumentError: A number is not that of a frame of `clip`.
    """
    if given is None:
        return None
    frames = given if isinstance(given, list) else [given]
    for frame in frames:
        if not 0 <= frame < clip.num_frames:
            raise ArgumentError(
                f"{argument} holds {frame}, accepted are frames of clip, 0 to {clip.num_frames - 1}"
            )
    return frames


def check_flag(argument: str, value: int) -> None:
    """Raise ArgumentError unless `value` is 0 or 1."""
    if value not in (0, 1):
        raise ArgumentError(f"{argument} is {value}, accepted are 0 and 1")


def precision_of(fp16: int | None) -> str:
    """The precision that `fp16` asks for, as `Session.load` names it.

    Args:
        fp16: 0, 1, or None when it was not given.

    Returns:
        'float32', 'float16' or 'auto'.

    Raises:
        ArgumentError: It is anything else.
    """
    if fp16 is None:
        return "auto"
    check_flag("fp16", fp16)
    return "float16" if fp16 else "float32"


def _check_constant(name: str, clip: vs.VideoNode, remedy: str) -> None:
    if clip.format.color_family == vs.UNDEFINED or 0 in (clip.width, clip.height):
        raise ArgumentError(
            f"{name} changes its format or size from frame to frame, one format and size are "
            f"needed; {remedy}"
        )


def _resize(name: str, width: int, height: int, form: str) -> str:
    return (
        f"convert it, for instance with core.resize.Bicubic({name}, width={width}, "
        f"height={height}, format=vs.{form})"
    )


def _is_depth_accepted(form: vs.VideoFormat) -> bool:
    return form.sample_type == vs.FLOAT or 8 <= form.bits_per_sample <= 16
