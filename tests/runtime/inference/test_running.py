"""A graph that loops for ever can be ended, in any thread."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tests.runtime.inference.hostile import loop_for_ever, spoiled
from tests.support.videos import write_clip
from tests.support.waiting import DEADLINE
from vidcolor import interruption
from vidcolor.errors import BundleError
from vidcolor.inference import running
from vidcolor.inference.session import Session
from vidcolor.planes import Key
from vidcolor.propagate import Propagator


def test_what_is_run_in_turn_is_run_in_one_thread_whoever_asks() -> None:
    threads, under_way = set(), threading.Lock()

    def call(options: object) -> None:
        assert under_way.acquire(blocking=False)
        time.sleep(0.01)
        threads.add(threading.current_thread())
        under_way.release()

    with ThreadPoolExecutor(4) as others:
        asked = [others.submit(running.run, call, in_turn=True) for _ in range(8)]
        running.run(call)
        for future in asked:
            future.result()
    [thread] = threads
    assert thread is not threading.main_thread()


@pytest.fixture(scope="module")
def looping(toy_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return spoiled(
        toy_bundle, tmp_path_factory.mktemp("loop"), loop_for_ever, graphs=("propagate",)
    )


def step(propagator: Propagator) -> None:
    plane = np.zeros((16, 16), np.float32)
    state = propagator.init_state(Key(plane, np.zeros((2, 16, 16), np.float32)))
    propagator.step(plane, state)


@pytest.mark.parametrize(
    ("number", "raised"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)]
)
def test_a_run_that_a_signal_ends_is_no_failure_of_the_model(
    number: signal.Signals, raised: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    def call(options: object) -> None:
        monkeypatch.setattr(interruption, "_noted", [number])
        raise RuntimeError("Exiting due to terminate flag being set to true.")

    with ThreadPoolExecutor(1) as thread, pytest.raises(raised):
        thread.submit(running.run, call).result()


def test_what_a_call_returns_and_raises_comes_back() -> None:
    threads = []

    def call(options: object) -> int:
        assert options.terminate is False  # type: ignore[attr-defined]
        threads.append(threading.current_thread())
        return 7

    assert running.run(call) == 7
    with ThreadPoolExecutor(1) as other:
        assert other.submit(running.run, call).result() == 7
        worker = other.submit(threading.current_thread).result()
    assert threads[0] is not threading.main_thread(), "it must be free for signals"
    assert threads[1] is worker

    def fail(_: object) -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        running.run(fail)
    assert not running._under_way


def test_runs_of_other_threads_are_ended(looping: Path) -> None:
    propagator = Propagator(Session.load(looping, provider="cpu", threads=1))
    with ThreadPoolExecutor(2) as threads:
        steps = [threads.submit(step, propagator) for _ in range(2)]
        until = time.monotonic() + DEADLINE
        while len(running._under_way) < 2 and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(0.2)
        assert not any(one.done() for one in steps)
        running.end_runs()
        for one in steps:
            with pytest.raises(BundleError, match=r"^model 'toy-bundle' failed: .*terminate"):
                one.result(timeout=DEADLINE)
    assert not running._under_way


def test_a_run_that_begins_after_all_were_ended_asks_first(looping: Path) -> None:
    """Else a seek that is ended between two graphs would be in the second one for ever."""
    propagator = Propagator(Session.load(looping, provider="cpu", threads=1))
    under_way = []

    def check() -> None:
        under_way.append(len(running._under_way))
        if len(under_way) == 2:  # the key's graph ends, the frame's does not
            running.end_runs()
            raise ValueError("nobody waits")

    with pytest.raises(BundleError, match="nobody waits"), running.asking(check):
        step(propagator)
    assert under_way == [1, 1], "asked when end_runs would end the run"
    assert running.run(lambda _: 7) == 7
    assert len(under_way) == 2, "asked after its end"


def script(code: str, bundle: Path) -> subprocess.Popen[str]:
    """A Python script that has begun to run, with the bundle as its argument."""
    return subprocess.Popen(
        [sys.executable, "-c", code, str(bundle)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def interrupted(process: subprocess.Popen[str], *, again: float | None = None) -> tuple[int, str]:
    """Status and errors of a process that gets SIGINT a second after it writes something, and once
    more after `again` seconds."""
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(1)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    if again is not None:
        time.sleep(again)
        process.send_signal(signal.SIGINT)
    try:
        _, errors = process.communicate(timeout=DEADLINE)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return process.returncode, errors


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX's signals")
@pytest.mark.usefixtures("heeded_signals")
def test_ctrl_c_ends_a_script(looping: Path) -> None:
    code = (
        "import sys, numpy as np; from vidcolor import Key, Propagator, Session\n"
        "propagator = Propagator(Session.load(sys.argv[1], provider='cpu', threads=1))\n"
        "plane = np.zeros((16, 16), np.float32)\n"
        "state = propagator.init_state(Key(plane, np.zeros((2, 16, 16), np.float32)))\n"
        "print('stepping', flush=True)\n"
        "try: propagator.step(plane, state)\n"
        "except KeyboardInterrupt: sys.exit(7)"
    )
    process = script(code, looping)
    assert interrupted(process) == (7, "")


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX's signals")
@pytest.mark.usefixtures("heeded_signals")
def test_a_second_ctrl_c_while_run_closes_ends_a_script(toy_bundle: Path) -> None:
    """The threads that prepare frames end first, and nothing is told but the two interrupts."""
    code = (
        "import sys, time, numpy as np; from vidcolor import Key, Propagator, Session\n"
        "from vidcolor.motion.preparer import Preparer\n"
        "prepare = Preparer.prepare\n"
        "def slow(self, *args, **more):\n"
        "    time.sleep(2)\n"
        "    return prepare(self, *args, **more)\n"
        "Preparer.prepare = slow\n"
        "propagator = Propagator(Session.load(sys.argv[1], provider='cpu', threads=1))\n"
        "plane = np.zeros((16, 16), np.float32)\n"
        "state = propagator.init_state(Key(plane, np.zeros((2, 16, 16), np.float32)))\n"
        "print('stepping', flush=True)\n"
        "for step in propagator.run([plane] * 1000, state): pass"
    )
    process = script(code, toy_bundle)
    status, errors = interrupted(process, again=0.5)
    assert status == -signal.SIGINT
    assert "Exception ignored" not in errors
    assert errors.rstrip().endswith("KeyboardInterrupt")
    assert errors.count("KeyboardInterrupt") == errors.count("Traceback") == 2


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX's signals")
@pytest.mark.usefixtures("heeded_signals")
def test_ctrl_c_ends_the_command_line(looping: Path, tmp_path: Path) -> None:
    film = write_clip(tmp_path / "film.mkv")
    words = [str(film), "--key", "auto", "-o", str(tmp_path / "out.mkv"), "--size", "32"]
    code = (
        "import sys; from vidcolor.propagate import Propagator\n"
        "before = Propagator.step\n"
        "def step(self, *args):\n"
        "    print('stepping', flush=True)\n"
        "    return before(self, *args)\n"
        "Propagator.step = step\n"
        "from vidcolor.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, "color", *words, "--model", str(looping), "--quiet"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    status, errors = interrupted(process)
    assert status == 130, errors
    assert "Traceback" not in errors
    assert errors.endswith("vidcolor: interrupted, no output was written\n")
    assert not (tmp_path / "out.mkv").exists()
