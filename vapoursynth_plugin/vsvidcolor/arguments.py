"""What Propagate accepts, and the sentences that say so."""

from __future__ import annotations

import vapoursynth as vs

from vidcolor.errors import ArgumentError, KeyFrameError
from vidcolor.fit import ASPECT_TOLERANCE, LEAST_SIZE


def check_clip(clip: vs.VideoNode) -> None:
    """Raise ArgumentError unless `clip` is one that can be coloured."""
    _check_constant("clip", clip)
    accepted = "accepted are GRAY and YUV of 8 to 16 bits or half or single float"
    if clip.format.color_family == vs.RGB:
        raise ArgumentError(
            f"clip is {clip.format.name}, {accepted}; convert it, "
            'for instance with core.resize.Bicubic(clip, format=vs.YUV444P8, matrix_s="709")'
        )
    if not _is_depth_accepted(clip.format):
        raise ArgumentError(f"clip is {clip.format.name}, {accepted}")
    if min(clip.height, clip.width) < LEAST_SIZE:
        raise ArgumentError(
            f"clip is {clip.width}x{clip.height}, accepted are at least "
            f"{LEAST_SIZE} pixels in both directions"
        )


def check_key(key: vs.VideoNode, clip: vs.VideoNode) -> None:
    """Raise KeyFrameError unless frame 0 of `key` can be a key of `clip`."""
    _check_constant("key", key)
    if key.format.color_family == vs.GRAY or not _is_depth_accepted(key.format):
        raise KeyFrameError(
            f"key is {key.format.name}, accepted are RGB and YUV of 8 to 16 bits or half or "
            "single float: frame 0 of it shows frame 0 of clip in colour"
        )
    off = (key.width / key.height) / (clip.width / clip.height) - 1
    if abs(off) > ASPECT_TOLERANCE:
        raise KeyFrameError(
            f"key is {key.width}x{key.height}, of aspect {key.width / key.height:.3f}, clip is "
            f"{clip.width}x{clip.height}, of aspect {clip.width / clip.height:.3f}; they may "
            f"differ by {ASPECT_TOLERANCE:.0%}: crop or pad the key to what clip shows"
        )


def precision_of(fp16: int | None) -> str:
    """What `Session.load` calls it. Raises ArgumentError unless 0, 1 or not given."""
    if fp16 not in (None, 0, 1):
        raise ArgumentError(f"fp16 is {fp16}, accepted are 0 and 1")
    return "auto" if fp16 is None else "float16" if fp16 else "float32"


def _check_constant(name: str, clip: vs.VideoNode) -> None:
    if clip.format.color_family == vs.UNDEFINED or 0 in (clip.width, clip.height):
        raise ArgumentError(
            f"{name} changes its format or size from frame to frame, one format and size are "
            f"needed; convert it, for instance with core.resize.Bicubic({name}, width=1920, "
            "height=1080, format=vs.YUV420P8)"
        )


def _is_depth_accepted(form: vs.VideoFormat) -> bool:
    return form.sample_type == vs.FLOAT or 8 <= form.bits_per_sample <= 16
