"""Whether time and memory stay the same however long a clip is."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import NamedTuple

import tyro

from benchmarks import child, vspipe
from benchmarks.footage import CLIPS, key_of, pan, place
from benchmarks.machine import Model
from benchmarks.speed import CODING, FILTER, RUN
from vidcolor.color import decode_luma
from vidcolor.propagate import Propagator
from vidcolor.working_size import WorkingSize

CLIP = "480p"


class Row(NamedTuple):
    """A clip of one length."""

    place: str
    size: int
    what: str
    frames: int
    milliseconds: float
    """A frame; from the first one on."""
    peak_mib: float | None


def measure(model: Model, *, size: int, lengths: tuple[int, ...]) -> Iterator[Row]:
    """The run over the runtime and the filter, each length in a process of its own."""
    for frames in lengths:
        done = child.run(
            [
                *(sys.executable, "-m", "benchmarks.length", "--frames", str(frames)),
                *("--model", model.path, "--provider", model.provider),
                *("--precision", model.precision, "--size", str(size)),
            ]
        )
        yield Row(model.place, size, RUN, frames, float(done.errors) / frames, done.peak_mib)
        lap = vspipe.lap(model, size=size, shape=CLIPS[CLIP], frames=frames)
        yield Row(model.place, size, FILTER, frames, lap.milliseconds, lap.peak_mib)


def main(*, model: str, provider: str, precision: str, size: int, frames: int) -> None:
    """Run over `frames` frames in this process; writes to stderr how many milliseconds it took."""
    propagator = Propagator(Model(model, provider, precision).load())
    height, width = CLIPS[CLIP]
    fit = WorkingSize.of(height, width, size)
    lumas = [fit.downsample(decode_luma(codes, CODING)) for codes in pan(height, width)]
    state = propagator.init_state(key_of(lumas[0]))
    start = time.perf_counter()
    for _ in propagator.run((lumas[place(n)] for n in range(1, frames + 1)), state):
        pass
    print(1e3 * (time.perf_counter() - start), file=sys.stderr)


if __name__ == "__main__":
    tyro.cli(main)
