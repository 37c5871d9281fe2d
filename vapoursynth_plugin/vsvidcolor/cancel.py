"""Cancels a long seek on Ctrl-C and at interpreter exit.

A replay may take minutes, and a graph, which is anybody's, for ever. Meanwhile the main thread,
which alone handles signals and exits, waits for the frame in native code. So replays themselves
ask, at each step, whether they should end, and a thread that waits for signals ends graphs.
"""

from __future__ import annotations

import atexit
import ctypes
import select
import signal
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from functools import partial
from time import monotonic

from vidcolor.errors import VidcolorError
from vidcolor.inference.running import asking, end_runs

_HEARING = 0.05
"""Seconds in which a main thread that runs Python has surely heard of a signal."""
_PENDING = 5.0
"""Seconds for which a main thread is taken to be inside the `get_frame` that a signal met."""
_CALL = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)

_exiting = threading.Event()
atexit.register(end_runs)
atexit.register(_exiting.set)  # this comes first


class _InterruptCounter:
    """Counts the signals that end in KeyboardInterrupt, before the main thread hears of them.

    Python can write each signal's number to a socket as it arrives. If another library, such as
    asyncio, has asked for that already, it keeps it, and Ctrl-C arrives when the frame is done.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0
        self._last = -_PENDING
        self._heard = threading.Event()
        self._tell = _CALL(self._hear)
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        previous = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        if previous != -1:
            signal.set_wakeup_fd(previous)
            return
        # A daemon: Python does not wait for it when it exits.
        threading.Thread(target=self._listen, name="vidcolor-signals", daemon=True).start()

    def count(self) -> int:
        """Interrupts since the counter was made. Graphs under way are ended at each."""
        with self._lock:
            try:
                arrived = self._reader.recv(4096).count(signal.SIGINT)
            except BlockingIOError:
                arrived = 0
            if arrived and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
                self._count += arrived
                self._last = monotonic()
                self._heard.clear()
                # Python calls it in the main thread, right after that has heard of the signal.
                if ctypes.pythonapi.Py_AddPendingCall(self._tell, None):
                    self._heard.set()  # too many wait to be called: it is left at that
                end_runs()
            return self._count

    def is_pending(self) -> bool:
        """Whether the main thread still waits in the `get_frame` that the last interrupt met.

        VapourSynth asks several of a filter's stages for a frame, one after the other: an interrupt
        that comes between two of them is meant for the second, too.
        """
        if monotonic() - self._last > _PENDING:
            return False
        return not self._heard.wait(_HEARING)

    def _hear(self, _: object) -> int:
        self._heard.set()
        return 0

    def _listen(self) -> None:
        while True:
            select.select([self._reader], [], [])
            self.count()


class InterruptedSeekError(CancelledError):
    """A request ends because of Ctrl-C.

    The class keeps the process from hanging. In VapourSynth R81, `get_frame` resolves a future at
    its end, and VapourSynth waits for that future when Python exits. Ctrl-C becomes
    KeyboardInterrupt in the first Python code that the main thread runs afterwards. If a request
    fails with an error text, that code is the method which resolves the future: the future stays
    open, and Python never exits. But a `CancelledError` of a filter reaches `get_frame` as it is,
    and `get_frame` asks for its truth value first. So KeyboardInterrupt is raised in `__bool__`,
    and the future is resolved.
    """

    def __bool__(self) -> bool:
        return True


_interrupts: _InterruptCounter | None = None


def listen() -> None:
    """Listen for Ctrl-C from now on. Only the main thread can do so; others call in vain."""
    global _interrupts  # noqa: PLW0603  (signals are the process's)
    if _interrupts is None and threading.current_thread() is threading.main_thread():
        _interrupts = _InterruptCounter()


class CancelToken:
    """Tells a request whether it was cancelled, at the latest just before the token was made."""

    def __init__(self) -> None:
        self._before = _interrupts.count() if _interrupts else 0
        self._is_cancelled = bool(_interrupts and _interrupts.is_pending())

    def check(self, frame: int) -> None:
        """Raise when nobody waits for a frame any more.

        Args:
            frame: The frame's number.

        Raises:
            InterruptedSeekError: Ctrl-C was pressed since the token was made, or before it and
                the main thread has not heard of it yet.
            VidcolorError: Python exits.
        """
        if _exiting.is_set():
            raise VidcolorError(f"frame {frame} is not coloured, because Python exits")
        if self._is_cancelled or (_interrupts and _interrupts.count() != self._before):
            raise InterruptedSeekError(f"frame {frame} is not coloured, because of Ctrl-C")

    @contextmanager
    def asked(self, frame: int) -> Iterator[None]:
        """Have each graph that is run for a frame ask; and if anything fails, ask why.

        Args:
            frame: The frame's number.

        Raises:
            InterruptedSeekError: As in `check`.
            VidcolorError: Likewise.
        """
        try:
            with asking(partial(self.check, frame)):
                yield
        except Exception:
            self.check(frame)  # it may have failed because it was ended
            raise
