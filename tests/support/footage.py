"""Small colour videos for training, rendered."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from evaluation.clips import Clip, rgb_to_codes
from tests.support.scenes import render
from vidcolor.color import Coding, code_of, encode_chroma, rgb_to_key

SIZE = 128
FRAMES = 12


def scene_clip(seed: int = 0, *, frames: int = FRAMES, pan: float = 0.7) -> Clip:
    """A rendered scene as `load_clip` would give it, 128x160."""
    scene = render(frames, SIZE, 160, seed=seed, pan=pan)
    planes = [rgb_to_codes(rgb) for rgb in scene.rgb("bt601")]
    luma, chroma = (np.stack(plane) for plane in zip(*planes, strict=True))
    return Clip(name=f"scene-{seed}", luma=luma, chroma=chroma)


def write_video(
    path: Path, frames: NDArray[np.uint8], *, matrix: str = "bt601", full_range: bool = False
) -> Path:
    """RGB [t, h, w, 3] as lossless Y'CbCr 4:4:4, tagged with its matrix and range."""
    coding = Coding(matrix=matrix, full_range=full_range, bits=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv444p"
        stream.codec_context.colorspace = code_of(matrix)
        stream.codec_context.color_range = 2 if full_range else 1
        for rgb in frames:
            key = rgb_to_key(rgb.astype(np.float32) / 255, matrix)
            zero, span = coding.luma_scale
            luma = np.rint(key.luma * span + zero).astype(np.uint8)
            planes = [luma, *encode_chroma(key.chroma, coding)]
            frame = av.VideoFrame.from_ndarray(np.stack(planes), format="yuv444p")
            frame.colorspace, frame.color_range = code_of(matrix), 2 if full_range else 1
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def write_scenes(folder: Path, count: int) -> Path:
    """A folder of rendered videos, some of them in a subfolder."""
    for seed in range(count):
        path = folder / ("more" if seed % 2 else ".") / f"scene-{seed}.mkv"
        write_video(path, render(FRAMES, SIZE, 160, seed=seed).rgb("bt601"))
    return folder
