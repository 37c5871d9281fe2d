"""Ctrl-C, SIGTERM and SIGHUP end a command between two steps of its work, and never within one.

SIGTERM is how a service manager or the system stops a process; SIGHUP is sent when the terminal is
closed or the connection to it is lost.

Left to itself, Python raises KeyboardInterrupt in the main thread after whatever instruction that
is at: in a destructor, which swallows it; while it waits for another thread, which then goes on
with a film that is closed meanwhile, and crashes; in a callback of C code that expects none. So
the work is done in a thread of its own. The main thread, which alone gets signals, waits and takes
note of them, and the work asks at each of its steps.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from types import FrameType

TOLD = "interrupted, no output was written"
"""What a command says when a signal ends it."""
GRACE = 5.0
"""Seconds after a signal at which the process ends, whatever the work waits for."""
_POLL = 0.1
"""Seconds between two looks at the clock. On Windows a wait without an end hears no signal."""
_STACK = 16 << 20
"""Bytes: some systems give threads less than a main thread has."""
_SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]
"""Windows has no SIGHUP."""

_noted: list[int] = []
"""Signals that arrived during the work under way."""


class Terminated(SystemExit):
    """SIGTERM or SIGHUP ends the program; `code` is its exit status, 128 + the signal's number."""

    code: int


def exit_status(end: KeyboardInterrupt | Terminated) -> int:
    """The exit status of a program that a signal ends: 128 + the signal's number."""
    return end.code if isinstance(end, Terminated) else 128 + signal.SIGINT


def check() -> None:
    """End the work of a command if a signal asks for it. Elsewhere, do nothing.

    Raises:
        KeyboardInterrupt: After Ctrl-C.
        Terminated: After SIGTERM or SIGHUP.
    """
    if _noted:
        if _noted[0] == signal.SIGINT:
            raise KeyboardInterrupt
        raise Terminated(128 + _noted[0])


def run_interruptibly[T](work: Callable[[], T]) -> T:
    """Do the work of a command in a thread, so that `check` ends it after a signal.

    Where the work does not ask for `GRACE` seconds, the process ends.

    Args:
        work: What to do.

    Returns:
        What `work` returned.

    Raises:
        BaseException: What `work` raised.
    """
    if threading.current_thread() is not threading.main_thread():
        return work()  # signals are the main thread's
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)

    with _handled(_note):
        try:
            thread = _start(run)
        except RuntimeError:  # there is no memory for its stack; the work will find out, and say so
            return work()
        deadline = None
        while thread.is_alive():
            thread.join(_POLL)
            if _noted and deadline is None:
                deadline = monotonic() + GRACE
            elif deadline is not None and monotonic() > deadline:
                _end_process(128 + _noted[0])
    if errors:
        raise errors[0]
    return results[0]


@contextmanager
def raised_by_signals() -> Iterator[None]:
    """Let signals end a block of the main thread wherever it is, as Ctrl-C does in any program.

    For work that has to be in the main thread, or that does not ask. What other threads do for it
    ends where `check` is asked, and so do the graphs that they run.

    Raises:
        KeyboardInterrupt: After Ctrl-C.
        Terminated: After SIGTERM or SIGHUP.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are the main thread's
        return
    with _handled(_raise):
        try:
            yield
        except Exception:
            check()  # what fails because of a signal is no failure
            raise


def leave_signals_to_parent() -> None:
    """Have a process that makes something for another ignore signals.

    A terminal and a service manager send them to all processes of a program. The one that began
    the others gets them, too, and ends them in its own time.
    """
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _start(run: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=run, name="vidcolor-work", daemon=True)
    before = threading.stack_size(_STACK)
    try:
        thread.start()
    finally:
        threading.stack_size(before)
    return thread


@contextmanager
def _handled(handle: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Have a function handle the signals.

    What the process was told to ignore stays ignored: `nohup` does so with SIGHUP, a shell with
    SIGINT in what it runs in the background.
    """
    heard = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, handle) for number in heard}
    _noted.clear()
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _noted.clear()


def _note(number: int, _frame: FrameType | None) -> None:
    """End graphs that are being run, too: they are anybody's, and may never end."""
    _noted.append(number)
    running = sys.modules.get("vidcolor.inference.running")
    if end_runs := getattr(running, "end_runs", None):  # else it is still being imported, at most
        end_runs()


def _raise(number: int, frame: FrameType | None) -> None:
    _note(number, frame)
    check()


def _end_process(status: int) -> None:
    print(f"vidcolor: {TOLD}", file=sys.stderr, flush=True)
    os._exit(status)
