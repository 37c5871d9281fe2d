"""Everything in one run, on an idle machine:

    python -m benchmarks                        all parts, minutes to an hour
    python -m benchmarks speed --sizes 256      some of it
    python -m benchmarks --markdown             tables only, for BENCHMARKS.md
    python -m benchmarks profile                where each millisecond of the graph goes
    python -m benchmarks encode                 what x264's settings cost and keep
    python -m benchmarks cuda                   what four minutes on a graphics card can tell

Rounds are interleaved; compare only within a run.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import chain, product
from pathlib import Path
from typing import Any, Literal

import tyro

from benchmarks import cuda, encode, length, profile, report, seek, speed, threads
from benchmarks.machine import Model, describe, models
from benchmarks.rounds import Timing
from vidcolor.commands import command_line
from vidcolor.inference.bundle import DEFAULT_MODEL

PROGRAM = "python -m benchmarks"

type Part = Literal["speed", "length", "seek", "threads", "profile", "encode"]

PARTS: tuple[Part, ...] = ("speed", "length", "seek", "threads")


@dataclass(frozen=True)
class Options:
    """What to measure."""

    parts: tyro.conf.Positional[tuple[Part, ...]] = PARTS
    """Profile and encode are apart, and not among them."""
    model: str = DEFAULT_MODEL
    """A shipped model's name, or the folder of a bundle."""
    sizes: tuple[int, ...] = (256, 480)
    """Short sides of the working size."""
    frames: int = 48
    """Of each case in each round."""
    rounds: int = 5
    """How often each case is timed; the quickest counts."""
    lengths: tuple[int, ...] = (100, 1000, 10000)
    """Clips whose time and memory are compared."""
    long_size: int = 64
    """Short side of the working size for lengths and seeks, so that they end."""
    markdown: tyro.conf.FlagCreatePairsOff[bool] = False
    """Print the tables and nothing else, and write no files."""
    out: Path = Path("runs/benchmarks")
    """Folder for results.json and results.png."""


def run() -> int:
    """The command line; returns the exit status."""
    return command_line.run(
        sys.argv[1:],
        program=PROGRAM,
        make=_made,
        act=main,
    )


def main(options: Options) -> None:
    """Measure, print, write."""
    places = models(options.model)
    if "profile" in options.parts:
        for model, size in product(places, options.sizes):
            print(profile.report(model, size=size))
    if "encode" in options.parts:
        print(encode.report(options.frames))
    measured: dict[str, list[Any]] = {
        part: list(_told(chain.from_iterable(makers)))
        for part, makers in _parts(options, places).items()
        if part in options.parts
    }
    if not measured:
        return
    results = report.Results(
        describe(),
        places[0].load().metadata.name,
        {name: str(value) for name, value in asdict(options).items()},
        **{part: measured.get(part, []) for part in PARTS},
    )
    print(report.markdown(results))
    if not options.markdown:
        options.out.mkdir(parents=True, exist_ok=True)
        report.write_json(results, options.out / "results.json")
        report.draw(results, options.out / "results.png")
        print(f"{options.out}/results.json, results.png")


def _made(words: Sequence[str]) -> Options:
    return tyro.cli(
        Options, prog=PROGRAM, args=words, description=__doc__, config=command_line.CONFIG
    )


def _parts(options: Options, places: list[Model]) -> dict[str, Iterable[Iterable[Any]]]:
    """The rows of every part, measured as they are asked for."""
    often = {"frames": options.frames, "rounds": options.rounds}
    long = {"size": options.long_size}
    sizes = product(places, options.sizes)
    return {
        "speed": (speed.measure(model, size=size, **often) for model, size in sizes),
        "length": (length.measure(model, lengths=options.lengths, **long) for model in places),
        "seek": (seek.measure(model, **long) for model in places),
        "threads": (threads.measure(places[0], size=size, **often) for size in options.sizes),
    }


def _told[T](rows: Iterable[T]) -> Iterable[T]:
    """The rows, each told on stderr as it comes: some take minutes."""
    for row in rows:
        print(*_words(row), file=sys.stderr)
        yield row


def _words(row: Any) -> list[str]:
    values = (value.milliseconds if isinstance(value, Timing) else value for value in row)
    return [f"{value:.1f}" if isinstance(value, float) else str(value) for value in values]


if __name__ == "__main__":
    if sys.argv[1:2] == ["cuda"]:
        cuda.run(sys.argv[2:])
    else:
        sys.exit(run())
