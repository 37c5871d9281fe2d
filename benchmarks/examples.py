"""How many training examples a machine makes a second, without the network:

    python -m benchmarks.examples                    a thread beside the training, and processes
    python -m benchmarks.examples --workers 8        with so many processes

The examples are the flagship's (training/systems.py), of rendered clips. Rounds are interleaved;
compare only within a run, on an idle machine.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import NamedTuple

import cv2
import numpy as np
import tyro

from benchmarks.footage import pan, place
from evaluation.clips import Clip
from training.data.prefetch import prefetch
from training.data.rollouts import Rollouts
from training.models.flagship import Flagship
from training.systems import SYSTEMS
from vidcolor.cores import count_cores

SIZE = (256, 456)
"""Height and width of the clips, as `fit` decodes them."""
FRAMES = 60


@dataclass(frozen=True)
class Options:
    """What to measure."""

    workers: int = count_cores()
    """Processes that make examples."""
    batch: int = 4
    """Examples in a batch."""
    steps: int = 12
    """Batches of each case in each round."""
    rounds: int = 3
    """How often each case is timed; the quickest counts."""
    clips: int = 4
    """Rendered clips."""


class Row(NamedTuple):
    """One way to make examples."""

    what: str
    per_second: float
    """Examples in the quickest round."""
    median: float
    """The same in the median round."""
    core_milliseconds: float
    """Processor time of an example over all cores, in the same round."""
    ratio: float
    """Of examples a second, to a thread beside the training: what `fit` does without --workers."""


def measure(options: Options) -> Iterator[Row]:
    """Time every case in turn.

    Args:
        options: See `Options`.

    Yields:
        A row for each case; the first is one thread.
    """
    clips = rendered(options.clips)
    plain = SYSTEMS["flagship"].rollout
    with tempfile.TemporaryDirectory() as folder:
        cached = replace(plain, flow_cache=True)
        cases = {
            "a thread beside the training": (plain, 0),
            f"--workers {options.workers}": (plain, options.workers),
            f"--workers {options.workers} --flow-cache, filled": (cached, options.workers),
        }
        laps: dict[str, list[Lap]] = {name: [] for name in cases}
        for number in range(options.rounds + 1):  # the first round fills the cache
            for name, (rollout, workers) in cases.items():
                source = Rollouts(
                    clips,
                    options=rollout,
                    seed=0,
                    flows=Flagship.flows,
                    flow_folder=Path(folder),
                )
                lap = make(source, options, workers=workers)
                if number:
                    laps[name].append(lap)
    first = max(lap.per_second for lap in next(iter(laps.values())))
    for name, found in laps.items():
        best = max(found)
        middle = median(lap.per_second for lap in found)
        yield Row(name, best.per_second, middle, best.core_milliseconds, best.per_second / first)


class Lap(NamedTuple):
    """One case in one round."""

    per_second: float
    """Examples, after the first batch, which waits for the processes to begin."""
    core_milliseconds: float
    """Of an example, the processes' beginning and end included."""


def make(source: Rollouts, options: Options, *, workers: int) -> Lap:
    """Make the batches of one round.

    Args:
        source: Where they are drawn from.
        options: How many, and of how many examples.
        workers: Processes that make them; 0 for a thread.
    """
    busy = _core_seconds()
    batches = prefetch(
        source, steps=range(options.steps + 1), indices=range(options.batch), workers=workers
    )
    next(batches)
    begun = time.perf_counter()
    count = sum(1 for _ in batches)
    per_second = count * options.batch / (time.perf_counter() - begun)
    del batches  # its processes end, and only then is their time known
    return Lap(per_second, 1e3 * (_core_seconds() - busy) / ((count + 1) * options.batch))


def _core_seconds() -> float:
    """Processor time of this process and of those that it began and that have ended."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def rendered(count: int) -> list[Clip]:
    """Return clips of textures that pan, each another part of them, in any colours."""
    height, width = SIZE
    frames = pan(height + 8 * count, width + 8 * count)
    rng = np.random.default_rng(1)
    clips = []
    for number in range(count):
        luma = np.stack([
            frames[place(n)][8 * number :, 8 * number :][:height, :width] for n in range(FRAMES)
        ])  # fmt: skip
        chroma = rng.integers(64, 192, (2, height, width), np.uint8)
        clips.append(Clip(f"rendered {number}", luma, np.broadcast_to(chroma, (FRAMES, 2, *SIZE))))
    return clips


def markdown(rows: list[Row]) -> str:
    """Return the rows as a table."""
    lines = [
        "| examples made by | examples/s | median | core-ms | ratio |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {row.what} | {row.per_second:.2f} | {row.median:.2f} | "
        f"{row.core_milliseconds:.0f} | {row.ratio:.2f} |"
        for row in rows
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    cv2.setNumThreads(0)  # as `fit` has it
    print(markdown(list(measure(tyro.cli(Options, description=__doc__)))))
