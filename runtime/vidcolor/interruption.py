"""Ctrl-C and SIGTERM end a command between two steps of its work, and never within one.

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

GRACE = 5.0
"""Seconds after a signal at which the process ends, whatever the work waits for."""
_POLL = 0.1
"""Seconds between two looks at the clock. On Windows a wait without an end hears no signal."""
_STACK = 16 << 20
"""Bytes: some systems give threads less than a main thread has."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM)

_noted: list[int] = []
"""Signals that arrived during the work under way."""


def check() -> None:
    """End the work of a command if a signal asks for it. Elsewhere, do nothing.

    Raises:
        KeyboardInterrupt: After Ctrl-C.
        SystemExit: After SIGTERM; its code is the exit status.
    """
    if _noted:
        if _noted[0] == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + _noted[0])


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

    with _signals_noted():
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


def _start(run: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=run, name="vidcolor-work", daemon=True)
    before = threading.stack_size(_STACK)
    try:
        thread.start()
    finally:
        threading.stack_size(before)
    return thread


@contextmanager
def _signals_noted() -> Iterator[None]:
    before = {number: signal.signal(number, _note) for number in _SIGNALS}
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


def _end_process(status: int) -> None:
    print("vidcolor: interrupted, no output was written", file=sys.stderr, flush=True)
    os._exit(status)
