"""Small films of several shots for tests, with their frames in true colour."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import av
import cv2
import numpy as np

from tests.support.scenes import Scene, render
from tests.support.videos import plane

LENGTHS = (11, 9, 10)
"""Frames of the shots of `scenes`."""
HEIGHT, WIDTH = 48, 64
TAGS = (1, 1, 1, 1)
"""Matrix, primaries, transfer and range: BT.709, limited."""


def scenes(lengths: Iterable[int] = LENGTHS, *, height: int = HEIGHT, width: int = WIDTH) -> Scene:
    """Shots that have nothing in common, one after the other."""
    shots = [render(length, height, width, seed=seed) for seed, length in enumerate(lengths)]
    return Scene(
        np.concatenate([s.luma * (0.5 + 0.25 * (n % 3)) for n, s in enumerate(shots)]),
        np.concatenate([s.chroma for s in shots]),
    )


def luma_codes(scene: Scene, bits: int = 8) -> np.ndarray:
    """[t, h, w]"""
    return (scene.luma * (2**bits - 1)).astype(np.uint8 if bits == 8 else np.uint16)


def write_film(path: Path, scene: Scene, *, pixel_format: str = "yuv420p") -> Path:
    """The scene in gray, without loss."""
    height, width = scene.luma.shape[1:]
    with av.open(path, "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        context = stream.codec_context
        context.width, context.height, context.pix_fmt = width, height, pixel_format
        context.colorspace, context.color_primaries, context.color_trc = TAGS[:3]
        context.color_range = TAGS[3]
        for codes in luma_codes(scene, av.VideoFormat(pixel_format).components[0].bits):
            frame = av.VideoFrame(width, height, pixel_format)
            plane(frame, 0)[...] = codes
            for index in range(1, len(frame.planes)):
                plane(frame, index)[...] = 1 << frame.format.components[0].bits - 1
            frame.colorspace, frame.color_primaries, frame.color_trc, frame.color_range = TAGS
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def write_keys(folder: Path, scene: Scene, frames: Iterable[int]) -> Path:
    """Frames of the scene in colour, named by their numbers."""
    folder.mkdir(exist_ok=True)
    rgb = scene.rgb()
    for frame in frames:
        assert cv2.imwrite(str(folder / f"{frame:06}.png"), rgb[frame][..., ::-1])
    return folder


def write_scenes(path: Path, cuts: Iterable[int]) -> Path:
    """A list of the first frames of shots."""
    path.write_text("\n".join(map(str, cuts)))
    return path
