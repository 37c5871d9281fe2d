"""Cases run in turn, round after round, so that their ratios hold on a machine that is shared."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from statistics import median
from typing import NamedTuple


class Lap(NamedTuple):
    """What a frame took in one round, all frames of the round taken together."""

    milliseconds: float
    core_milliseconds: float | None = None
    """Processor time over all cores; None where nobody counted it."""
    peak_mib: float | None = None
    """Most memory that was resident, in a process of its own."""


type Case = Callable[[], Lap]


class Timing(NamedTuple):
    """What a frame of a case takes, over all rounds."""

    milliseconds: float
    """In the quickest round: what the machine can do when nobody else is on it."""
    median: float
    """Milliseconds in the median round."""
    core_milliseconds: float | None
    peak_mib: float | None


def take_turns[K](cases: Mapping[K, Case], rounds: int) -> dict[K, Timing]:
    """Run every case once a round; a first round does not count."""
    laps: dict[K, list[Lap]] = {name: [] for name in cases}
    for number in range(rounds + 1):
        for name, case in cases.items():
            lap = case()
            if number:
                laps[name].append(lap)
    return {name: _timing(done) for name, done in laps.items()}


def timed(work: Callable[[], None], frames: int) -> Case:
    """A case of this process: `work` does `frames` frames."""

    def case() -> Lap:
        start, busy = time.perf_counter(), time.process_time()
        work()
        seconds, core_seconds = time.perf_counter() - start, time.process_time() - busy
        return Lap(1e3 * seconds / frames, 1e3 * core_seconds / frames)

    return case


def _timing(laps: list[Lap]) -> Timing:
    times = [lap.milliseconds for lap in laps]
    work = [lap.core_milliseconds for lap in laps if lap.core_milliseconds is not None]
    peaks = [lap.peak_mib for lap in laps if lap.peak_mib is not None]
    return Timing(min(times), median(times), min(work, default=None), max(peaks, default=None))
