"""Single frames of a clip in colour, as images: the filter in Python, without vspipe.

    python examples/stills.py old.mp4 first.png 240 12 910 -o stills

Frames may be asked for in any order; each comes out as in a straight run through the clip.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import vapoursynth as vs
from numpy.typing import NDArray

core = vs.core


def colored(clip: Path, key: Path, **options: str) -> vs.VideoNode:
    """The clip in the colours of `key`, its first frame, as R'G'B' of 8 bits."""
    sources = [core.bs.VideoSource(str(path)) for path in (clip, key)]
    return core.resize.Bicubic(core.vidcolor.Propagate(*sources, **options), format=vs.RGB24)


def image(clip: vs.VideoNode, number: int) -> NDArray[np.uint8]:
    """A frame of an RGB24 clip, [h, w, 3]."""
    with clip.get_frame(number) as frame:
        return np.dstack([np.asarray(frame[plane]) for plane in range(3)])


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clip", type=Path)
    parser.add_argument("key", type=Path, help="the clip's first frame in colour")
    parser.add_argument("frames", type=int, nargs="+", help="numbers of the frames to write")
    parser.add_argument("-o", "--output", type=Path, required=True, help="a folder")
    parser.add_argument("--model", help="a shipped model's name, or a bundle's folder")
    given = parser.parse_args()
    options = {} if given.model is None else {"model": given.model}
    try:
        clip = colored(given.clip, given.key, **options)
        beyond = [number for number in given.frames if not 0 <= number < clip.num_frames]
        if beyond:
            raise SystemExit(
                f"stills: frame {beyond[0]} is not in the clip, which has frames 0 to "
                f"{clip.num_frames - 1}"
            )
        given.output.mkdir(parents=True, exist_ok=True)
        for number in given.frames:
            picture = cv2.cvtColor(image(clip, number), cv2.COLOR_RGB2BGR)
            (given.output / f"{number}.png").write_bytes(cv2.imencode(".png", picture)[1])
    except (vs.Error, OSError) as error:
        raise SystemExit(f"stills: {error}") from None


if __name__ == "__main__":
    main()
