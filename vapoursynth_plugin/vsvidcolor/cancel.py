"""Whoever waits for a far frame can go: by Ctrl-C, and by leaving Python.

A replay may take minutes, and the main thread, which alone handles signals and leaves, waits in
native code until it is done. So replays themselves look, at each step, whether they should end.
"""

from __future__ import annotations

import atexit
import os
import signal
import threading

from vidcolor.errors import VidcolorError

_exiting = threading.Event()
atexit.register(_exiting.set)


class _Pipe:
    """Counts the signals that end in KeyboardInterrupt, before the main thread hears of them.

    Python can write each signal's number to a file as it arrives. If anybody else has asked for
    that, asyncio for one, it is left to them, and Ctrl-C arrives when the frame is done.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0
        self._reader, writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(writer, False)
        before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        if before != -1:
            signal.set_wakeup_fd(before)

    def count(self) -> int:
        with self._lock:
            try:
                arrived = os.read(self._reader, 4096).count(signal.SIGINT)
            except BlockingIOError:
                arrived = 0
            if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
                self._count += arrived
            return self._count


_pipe: _Pipe | None = None


def listen() -> None:
    """Listen for Ctrl-C from now on. Of no effect but in the main thread, which may do so."""
    global _pipe  # noqa: PLW0603  (signals are the process's)
    if _pipe is None and threading.current_thread() is threading.main_thread():
        _pipe = _Pipe()


class Watch:
    """Notices what happened since it was made."""

    def __init__(self) -> None:
        self._before = _pipe.count() if _pipe else 0

    def check(self, frame: int) -> None:
        """Raise VidcolorError when there is nobody left to colour `frame` for."""
        if _exiting.is_set():
            raise VidcolorError(f"frame {frame} is not coloured, because Python exits")
        if _pipe and _pipe.count() != self._before:
            raise VidcolorError(f"frame {frame} is not coloured, because of Ctrl-C")
