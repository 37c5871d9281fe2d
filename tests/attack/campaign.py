"""A number of inputs of each kind, one after the other, and what is told of them."""

from __future__ import annotations

import contextlib
import importlib.util
import multiprocessing
import os
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from tests.attack.batch import run_batch
from tests.attack.kinds import KINDS
from tests.attack.material import Material, make_material
from tests.attack.run import Input, Result
from tests.support.in_memory import memory_folder

_ROOM = 2 << 30
"""Bytes that inputs may take together."""
_BATCH = 25
"""Inputs that a worker gets at a time."""


_OPTIONAL = (
    "PIL.Image", "PIL.ImageDraw", "PIL.ImageFont", "scenedetect", "scipy.sparse.linalg",
    "multiprocessing.synchronize",
)  # fmt: skip


@dataclass(frozen=True)
class Attack:
    """Give the command lines damaged and wild inputs, and count the faults.

    A fault is an exception that leaves main, a signal, a run of more than a minute, exit status 0
    with a wrong output, and another one with a partial output left behind. The exit status is 1 if
    there is a fault.

    For example:

        python -m tests.attack --inputs 1000
        python -m tests.attack --kind films --only 17 --keep runs/attack
    """

    inputs: int = 20_000
    """How many, of all kinds together."""
    seed: int = 1
    """Another one gives other inputs."""
    kind: tuple[str, ...] = ()
    """Only these kinds, of: films, keys, caches, reports, bundles, command-lines, names,
    stops and checkpoints."""
    only: tuple[int, ...] = ()
    """Only the inputs of these numbers, of the kinds that are given."""
    keep: Path = Path("runs/attack")
    """The folder that inputs with faults are kept in, each with the command that repeats it."""
    minutes: float = 24 * 60
    """After which no further inputs are begun."""
    jobs: int = 1
    """Processes that run inputs side by side."""


def attack(options: Attack) -> int:
    """Run a campaign, print its table, and return the exit status."""
    if wrong := [kind for kind in options.kind if kind not in KINDS]:
        raise SystemExit(f"kind is {wrong[0]!r}, known are {', '.join(KINDS)}")
    # What a shell starts in the background is deaf to Ctrl-C, and so would runs be.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    begin = time.monotonic()
    folder = memory_folder(room=_ROOM)
    with tempfile.TemporaryDirectory(prefix="vidcolor-attack-", dir=folder) as place:
        material = _made(Path(place) / "material")
        results = list(_run_all(options, material, Path(place)))
    print(table(results), flush=True)
    faults = [result for result in results if result.faults]
    print(
        f"{len(results)} inputs, {len(faults)} with faults, seed {options.seed}, "
        f"{time.monotonic() - begin:.0f} s"
    )
    return 1 if faults else 0


def inputs(options: Attack) -> list[Input]:
    """All inputs of a campaign, kinds in turn; but checkpoints are the last.

    A fork of a process that has imported PyTorch takes much longer.
    """
    kinds = options.kind or tuple(kind for kind in KINDS if _can(kind))
    if options.only:
        return [Input(kind, number, options.seed) for kind in kinds for number in options.only]
    whole = sum(KINDS[kind].share for kind in kinds)
    counts = {kind: -(-options.inputs * KINDS[kind].share // whole) for kind in kinds}
    found = [
        (number / count, Input(kind, number, options.seed))
        for kind, count in counts.items()
        for number in range(count)
    ]
    found.sort(key=lambda pair: (pair[1].kind == "checkpoints", pair[0]))
    return [each for _, each in found]


def _can(kind: str) -> bool:
    """Whether what a kind of input needs is installed."""
    return kind != "checkpoints" or importlib.util.find_spec("torch") is not None


def table(results: list[Result]) -> str:
    """By kind: inputs, those done, refused and faulty, and the seconds that one takes."""
    lines = ["| kind | inputs | exit 0 | exit 2 | other | faults | mean s | longest s |"]
    lines.append("|---|---:|---:|---:|---:|---:|---:|---:|")
    for kind in (*KINDS, "all"):
        mine = [result for result in results if kind in (result.input.kind, "all")]
        if not mine:
            continue
        ended = Counter(result.status for result in mine)
        faults = sum(bool(result.faults) for result in mine)
        seconds = [result.seconds for result in mine]
        other = len(mine) - ended[0] - ended[2]
        lines.append(
            f"| {kind} | {len(mine)} | {ended[0]} | {ended[2]} | {other} | {faults} "
            f"| {sum(seconds) / len(mine):.2f} | {max(seconds):.1f} |"
        )
    return "\n".join(lines)


def _made(folder: Path) -> Material:
    """The sound files, made in a child: encoders leave threads behind, and forks must have none."""
    folder.mkdir()
    process = os.fork()
    if process == 0:
        status = 1
        try:
            with contextlib.redirect_stdout(sys.stderr):
                make_material(folder)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    if os.waitpid(process, 0)[1]:
        raise SystemExit("the sound files could not be made")
    return Material(folder)


def _run_all(options: Attack, material: Material, place: Path) -> Iterator[Result]:
    asked = inputs(options)
    batches = [asked[at : at + _BATCH] for at in range(0, len(asked), _BATCH)]
    keep = options.keep.resolve()
    with ProcessPoolExecutor(
        options.jobs,
        mp_context=multiprocessing.get_context("fork"),
        initializer=_import_all,
    ) as pool:
        futures = [pool.submit(run_batch, batch, material, place, keep) for batch in batches]
        done = 0
        end = time.monotonic() + 60 * options.minutes
        try:
            for future in as_completed(futures):
                for result in future.result():
                    done += 1
                    _tell(result, done, len(asked))
                    yield result
                if time.monotonic() > end:
                    return
        finally:  # also where a batch failed: else the pool would run all others first
            pool.shutdown(cancel_futures=True)


def _tell(result: Result, done: int, total: int) -> None:
    for fault in result.faults:
        print(f"{result.input.kind} {result.input.number}: {fault}", file=sys.stderr, flush=True)
    if done % 500 == 0:
        print(f"{done} of {total}", file=sys.stderr, flush=True)


def _import_all() -> None:
    """What every run needs is imported once, before the forks."""
    from vidcolor.cli import COMMANDS, parse
    from vidcolor.inference.providers import onnxruntime

    for command in COMMANDS.values():
        command.load()
    parse(["review", "out.mkv"])  # what tyro imports as it is used
    for name in _OPTIONAL:
        with contextlib.suppress(ImportError):
            import_module(name)
    onnxruntime()
