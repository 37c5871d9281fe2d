"""A number of inputs of each kind, one after the other, and what is told of them."""

from __future__ import annotations

import contextlib
import importlib.util
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path

from tests.attack.case import Case, judge, judge_stopped, look
from tests.attack.kinds import KINDS
from tests.attack.material import Material, make_material
from tests.attack.worker import Outcome, Stop, run_forked, run_process

ROOT = Path(__file__).parents[2]
_OWN_PROCESS = 100
"""Every so many-th input runs in a Python process of its own, as a user's does."""
_SURROUNDINGS: tuple[Mapping[str, str], ...] = (
    {},
    {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
    {"PYTHONIOENCODING": "cp850"},
    {"PYTHONIOENCODING": "ascii"},
    {"TERM": "dumb", "COLUMNS": "1"},
)
"""What they find there, in turn: other code pages, odd terminals."""
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


@dataclass(frozen=True)
class Input:
    """One input, by what it is drawn from."""

    kind: str
    number: int
    seed: int

    def repeat(self) -> str:
        """The command that runs it again."""
        return f"python -m tests.attack --seed {self.seed} --kind {self.kind} --only {self.number}"


@dataclass(frozen=True)
class Result:
    """What came of an input."""

    input: Input
    status: int
    seconds: float
    faults: tuple[str, ...] = ()
    command: str = ""
    kept: str = ""


def attack(options: Attack) -> int:
    """Run a campaign, print its table, and return the exit status."""
    if wrong := [kind for kind in options.kind if kind not in KINDS]:
        raise SystemExit(f"kind is {wrong[0]!r}, known are {', '.join(KINDS)}")
    # What a shell starts in the background is deaf to Ctrl-C, and so would runs be.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="vidcolor-attack-", dir=_in_memory()) as place:
        material = _made(Path(place) / "material")
        results = list(_run_all(options, material, Path(place)))
    print(table(results), flush=True)
    faults = [result for result in results if result.faults]
    print(
        f"{len(results)} inputs, {len(faults)} with faults, seed {options.seed}, "
        f"{time.monotonic() - begin:.0f} s"
    )
    return 1 if faults else 0


def _in_memory() -> str | None:
    """A folder in memory, where writes need not wait for a disk; None if there is none."""
    folder = Path("/dev/shm")  # noqa: S108 - of names of our own
    roomy = folder.is_dir() and shutil.disk_usage(folder).free > _ROOM
    return str(folder) if roomy else None


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
        futures = [pool.submit(_run_batch, batch, material, place, keep) for batch in batches]
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


def _run_batch(batch: list[Input], material: Material, place: Path, keep: Path) -> list[Result]:
    return [run_input(each, material, place, keep) for each in batch]


def run_input(each: Input, material: Material, place: Path, keep: Path | None) -> Result:
    """Run one input in a folder of its own, which is kept in `keep` if there is a fault."""
    room = Path(tempfile.mkdtemp(prefix=f"{each.kind}-{each.number}-", dir=place))
    folder, logs = room / "input", room / "logs"
    folder.mkdir()
    logs.mkdir()
    # Not for secrets: the same numbers give the same inputs.
    numbers = random.Random(f"{each.seed} {each.kind} {each.number}")  # noqa: S311
    case = KINDS[each.kind].make(numbers, material, folder)
    case.before = look(folder)
    kept = room / "kept"
    if keep is not None:
        shutil.copytree(folder, kept, symlinks=True, copy_function=_copy)
    faults: list[str] = []
    for stop in case.stops:
        faults += judge_stopped(stop[1], _run_stopped(case, folder, logs, stop))
    turn, rest = divmod(each.number, _OWN_PROCESS)
    surroundings = _SURROUNDINGS[turn % len(_SURROUNDINGS)] if rest == 0 else None
    outcome = _run(case, folder, logs, surroundings)
    if outcome.timed_out:  # a fork of a process with threads may hang where a process would not
        outcome = _run(case, folder, logs, {})
    faults += judge(case, folder, outcome)
    if outcome.status == 0 and case.check is not None and not faults:
        faults += _check(case, folder, outcome, logs)
    result = Result(each, outcome.status, outcome.seconds, tuple(faults), case.command)
    if faults and keep is not None:
        result = replace(result, kept=_keep(result, case, outcome, kept, keep))
    shutil.rmtree(room, ignore_errors=True)
    return result


def _run_stopped(case: Case, folder: Path, logs: Path, stop: Stop) -> Outcome:
    if case.own_process:
        return run_process(case.program, case.arguments, folder=folder, root=ROOT, stop=stop)
    return run_forked(_main_of(case), folder=folder, logs=logs, stop=stop)


def _run(case: Case, folder: Path, logs: Path, surroundings: Mapping[str, str] | None) -> Outcome:
    """Run a case in a fork, or in a process of its own with these environment variables."""
    if surroundings is not None and case.program == "vidcolor" and case.interrupt_after is None:
        return run_process(
            case.program, case.arguments, folder=folder, root=ROOT, seconds=case.seconds,
            environment=surroundings,
        )  # fmt: skip
    stop = None if case.interrupt_after is None else (case.interrupt_after, signal.SIGINT)
    return run_forked(
        _main_of(case), folder=folder, logs=logs, seconds=case.seconds, stop=stop
    )  # fmt: skip


def _main_of(case: Case) -> Callable[[], int | None]:
    if case.program == "export":
        import export.run
        from export.__main__ import main as export_main

        def export_loaded() -> int:
            # A checkpoint that can be loaded is exported in tests/export: it takes a minute.
            export.run.write_bundle = lambda *arguments, **options: []
            sys.argv = ["python -m export", *case.arguments]
            return export_main()

        return export_loaded
    from vidcolor.cli import main

    return lambda: main(case.arguments)


def _check(case: Case, folder: Path, outcome: Outcome, logs: Path) -> list[str]:
    """The faults that the case's own check finds, in a child that a broken output may crash."""
    check = case.check
    assert check is not None

    def run() -> int:
        for fault in check(folder, outcome):
            print(fault)
        return 0

    checked = run_forked(run, folder=folder, logs=logs)
    faults = checked.out.splitlines()
    if checked.status != 0:
        faults.append(f"the check failed: {checked.err.strip().splitlines()[-1:]}")
    return faults


def _keep(result: Result, case: Case, outcome: Outcome, kept: Path, keep: Path) -> str:
    """Keep the input as it was, what was told, and how to repeat it."""
    place = keep / f"{result.input.kind}-{result.input.seed}-{result.input.number}"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    shutil.copytree(kept, place / "input", symlinks=True, copy_function=_copy)
    words = [*result.faults, "", f"{result.input.repeat()}", "", f"in input/: {case.command}"]
    text = "\n".join([*words, f"what: {case.what}", "", outcome.out[-5000:], outcome.err[-20_000:]])
    (place / "fault.txt").write_text(text, encoding="utf-8", errors="backslashreplace")
    return str(place)


def _copy(source: str, target: str) -> None:
    """A file as it is; a pipe as a pipe."""
    if Path(source).is_file():
        shutil.copy2(source, target)
    else:
        os.mkfifo(target)
