"""``vidcolor color`` from file to file: decoding, colouring, encoding."""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import cv2
import numpy as np

from benchmarks import child
from benchmarks.footage import pan, place
from benchmarks.machine import Model
from benchmarks.rounds import Lap

_BRIEF = 4
"""Frames of the clip that shows how long a start takes."""


class Video(NamedTuple):
    """Two clips that differ in length only, and the key of both."""

    brief: Path
    whole: Path
    key: Path
    frames: int
    """Of `whole`, beyond those of `brief`."""


def render(folder: Path, shape: tuple[int, int], frames: int) -> Video:
    """Write both clips, gray, in H.264 4:2:0, and their key as PNG.

    Args:
        folder: Where; it is made.
        shape: Height and width of the frames, in pixels.
        frames: How many the whole clip has more than the brief one.
    """
    folder.mkdir()
    height, width = shape
    codes = pan(height, width)
    video = Video(folder / "brief.mp4", folder / "whole.mp4", folder / "key.png", frames)
    for path, length in ((video.brief, _BRIEF), (video.whole, _BRIEF + frames)):
        with av.open(path, "w") as container:
            stream = container.add_stream("libx264", rate=Fraction(25))
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            for n in range(length):
                gray = av.VideoFrame.from_ndarray(codes[place(n)], format="gray")
                container.mux(stream.encode(gray))
            container.mux(stream.encode())
    gains = np.array([0.7, 0.9, 1.1], np.float32)
    picture = np.clip(codes[0][:, :, None] * gains, 0, 255).astype(np.uint8)
    cv2.imwrite(str(video.key), picture)
    return video


def lap(model: Model, video: Video, *, size: int) -> Lap:
    """Time the command on the whole clip, less its time on the brief one.

    Args:
        model: What it colours with.
        video: The two clips and their key.
        size: Working size, in pixels.

    Returns:
        Milliseconds for each frame beyond the brief clip's, and the peak of memory in MiB.
    """
    brief, whole = (
        child.run(
            [
                *(sys.executable, "-m", "vidcolor", "color", clip, "--key", video.key),
                *("-o", clip.with_name(f"{clip.stem}-coloured.mp4"), "--overwrite", "--quiet"),
                *("--keep", "0"),  # or the next lap would find all of it done
                *("--model", model.path, "--provider", model.provider, "--size", str(size)),
            ]
        )
        for clip in (video.brief, video.whole)
    )
    return Lap(1e3 * (whole.seconds - brief.seconds) / video.frames, peak_mib=whole.peak_mib)
