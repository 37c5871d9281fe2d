"""Frames a second of the filter in vspipe, beside the plain loop, the step and the bare graph.

    python benchmarks/filter.py --model tests/toy/bundle

Everything runs one after the other; compare only within a run, on an idle machine.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tyro

from vidcolor.bundle import DEFAULT_MODEL
from vidcolor.colour import Coding, decode_luma, encode_chroma
from vidcolor.fit import Fit
from vidcolor.planes import Key
from vidcolor.propagate import Propagator
from vidcolor.session import Session

SIZES = ((854, 480), (1920, 1080))

SCRIPT = """
import vapoursynth as vs
core = vs.core
clip = core.std.BlankClip(
    format=vs.YUV420P8, width={width}, height={height}, length={length}, color=[120, 128, 128],
    keep=True,
)
key = core.std.BlankClip(
    format=vs.RGB24, width={width}, height={height}, length=1, color=[200, 120, 60]
)
core.vidcolor.Propagate(clip, key, model={model!r}, size={size}, provider={provider!r}).set_output()
"""


@dataclass(frozen=True)
class Options:
    """What to measure."""

    model: str = DEFAULT_MODEL
    size: int = 256
    provider: str = "auto"
    frames: int = 300


def main(options: Options) -> None:
    """Print a table."""
    session = Session.load(options.model, provider=options.provider)
    print(f"{session.metadata.name} on {session.provider}, short side {options.size}")
    for width, height in SIZES:
        graph, step, loop = _bare(session, options, width, height)
        filtered = _vspipe(options, width, height)
        print(
            f"{width}x{height}: session.run {graph:.1f}, step {step:.1f}, plain loop {loop:.1f}, "
            f"vspipe {filtered:.1f} frames/s; step / session.run {step / graph:.2f}, "
            f"vspipe / plain loop {filtered / loop:.2f}, vspipe / session.run "
            f"{filtered / graph:.2f}"
        )


def _bare(session: Session, options: Options, width: int, height: int) -> tuple[float, ...]:
    """Frames a second of the propagate graph alone, of `step` (with flow), and of the whole way
    to working size and back.
    """
    coding = Coding("bt709", full_range=False)
    codes = np.full((height, width), 120, np.uint8)
    fit = Fit.of(height, width, options.size)
    small = fit.down(decode_luma(codes, coding))
    propagator = Propagator(session)
    key = Key(luma=small, chroma=np.full((2, *small.shape), 0.1, np.float32))

    state = propagator.begin(key)
    multiple = session.metadata.size_multiple
    around = [(0, -size % multiple) for size in small.shape]
    padded = np.pad(small, around, mode="edge")[None, None]
    flows = dict.fromkeys(session.flows, np.zeros((1, 2, *padded.shape[2:]), np.float32))

    def graph() -> None:
        session.propagate(padded, state.tensors, state.memory, flows)

    def step() -> None:
        nonlocal state
        state = propagator.step(small, state).state

    def whole() -> None:
        nonlocal state
        luma = decode_luma(codes, coding)
        working = fit.down(luma)
        chroma, _, state = propagator.step(working, state)
        encode_chroma(fit.up(chroma, working, luma, (1, 1)), coding)

    return tuple(_rate(function, options.frames) for function in (graph, step, whole))


def _rate(function: Callable[[], None], frames: int) -> float:
    function()
    start = time.perf_counter()
    for _ in range(frames):
        function()
    return frames / (time.perf_counter() - start)


def _vspipe(options: Options, width: int, height: int) -> float:
    """Frames a second as vspipe counts them, from the first frame on."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "filter.vpy"
        path = Path(options.model)
        model = str(path.resolve()) if path.is_dir() else options.model
        script.write_text(
            SCRIPT.format(
                width=width,
                height=height,
                length=options.frames,
                model=model,
                size=options.size,
                provider=options.provider,
            )
        )
        bin_folder = str(Path(sys.executable).parent)
        environment = os.environ | {"PATH": bin_folder + os.pathsep + os.environ["PATH"]}
        vspipe = Path(sys.executable).with_name("vspipe")
        result = subprocess.run(  # noqa: S603  (our own script)
            [vspipe, script, "--"], env=environment, capture_output=True, text=True, check=True
        )
    return float(result.stderr.rsplit("(", 1)[1].split(" fps")[0])


if __name__ == "__main__":
    main(tyro.cli(Options))
