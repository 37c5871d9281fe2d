"""One input: made, run in a folder of its own, and judged."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from tests.attack.case import Case, judge, judge_stopped, look
from tests.attack.kinds import KINDS
from tests.attack.material import Material
from tests.attack.worker import Outcome, Stop, run_forked, run_here, run_process

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


@dataclass(frozen=True)
class Room:
    """An input that is made, in a folder of its own."""

    input: Input
    case: Case
    place: Path
    """It holds the three that follow."""

    @classmethod
    def make(cls, each: Input, material: Material, place: Path, *, keep: bool) -> Self:
        """Make an input in a new folder of `place`, with a copy if it is to be kept."""
        room = Path(tempfile.mkdtemp(prefix=f"{each.kind}-{each.number}-", dir=place))
        (room / "input").mkdir()
        (room / "logs").mkdir()
        # Not for secrets: the same numbers give the same inputs.
        numbers = random.Random(f"{each.seed} {each.kind} {each.number}")  # noqa: S311
        case = KINDS[each.kind].make(numbers, material, room / "input")
        made = cls(each, case, room)
        case.before = look(made.folder)
        if keep:
            shutil.copytree(made.folder, made.kept, symlinks=True, copy_function=_copy)
        return made

    @property
    def folder(self) -> Path:
        """What the command runs in."""
        return self.place / "input"

    @property
    def logs(self) -> Path:
        """What it writes to its streams."""
        return self.place / "logs"

    @property
    def kept(self) -> Path:
        """The folder as it was before."""
        return self.place / "kept"

    @property
    def surroundings(self) -> Mapping[str, str] | None:
        """Environment variables of the process of its own that it runs in; None if in none."""
        turn, rest = divmod(self.input.number, _OWN_PROCESS)
        if rest or self.case.program != "vidcolor" or self.case.interrupt_after is not None:
            return None
        return _SURROUNDINGS[turn % len(_SURROUNDINGS)]

    @property
    def may_run_here(self) -> bool:
        """Whether it can run in a process that runs others, too.

        PyTorch cannot: after the threads of other inputs, it may wait for some for ever.
        """
        case = self.case
        uses_torch = case.program == "export"
        alone = uses_torch or case.stops or case.interrupt_after is not None
        return not alone and self.surroundings is None

    def result(self, outcome: Outcome, faults: Sequence[str], keep: Path | None) -> Result:
        """What came of it; the folder is removed, or kept if there are faults."""
        result = Result(
            self.input, outcome.status, outcome.seconds, tuple(faults), self.case.command
        )
        if faults and keep is not None:
            result = replace(result, kept=_keep(result, self.case, outcome, self.kept, keep))
        shutil.rmtree(self.place, ignore_errors=True)
        return result


def run_input(each: Input, material: Material, place: Path, keep: Path | None) -> Result:
    """Run one input in forks, or processes, of its own. One with faults is kept in `keep`."""
    room = Room.make(each, material, place, keep=keep is not None)
    case, folder, logs = room.case, room.folder, room.logs
    faults: list[str] = []
    for stop in case.stops:
        faults += judge_stopped(stop[1], _run_stopped(case, folder, logs, stop))
    outcome = _run(case, folder, logs, room.surroundings)
    if outcome.timed_out:  # a fork of a process with threads may hang where a process would not
        outcome = _run(case, folder, logs, {})
    faults += judge(case, folder, outcome)
    if outcome.status == 0 and case.check is not None and not faults:
        faults += _check(case, folder, outcome, logs)
    return room.result(outcome, faults, keep)


def run_input_here(room: Room) -> Result:
    """Run one input in this process, a child that runs others, too. Nothing of it is kept."""
    case, folder = room.case, room.folder
    outcome = run_here(main_of(case), folder=folder, logs=room.logs)
    faults = list(judge(case, folder, outcome))
    if outcome.status == 0 and case.check is not None and not faults:
        try:
            faults += case.check(folder, outcome)
        except Exception as error:
            faults.append(f"the check failed: {error!r}")
    return room.result(outcome, faults, None)


def _run_stopped(case: Case, folder: Path, logs: Path, stop: Stop) -> Outcome:
    if case.own_process:
        return run_process(case.program, case.arguments, folder=folder, root=ROOT, stop=stop)
    return run_forked(main_of(case), folder=folder, logs=logs, stop=stop)


def _run(case: Case, folder: Path, logs: Path, surroundings: Mapping[str, str] | None) -> Outcome:
    """Run a case in a fork, or in a process of its own with these environment variables."""
    if surroundings is not None:
        return run_process(
            case.program, case.arguments, folder=folder, root=ROOT, seconds=case.seconds,
            environment=surroundings,
        )  # fmt: skip
    stop = None if case.interrupt_after is None else (case.interrupt_after, signal.SIGINT)
    return run_forked(
        main_of(case), folder=folder, logs=logs, seconds=case.seconds, stop=stop
    )  # fmt: skip


def main_of(case: Case) -> Callable[[], int | None]:
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
