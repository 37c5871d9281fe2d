"""One input: what is run, in which folder, and what is right."""

from __future__ import annotations

import hashlib
import os
import shlex
import signal
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.attack.worker import CRASHED, SECONDS, Outcome, Stop

BAD_INPUT = 2
INTERRUPTED = 130

type Check = Callable[[Path, Outcome], Iterator[str]]
"""Faults of what a command wrote into the folder, in words. It runs in a child of its own."""


@dataclass
class Case:
    """A command and what it may do.

    Args:
        arguments: Of the command line.
        output: The file, or folder, that it writes. None where it may write none.
        check: Whether what it wrote at exit status 0 is right.
        statuses: Exit statuses that are accepted.
        program: 'vidcolor', or 'export'.
        interrupt_after: Seconds after which it is stopped as by Ctrl-C.
        stops: Of runs before this one: the seconds after which a signal stops each.
        own_process: Whether those are processes of their own, as a user's are.
        seconds: That it may take.
        what: What was done to it, for whoever reads of a fault.
    """

    arguments: list[str]
    output: str | None = None
    check: Check | None = None
    statuses: frozenset[int] = frozenset({0, BAD_INPUT})
    program: str = "vidcolor"
    interrupt_after: float | None = None
    stops: Sequence[Stop] = ()
    own_process: bool = False
    seconds: float = SECONDS
    what: str = ""
    before: dict[str, str] = field(default_factory=dict)
    """The folder's files as they were; see `look`."""

    @property
    def command(self) -> str:
        """For a shell, in the input's folder."""
        quoted = shlex.join(self.arguments)
        return f"python -m {self.program} {quoted}".encode(errors="backslashreplace").decode()


def judge_stopped(number: signal.Signals, outcome: Outcome) -> Iterator[str]:
    """What is wrong with how a run ended that was stopped by a signal, or was over by then."""
    if outcome.timed_out:
        yield f"hangs: {number.name} did not stop it"
    elif outcome.status not in (0, -number, 128 + number):
        yield f"exit status {outcome.status} after {number.name}: {_last_line(outcome.err)}"
    if "Traceback (most recent call last)" in outcome.err:
        yield f"exception after {number.name}: {_last_line(outcome.err)}"


def look(folder: Path) -> dict[str, str]:
    """What lies in a folder: by its path there, its kind and a digest."""
    found = {}
    for base, names, files in os.walk(folder):
        for name in (*names, *files):
            path = Path(base, name)
            found[str(path.relative_to(folder))] = _kind(path)
    return found


def _kind(path: Path) -> str:
    mode = path.lstat().st_mode
    if stat.S_ISREG(mode):
        return hashlib.blake2b(path.read_bytes(), digest_size=8).hexdigest()
    return {stat.S_IFDIR: "folder", stat.S_IFLNK: "link"}.get(stat.S_IFMT(mode), "other")


def judge(case: Case, folder: Path, outcome: Outcome) -> Iterator[str]:
    """What is wrong with how a run ended and with what it left, apart from `Case.check`."""
    if outcome.timed_out:
        yield f"hangs: it was killed after {outcome.seconds:.0f} s"
        return
    if outcome.status < 0:
        yield f"signal {-outcome.status}"
    if outcome.status == CRASHED or "Traceback (most recent call last)" in outcome.err:
        yield f"exception: {_last_line(outcome.err)}"
    elif outcome.status not in case.statuses:
        yield f"exit status {outcome.status}, accepted are {sorted(case.statuses)}"
    for ignored in ("Exception ignored", "Exception in thread"):
        if ignored in outcome.err:
            yield f"exception: {ignored.lower()}: {_last_line(outcome.err)}"
    if outcome.status == BAD_INPUT and not any(
        word in outcome.err for word in (f"{case.program}: ", "For full helptext")
    ):
        yield "exit status 2 without a sentence"
    yield from _left(case, folder, outcome)


def _left(case: Case, folder: Path, outcome: Outcome) -> Iterator[str]:
    """What should not be there, or is no longer."""
    after = look(folder)
    work = f"{case.output}.vidcolor"
    for path, kind in case.before.items():
        mine = case.output is not None and (path.split("/")[0] in (case.output, work))
        report = path == f"{case.output}.vidcolor.json"
        if not mine and not report and after.get(path) != kind:
            yield f"{path} was changed or removed"
        if path == case.output and outcome.status != 0 and after.get(path) != kind:
            yield f"the output {path} of before was changed at exit status {outcome.status}"
    for path in sorted(after.keys() - case.before.keys()):
        if "partial" in path:
            yield f"half-written {path} is left"
        elif outcome.status != 0 and not path.startswith(f"{work}/") and path != work:
            yield f"{path} is left at exit status {outcome.status}"


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "nothing was told"
