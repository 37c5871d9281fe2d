"""The filter under vspipe, on frames that lie ready in memory."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks import child
from benchmarks.machine import Model
from benchmarks.rounds import Lap

SCRIPT = """
import sys
sys.path.insert(0, {root!r})
import numpy as np
import vapoursynth as vs
from benchmarks.footage import pan, place

core = vs.core
blank = core.std.BlankClip(
    format=vs.YUV420P8, width={width}, height={height}, length={length}, keep=True
)
frames = []
for codes in pan({height}, {width}):
    frame = blank.get_frame(0).copy()
    np.asarray(frame[0])[:] = codes
    frame.props["_Range"] = vs.RANGE_FULL
    frames.append(frame)
clip = core.std.ModifyFrame(blank, blank, lambda n, f: frames[place(n)])
key = core.std.BlankClip(
    format=vs.RGB24, width={width}, height={height}, length=1, color=[200, 120, 60]
)
core.vidcolor.Propagate(clip, key, frames=0, size={size}, **{options!r}).set_output()
"""


def lap(model: Model, *, size: int, shape: tuple[int, int], frames: int) -> Lap:
    """The filter over `frames` frames, as vspipe counts them: from the first frame on."""
    import vapoursynth  # noqa: PLC0415 - `cuda` does without it

    height, width = shape
    text = SCRIPT.format(
        root=str(Path(__file__).parents[1]),
        width=width,
        height=height,
        length=frames,
        size=size,
        options=model.filter_options,
    )
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "filter.vpy"
        script.write_text(text)
        vspipe = Path(vapoursynth.__file__).with_name("vspipe")  # no script that starts it
        done = child.run([vspipe, script, "--"])
    fps = float(done.errors.rsplit("(", 1)[1].split(" fps")[0])
    return Lap(1e3 / fps, peak_mib=done.peak_mib)
