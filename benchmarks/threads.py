"""How many threads the graph should have, and how long idle ones should wait in a loop."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from unittest.mock import patch

from benchmarks.machine import Model
from benchmarks.rounds import Case, Timing, take_turns
from benchmarks.speed import GRAPH, RUN, STEP, Small
from vidcolor.cores import count_cores
from vidcolor.inference import providers

SPINS = ("1", "20", "100", "1000")
"""Microseconds."""


class Row(NamedTuple):
    """One setting."""

    size: int
    threads: int
    spin: str
    """Microseconds."""
    what: str
    timing: Timing


def measure(model: Model, *, size: int, frames: int, rounds: int) -> Iterator[Row]:
    """The graph alone, with its flow in line, and with its flow ahead, in every setting."""
    cases: dict[tuple[int, str, str], Case] = {}
    for threads, spin in ((1, SPINS[0]), *((count_cores(), spin) for spin in SPINS)):
        with patch.object(providers, "SPIN", spin):
            small = Small(model, size, frames, threads)
        own = small.cases()
        cases |= {(threads, spin, what): own[what] for what in (GRAPH, STEP, RUN)}
    for (threads, spin, what), timing in take_turns(cases, rounds).items():
        yield Row(size, threads, spin, what, timing)
