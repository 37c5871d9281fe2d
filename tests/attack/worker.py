"""One run of a command line in a forked child of limited memory and time.

The parent has imported everything, so a run takes as long as its work. It must have no threads.
"""

from __future__ import annotations

import contextlib
import faulthandler
import io
import os
import resource
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

MEMORY = 12 << 30
"""Bytes of addresses that a run may have."""
SECONDS = 60
"""That a run may take."""
CRASHED = 99
"""Exit status of a child whose main was left by an exception, which a traceback tells."""
_POLL = 0.002

type Stop = tuple[float, signal.Signals]
"""Seconds after the beginning of a run at which it gets a signal, and which."""


@dataclass(frozen=True)
class Outcome:
    """How a run ended."""

    status: int
    """Exit status; negative is the number of a signal."""
    timed_out: bool
    seconds: float
    out: str
    err: str


def run_forked(
    run: Callable[[], int | None],
    *,
    folder: Path,
    logs: Path,
    seconds: float = SECONDS,
    stop: Stop | None = None,
    memory: int = MEMORY,
) -> Outcome:
    """Run a function that is the main of a program in a forked child.

    Args:
        run: Returns the exit status.
        folder: Where it runs.
        logs: A folder for its standard output and error.
        seconds: After which it is killed.
        stop: When it gets a signal, and which.
        memory: Bytes of addresses that it may have.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    ready, begun = os.pipe()
    process = os.fork()
    if process == 0:
        _child(run, folder, logs, seconds, memory, begun)
    os.close(begun)
    os.read(ready, 1)  # or what a signal stops would not be the program
    os.close(ready)
    begin = time.monotonic()
    timed_out, stopped = False, stop is None
    while True:
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            break
        lasted = time.monotonic() - begin
        if not stopped and stop is not None and lasted > stop[0]:
            os.kill(process, stop[1])
            stopped = True
        if lasted > seconds:
            timed_out = True
            os.kill(process, signal.SIGKILL)
            _, status = os.waitpid(process, 0)
            break
        time.sleep(_POLL)
    out, err = (_text(logs / name) for name in ("out", "err"))
    lasted = time.monotonic() - begin
    return Outcome(os.waitstatus_to_exitcode(status), timed_out, lasted, out, err)


def run_here(run: Callable[[], int | None], *, folder: Path, logs: Path) -> Outcome:
    """Run a function that is the main of a program in this process, a child with bounds of its own.

    Args:
        run: Returns the exit status.
        folder: Where it runs.
        logs: A folder for its standard output and error.
    """
    begin = time.monotonic()
    _redirect(logs)
    os.chdir(folder)
    try:
        status = _status(run)
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        status = CRASHED
        with contextlib.suppress(OSError):
            os.write(2, traceback.format_exc().encode(errors="backslashreplace"))
    os.chdir(logs)
    out, err = (_text(logs / name) for name in ("out", "err"))
    return Outcome(status & 0xFF, False, time.monotonic() - begin, out, err)


def limit_memory(memory: int = MEMORY) -> None:
    """Bound this process, a child, and have the system leave no core behind."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def _redirect(logs: Path) -> None:
    """Standard output and error go to files, standard input is empty."""
    for number, name in ((0, None), (1, "out"), (2, "err")):
        target = "/dev/null" if name is None else logs / name
        flags = os.O_RDONLY if name is None else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        opened = os.open(target, flags, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    # What a test runner captures is not what a user has.
    sys.stdout = io.TextIOWrapper(os.fdopen(1, "wb", closefd=False), encoding="utf-8")
    sys.stderr = io.TextIOWrapper(
        os.fdopen(2, "wb", closefd=False),
        encoding="utf-8",
        errors="backslashreplace",
        line_buffering=True,
    )


def run_process(
    module: str,
    arguments: Sequence[str],
    *,
    folder: Path,
    root: Path,
    seconds: float = SECONDS,
    environment: Mapping[str, str] | None = None,
    stop: Stop | None = None,
) -> Outcome:
    """Run `python -m MODULE` as a process of its own, as a user does."""
    begin = time.monotonic()
    paths = os.pathsep.join(str(path) for path in (root, root / "runtime"))
    with subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": paths} | (environment or {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        if stop is not None:
            while process.poll() is None and not _has_begun(process.pid):
                time.sleep(_POLL)  # what comes before is Python's own beginning
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(stop[0])
            process.send_signal(stop[1])
        try:
            out, err = process.communicate(timeout=seconds)
            timed_out = False
        except subprocess.TimeoutExpired:
            timed_out = True
            process.kill()
            out, err = process.communicate()
    lasted = time.monotonic() - begin
    return Outcome(process.returncode, timed_out, lasted, _decoded(out), _decoded(err))


def _has_begun(process: int) -> bool:
    """Whether a process handles SIGTERM, as vidcolor does and Python does not."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:  # it has ended, or the system has no such files
        return True
    handled = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(handled.split()[1], 16) >> (signal.SIGTERM - 1) & 1)


def _child(
    run: Callable[[], int | None],
    folder: Path,
    logs: Path,
    seconds: float,
    memory: int,
    begun: int,
) -> NoReturn:
    """What happens in the child, which never returns. It writes to `begun` as it begins to run."""
    status = CRASHED
    faulthandler.disable()
    try:
        os.setpgid(0, 0)
        _redirect(logs)
        os.chdir(folder)
        limit_memory(memory)
        resource.setrlimit(resource.RLIMIT_CPU, (int(2 * seconds), int(2 * seconds) + 1))
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        os.write(begun, b".")
        os.close(begun)
        status = _status(run)
        sys.stdout.flush()
        sys.stderr.flush()
        threading._shutdown()  # type: ignore[attr-defined]  # as an interpreter does at its end
    except BaseException:
        status = CRASHED
        with contextlib.suppress(OSError):
            os.write(2, traceback.format_exc().encode(errors="backslashreplace"))
    finally:
        os._exit(status & 0xFF)


def _status(run: Callable[[], int | None]) -> int:
    """As `sys.exit` would have it."""
    try:
        code = run()
    except SystemExit as error:
        code = error.code  # type: ignore[assignment]
    if isinstance(code, str):
        sys.stderr.write(code + "\n")
        return 1
    return code or 0


def _text(path: Path) -> str:
    try:
        return _decoded(path.read_bytes())
    except FileNotFoundError:
        return ""


def _decoded(data: bytes) -> str:
    return data.decode(errors="backslashreplace")
