"""A signal ends a command between two of its steps, or ends the process where none comes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType

import pytest

from vidcolor import interruption
from vidcolor.interruption import (
    Terminated,
    check,
    exit_status,
    raised_by_signals,
    run_interruptibly,
)

pytestmark = pytest.mark.usefixtures("heeded_signals")
posix = pytest.mark.skipif(sys.platform == "win32", reason="sends signals")


def work_until_stopped() -> None:
    """Steps of a hundredth of a second."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        time.sleep(0.01)
        check()


def test_what_work_returns_and_raises_comes_back() -> None:
    assert run_interruptibly(lambda: 7) == 7
    threads = []
    run_interruptibly(lambda: threads.append(threading.current_thread()))
    assert threads[0] is not threading.main_thread(), "it must be free for signals"
    with pytest.raises(ZeroDivisionError):
        run_interruptibly(lambda: 1 // 0)
    with pytest.raises(SystemExit) as end:
        run_interruptibly(lambda: sys.exit(3))
    assert end.value.code == 3


@posix
def test_a_signal_may_come_while_what_runs_graphs_is_imported(monkeypatch) -> None:
    """The module is there, and its functions are not yet."""
    monkeypatch.setitem(sys.modules, "vidcolor.inference.running", ModuleType("running"))

    def work() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        work_until_stopped()

    with pytest.raises(KeyboardInterrupt):
        run_interruptibly(work)


ENDS = [("SIGINT", KeyboardInterrupt), ("SIGTERM", Terminated), ("SIGHUP", Terminated)]
STATUS = {"SIGINT": 130, "SIGTERM": 143, "SIGHUP": 129}


@posix
@pytest.mark.parametrize(("name", "error"), ENDS)
def test_a_signal_is_raised_where_work_asks_for_it(
    name: str, error: type[KeyboardInterrupt | Terminated]
) -> None:
    number = signal.Signals[name]
    before = signal.getsignal(number)
    steps = []

    def work() -> None:
        os.kill(os.getpid(), number)
        time.sleep(0.3)  # whatever is done here is done to its end
        steps.append("whole")
        work_until_stopped()
        steps.append("never")

    with pytest.raises(error) as end:
        run_interruptibly(work)
    assert steps == ["whole"]
    assert exit_status(end.value) == STATUS[name]
    assert signal.getsignal(number) is before
    check()  # the next work is not ended
    assert run_interruptibly(lambda: check() or 7) == 7


@posix
def test_work_that_is_done_is_done() -> None:
    def work() -> int:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.3)
        return 7

    assert run_interruptibly(work) == 7


def test_in_another_thread_it_is_plain_work() -> None:
    results: list[int] = []
    thread = threading.Thread(target=lambda: results.append(run_interruptibly(lambda: 7)))
    thread.start()
    thread.join()
    assert results == [7]


@posix
@pytest.mark.parametrize(("name", "error"), ENDS)
def test_a_signal_ends_a_block_of_the_main_thread_and_its_helpers(
    name: str, error: type[KeyboardInterrupt | Terminated]
) -> None:
    """At once in the main thread, and where they ask in the others."""
    number = signal.Signals[name]
    before, begin = signal.getsignal(number), time.monotonic()
    threading.Timer(0.5, os.kill, (os.getpid(), number)).start()
    with pytest.raises(error) as end, raised_by_signals(), ThreadPoolExecutor(1) as pool:
        pool.submit(work_until_stopped).result()
    assert time.monotonic() - begin < 15
    assert exit_status(end.value) == STATUS[name]
    assert signal.getsignal(number) is before
    check()


@posix
def test_what_fails_because_of_a_signal_is_no_failure() -> None:
    """PyTorch says that its processes have died, and a run of trainings that one of them has."""

    def work() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(20)
        finally:
            fail()

    def fail() -> None:
        raise RuntimeError("a worker exited unexpectedly")

    with pytest.raises(Terminated), raised_by_signals():
        work()
    with pytest.raises(RuntimeError, match="unexpectedly"), raised_by_signals():
        fail()


@posix
@pytest.mark.parametrize("name", STATUS)
def test_signals_that_are_to_be_ignored_are(name: str) -> None:
    """By `nohup vidcolor ... &` a closed terminal ends nothing."""
    number = signal.Signals[name]

    def work() -> int:
        os.kill(os.getpid(), number)
        time.sleep(0.3)
        check()
        return 7

    before = signal.signal(number, signal.SIG_IGN)
    try:
        assert run_interruptibly(work) == 7
        with raised_by_signals():
            assert work() == 7
        assert signal.getsignal(number) is signal.SIG_IGN
    finally:
        signal.signal(number, before)


@posix
@pytest.mark.parametrize(("name", "status"), STATUS.items())
def test_work_that_never_asks_ends_with_the_process(name: str, status: int) -> None:
    code = (
        "import os, signal, threading, time; from vidcolor import interruption\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "interruption.GRACE = 0.2\n"
        f"threading.Timer(0.2, os.kill, (os.getpid(), signal.{name})).start()\n"
        "def work():\n"
        "    with ThreadPoolExecutor(1) as pool: pool.submit(time.sleep, 60).result()\n"
        "interruption.run_interruptibly(work)"
    )
    begin = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=50
    )
    assert time.monotonic() - begin < 30
    assert (done.returncode, done.stdout) == (status, "")
    assert done.stderr == "vidcolor: interrupted, no output was written\n"


def test_the_stacks_of_other_threads_are_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    real = threading.stack_size
    monkeypatch.setattr(threading, "stack_size", lambda size: sizes.append(size) or real(size))
    before = real()
    run_interruptibly(lambda: None)
    assert sizes == [interruption._STACK, before]
    assert real() == before


def test_work_is_done_where_no_thread_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    before = signal.getsignal(signal.SIGINT)
    assert run_interruptibly(threading.current_thread) is threading.main_thread()
    assert signal.getsignal(signal.SIGINT) is before
