"""Render the demo: a black-and-white clip, its first frame in colour, and the true colours.

    python examples/render_demo.py demo

writes demo/clip.mp4, demo/key.png and demo/truth.mp4. Everything is cut from photographs that
scikit-image ships: the camera drifts, zooms and rolls before a motorcycle in a garage, and a cup
of coffee crosses the picture, turning.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from skimage import data

Image = NDArray[np.float32]

WIDTH, HEIGHT = 480, 270
FRAMES, RATE = 72, 24
OVERSAMPLING = 2
"""Frames are drawn larger by this and averaged down, so that nothing shimmers."""
NEUTRAL = 128
"""The 8-bit code of no chroma."""


def photographs() -> tuple[Image, Image, Image]:
    """The background, the cup with its saucer, and the saucer's soft-edged mask, all in [0, 1]."""
    garage, _, _ = data.stereo_motorcycle()
    coffee = data.coffee()
    mask = np.zeros(coffee.shape[:2], np.float32)
    cv2.ellipse(mask, (276, 202), (197, 184), 8, 0, 360, 1.0, -1, cv2.LINE_AA)
    mask = cv2.GaussianBlur(mask, (0, 0), 2.0)
    return _unit(garage), _unit(coffee), mask


def render() -> Iterator[NDArray[np.uint8]]:
    """The frames in true colours, [h, w, 3] R'G'B'."""
    garage, coffee, mask = photographs()
    size = (WIDTH * OVERSAMPLING, HEIGHT * OVERSAMPLING)
    for index in range(FRAMES):
        time = index / (FRAMES - 1)
        camera = placement(
            source=(370 + 45 * np.sin(2.2 * time), 262 - 18 * time),
            target=(WIDTH / 2, HEIGHT / 2),
            scale=0.80 + 0.12 * time,
            degrees=3.0 * np.sin(2.5 * time),
        )
        cup = placement(
            source=(276, 202),
            target=(95 + 290 * time, 195 - 130 * np.sin(2.6 * time)),
            scale=0.30 + 0.06 * np.sin(3.0 * time),
            degrees=-50 * time,
        )
        frame = cv2.warpAffine(
            garage, camera, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
        )
        over = cv2.warpAffine(
            coffee, cup, size, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT
        )
        alpha = cv2.warpAffine(mask, cup, size, flags=cv2.INTER_LINEAR)[..., None]
        frame = cv2.resize(
            frame * (1 - alpha) + over * alpha, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA
        )
        yield np.rint(255 * frame.clip(0, 1)).astype(np.uint8)


def placement(
    *, source: tuple[float, float], target: tuple[float, float], scale: float, degrees: float
) -> Image:
    """The affine map [2, 3] that turns and scales about `source` and puts it onto `target`."""
    matrix = cv2.getRotationMatrix2D(source, degrees, scale * OVERSAMPLING)
    matrix[:, 2] += np.multiply(target, OVERSAMPLING) - source
    return matrix


def write(path: Path, frames: list[NDArray[np.uint8]], *, color: bool) -> None:
    """Encode the frames as BT.709 4:2:0, with neutral chroma unless in `colour`."""
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"crf": "14"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.colorspace = stream.color_primaries = stream.color_trc = 1
        stream.color_range = 1
        for rgb in frames:
            frame = av.VideoFrame.from_ndarray(rgb, "rgb24")
            frame = frame.reformat(format="yuv420p", dst_colorspace="ITU709")
            for plane in () if color else frame.planes[1:]:
                plane.update(bytes([NEUTRAL]) * plane.buffer_size)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where to write; made if missing")
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    frames = list(render())
    write(folder / "clip.mp4", frames, color=False)
    write(folder / "truth.mp4", frames, color=True)
    cv2.imwrite(str(folder / "key.png"), cv2.cvtColor(frames[0], cv2.COLOR_RGB2BGR))


def _unit(photograph: NDArray[np.uint8]) -> Image:
    return photograph.astype(np.float32) / 255


if __name__ == "__main__":
    main()
