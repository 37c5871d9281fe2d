"""The film whose review pages are tested, and what is read off a page that shows it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np

from tests.support.videos import plane
from vidcolor.film.confidence_map import pack_maps
from vidcolor.film.report import Report

if TYPE_CHECKING:
    from playwright.sync_api import Page


WIDTH, HEIGHT = 256, 144
SHOTS = (0, 30, 50)
FRAMES = 75
FIRST = 100
"""The film's frame that the output begins with: it is a part."""
RATE = 25
CONFIDENCE = np.concatenate(
    [1 - 0.005 * np.arange(30), 0.4 + 0.01 * np.arange(20), np.full(25, 0.7)]
)


def write_coloured(path: Path, chroma: tuple[int, int] = (100, 180)) -> Path:
    """Frames of one colour over a texture; the luma of a gray strip at the top tells which."""
    texture = np.random.default_rng(3).integers(90, 150, (HEIGHT, WIDTH), np.uint8)
    texture = cv2.GaussianBlur(texture, (0, 0), 2)
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"crf": "12"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.colorspace, stream.codec_context.color_range = 1, 1
        for number in range(FRAMES):
            frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
            luma = plane(frame, 0)
            luma[...] = texture
            luma[:32] = 40 + 2 * number
            for index, code in enumerate(chroma, 1):
                plane(frame, index)[...] = code
                plane(frame, index)[:16] = 128
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def report() -> Report:
    return Report(
        film="old <b>film</b>.mkv",
        model="toy",
        size=64,
        keys={FIRST: "000100.png", FIRST + 60: "000160.png", 900: "000900.png"},
        shots=(0, *(FIRST + shot for shot in SHOTS[1:]), 500),
        confidence=tuple(CONFIDENCE.tolist()),
        first=FIRST,
        options={"direction": "both"},
        confidence_maps=pack_maps([maps()]),
    )


def maps() -> np.ndarray:
    """Of shot 2 the model was unsure at the right of the lower half."""
    cells = np.full((FRAMES, 18, 32), 230, np.uint8)
    cells[SHOTS[1] : SHOTS[2], 9:, 16:] = 30
    return cells


def open_page(page: Page, path: Path) -> None:
    page.goto(path.as_uri())
    page.wait_for_function("document.getElementById('film').readyState >= 3")


def settle(page: Page) -> None:
    """Until the frame that was sought is shown."""
    page.wait_for_function("!film.seeking && wanted === null")
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def pixels(page: Page) -> np.ndarray:
    """The screen, as it is seen: [h, w, 3], BGR."""
    shot = page.locator("#screen").screenshot()
    return cv2.imdecode(np.frombuffer(shot, np.uint8), cv2.IMREAD_COLOR)


def saturation(picture: np.ndarray) -> float:
    return float((picture.max(axis=2).astype(int) - picture.min(axis=2)).mean())


def shown_frame(page: Page) -> float:
    """The frame in the picture itself, read off the strip at its top."""
    strip = pixels(page)[8:40, 30:200].astype(float).mean()
    luma = 16 + 219 * strip / 255
    return (luma - 40) / 2


def readout(page: Page, name: str) -> str:
    return page.locator(f"#{name}").inner_text()
