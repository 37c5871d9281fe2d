"""Runs of graphs that can be ended: a graph is anybody's, and may loop for ever.

Python handles Ctrl-C in its main thread, and only between two of its own instructions, not while
that thread is inside onnxruntime. So the main thread lets a helper thread run its graphs, and waits
where a signal reaches it. Runs of other threads are ended by `end_runs`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import cache
from typing import Any

from vidcolor.inference.providers import FATAL, onnxruntime
from vidcolor.interruption import check

_lock = threading.RLock()  # a signal's handler may come while its own thread holds it
_under_way: dict[int, Any] = {}
"""The `RunOptions` of all runs under way."""
_asked = threading.local()
"""`check` of a thread, while it is inside `asking`."""


def run[Result](
    call: Callable[[Any], Result], *, verbosity: int = FATAL, in_turn: bool = False
) -> Result:
    """Run a graph so that it can be ended.

    Args:
        call: Runs it with the `onnxruntime.RunOptions` that it is given.
        verbosity: The least severity that onnxruntime writes to stderr, 0 to 4.
        in_turn: Whether it is run in the one thread that the main thread lets run its graphs, too,
            and so at no time beside another that is.

    Returns:
        What `call` returned.

    Raises:
        Exception: As onnxruntime raises it, also when the run was ended without a signal.
        KeyboardInterrupt: Ctrl-C in the main thread, or of the command that this is part of; the
            run was ended.
        Terminated: Likewise after SIGTERM or SIGHUP.
        BaseException: What the check of `asking` raised; nothing was run.
    """
    options = onnxruntime().RunOptions()
    options.log_severity_level = verbosity
    with _lock:
        _under_way[id(options)] = options
    try:
        # Not before `end_runs` would end this run.
        check()
        if ask := getattr(_asked, "check", None):
            ask()
        if not in_turn and threading.current_thread() is not threading.main_thread():
            return call(options)
        future = _helper().submit(call, options)
        try:
            return future.result()
        except BaseException:
            options.terminate = True
            wait([future])
            raise
    except Exception:
        check()  # a signal may have ended it, which is no failure
        raise
    finally:
        with _lock:
            del _under_way[id(options)]


def end_runs() -> None:
    """End all runs under way, in any thread: each fails at its next node."""
    with _lock:
        for options in list(_under_way.values()):
            options.terminate = True


def was_ended(error: Exception) -> bool:
    """Whether a run's error says that it was ended: those are onnxruntime's words."""
    return "terminate flag" in str(error)


@contextmanager
def asking(check: Callable[[], None]) -> Iterator[None]:
    """Have each run of this thread ask, once `end_runs` would end it, whether it should be.

    Without it a run that begins right after `end_runs` would go on.

    Args:
        check: Raises if so.
    """
    _asked.check = check
    try:
        yield
    finally:
        _asked.check = None


@cache
def _helper() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="vidcolor-run")
