"""All that a few minutes on somebody's graphics card can tell, in one run:

    python -m benchmarks cuda

The tests of CUDA, how many operators a step is, and milliseconds a frame in float16. It builds
nothing and needs no VapourSynth. What does not fit into four minutes is left out, and named.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import tyro

from benchmarks import command, operators
from benchmarks.footage import CLIPS
from benchmarks.machine import Model, describe
from benchmarks.rounds import Case, take_turns
from benchmarks.speed import CHAIN, COMMAND, GRAPH, LOOP, RUN, SEEN, STEP, Small
from vidcolor.errors import ProviderWarning
from vidcolor.inference import contract
from vidcolor.inference.bundle import DEFAULT_MODEL, find_bundle
from vidcolor.inference.page_locked import host_buffer

_SUITE = (
    *("tests/runtime/test_cuda.py", "tests/runtime/test_provider_parity.py"),
    *("-m", "cuda", "-q", "--no-header", "-p", "no:cacheprovider"),
)
_SHARE = 0.4
"""Of the time that is left, what one part may take."""


@dataclass(frozen=True)
class Options:
    """What to measure, and for how long."""

    model: str = DEFAULT_MODEL
    """A shipped model's name, or the folder of a bundle."""
    provider: Literal["cuda", "cpu"] = "cuda"
    """The CPU shows that the script works."""
    precision: Literal["float16", "float32"] = "float16"
    """What the graphs compute in."""
    sizes: tuple[int, ...] = (256, 480)
    """Short sides of the working size."""
    frames: int = 48
    """Of each case in each round."""
    rounds: int = 2
    """How often each case is timed; the quickest counts."""
    minutes: float = 4.0
    """When it ends. A part that has begun is ended only if it is another process."""


def main(options: Options) -> None:
    """Measure and print, part by part."""
    end = time.monotonic() + 60 * options.minutes
    for name, value in describe().items():
        print(f"{name}: {value}")
    print(f"memory that planes are copied to the device from: {_host_memory(options.provider)}")
    left = [name for name, part in _parts(options) if not _done(part, end)]
    if left:
        print(f"left out, for want of time: {', '.join(left)}")


type Part = Callable[[float], None]
"""Measures and prints; is told how many seconds it may take."""


def _parts(options: Options) -> Iterator[tuple[str, Part]]:
    model = Model(options.model, options.provider, options.precision)
    yield "tests", _test
    yield "operators", partial(_count, options)
    for size in options.sizes:
        yield f"short side {size}", partial(_time, model, options, size)
    yield "device memory", _memory
    for size in options.sizes:
        yield f"{COMMAND}, short side {size}", partial(_film, model, options, size)


def _done(part: Part, end: float) -> bool:
    """Whether a part was measured: not where there is no time left."""
    seconds = end - time.monotonic()
    if seconds <= 0:
        return False
    try:
        part(_SHARE * seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _host_memory(provider: str) -> str:
    return "ordinary" if host_buffer(1, provider, 0).flags.owndata else "page-locked"


def _test(seconds: float) -> None:
    line = [sys.executable, "-m", "pytest", *_SUITE]
    done = subprocess.run(line, capture_output=True, text=True, timeout=seconds, check=False)  # noqa: S603 - our own tests
    print(f"tests of CUDA: {done.stdout.strip().splitlines()[-1]}")


def _count(options: Options, _: float) -> None:
    for size in options.sizes:
        width = -(-size * 16 // 9 // 16) * 16
        step = partial(
            operators.count, find_bundle(options.model), height=size, width=width, keys=1
        )
        host = operators.on_host(
            operators.optimised(
                contract.graph_path(find_bundle(options.model), "propagate", options.precision),
                options.precision,
                height=size,
                width=width,
                keys=1,
            )
        )
        print(
            f"operators of a step, {width}x{size}, {options.precision}: "
            f"{step(options.precision).total()}, of sizes on the CPU: {len(host)}"
        )


def _time(model: Model, options: Options, size: int, seconds: float) -> None:
    """As many rounds as there is time for, one at least."""
    small = Small(model, size, options.frames)
    named = small.cases()
    cases: dict[str, Case] = {name: named[name] for name in (GRAPH, SEEN, STEP, RUN, CHAIN)}
    cases |= {f"{LOOP}, {clip}": small.loop(shape) for clip, shape in CLIPS.items()}
    start = time.monotonic()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", ProviderWarning)
        timings = take_turns(cases, 1)
    for warning in told:
        print(f"{model.place}, short side {size}: {warning.message}")
    if 2 * (time.monotonic() - start) < seconds and options.rounds > 1:
        timings = take_turns(cases, options.rounds - 1)
    for name, timing in timings.items():
        frames = 1e3 / timing.milliseconds
        print(
            f"{model.place}, short side {size}: {name}: {timing.milliseconds:.1f} ms, "
            f"{frames:.0f} frames/s, {timing.core_milliseconds:.0f} core ms"
        )


def _memory(_: float) -> None:
    program = shutil.which("nvidia-smi")
    if program is None:
        print("device memory: not known, there is no nvidia-smi")
        return
    line = [program, "--query-gpu=name,memory.used,driver_version", "--format=csv,noheader"]
    told = subprocess.run(line, capture_output=True, text=True, timeout=20, check=False)  # noqa: S603 - the driver's own
    print(f"device, memory in use while the last session is open: {told.stdout.strip()}")


def _film(model: Model, options: Options, size: int, _: float) -> None:
    for clip, shape in CLIPS.items():
        with tempfile.TemporaryDirectory() as folder:
            video = command.render(Path(folder) / clip, shape, options.frames)
            lap = command.lap(model, video, size=size)
        print(
            f"{model.place}, short side {size}: {COMMAND}, {clip}: {lap.milliseconds:.1f} ms, "
            f"{1e3 / lap.milliseconds:.0f} frames/s, {lap.peak_mib or 0:.0f} MiB"
        )


def run(arguments: list[str]) -> None:
    """The command line."""
    main(tyro.cli(Options, args=arguments, prog="python -m benchmarks cuda", description=__doc__))
