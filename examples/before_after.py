"""Show a clip before and after colouring: one picture, a column for each of a few frames.

python examples/before_after.py clip.mp4 coloured.mp4 -o before-after.png
"""

from __future__ import annotations

import argparse
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]

COLUMNS = 4
COLUMN_WIDTH, GAP, LABEL_HEIGHT = 320, 6, 26
"""Pixels."""
JPEG_QUALITY = 85
PAPER, INK = 255, 40
"""Gray levels of the ground and of the writing on it."""


def sample(path: Path, indices: list[int]) -> list[Image]:
    """The frames at `indices`, as a player shows them, in B'G'R'."""
    with av.open(path) as container:
        frames = enumerate(container.decode(video=0))
        return [frame.to_ndarray(format="bgr24") for index, frame in frames if index in indices]


def count(path: Path) -> int:
    """How many frames a clip has."""
    with av.open(path) as container:
        return sum(1 for _ in container.decode(video=0))


def cell(frame: Image) -> Image:
    """A frame at the width of a column."""
    height = round(COLUMN_WIDTH * frame.shape[0] / frame.shape[1])
    frame = cv2.resize(frame, (COLUMN_WIDTH, height), interpolation=cv2.INTER_AREA)
    return cv2.copyMakeBorder(frame, 0, GAP, 0, GAP, cv2.BORDER_CONSTANT, value=(PAPER,) * 3)


def label(text: str, width: int) -> Image:
    """A strip with a line of text."""
    strip = np.full((LABEL_HEIGHT, width, 3), PAPER, np.uint8)
    at = (2, LABEL_HEIGHT - 9)
    cv2.putText(strip, text, at, cv2.FONT_HERSHEY_DUPLEX, 0.5, (INK,) * 3, 1, cv2.LINE_AA)
    return strip


def sheet(rows: dict[str, Path]) -> Image:
    """A row of frames for each clip, under its name.

    Raises SystemExit where the clips do not have equally many frames.
    """
    lengths = [count(path) for path in rows.values()]
    if len(set(lengths)) > 1:
        raise SystemExit(f"before_after: the clips have {lengths} frames, equally many are needed")
    last = lengths[0] - 1
    indices = sorted({round(last * column / (COLUMNS - 1)) for column in range(COLUMNS)})
    heads = [f"frame {index}" for index in indices]
    parts = []
    for name, path in rows.items():
        cells = [cell(frame) for frame in sample(path, indices)]
        titles = [f"{name}, {head}" for head in heads]
        parts.append(np.hstack([label(title, cells[0].shape[1]) for title in titles]))
        parts.append(np.hstack(cells))
    picture = np.vstack(parts)
    return cv2.copyMakeBorder(picture, 0, 0, GAP, 0, cv2.BORDER_CONSTANT, value=(PAPER,) * 3)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clip", type=Path, help="before")
    parser.add_argument("colored", metavar="coloured", type=Path, help="after")
    parser.add_argument("--truth", type=Path, help="the same clip in its true colours, if known")
    parser.add_argument("-o", "--output", type=Path, required=True, help="a PNG or JPEG file")
    options = parser.parse_args()
    rows = {"before": options.clip, "after": options.colored}
    if options.truth:
        rows["true colours"] = options.truth
    suffix = options.output.suffix.lower()
    if suffix not in (".png", ".jpg", ".jpeg"):
        raise SystemExit(f"before_after: {options.output} does not end in .png or .jpg")
    quality = [] if suffix == ".png" else [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    try:
        options.output.write_bytes(cv2.imencode(suffix, sheet(rows), quality)[1])
    except (OSError, av.FFmpegError) as error:
        raise SystemExit(f"before_after: {error}") from None


if __name__ == "__main__":
    main()
