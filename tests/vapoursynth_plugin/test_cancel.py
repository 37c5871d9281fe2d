"""A long seek ends at Ctrl-C and when Python exits, and the process with it."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.vapoursynth_plugin.processes import SCRIPTS, environment, python

SLOW = """
import os, signal, threading, time, vapoursynth as vs
from vidcolor.propagate import Propagator
core, step = vs.core, Propagator.step
def slow(self, luma, state):
    time.sleep(0.05)
    return step(self, luma, state)
Propagator.step = slow
clip = core.std.BlankClip(format=vs.GRAY8, width=64, height=64, length=1001)
key = core.std.BlankClip(format=vs.RGB24, width=64, height=64, length=len({keys}))
colored = core.vidcolor.Propagate(
    clip, key, frames={keys}, num_streams=2, model={model!r}, provider="cpu"
)
"""
"""Left alone, what far frames need takes 25 s or more."""

FAR = [([0], 1000), ([1000], 0), ([0, 1000], 500)]


@pytest.mark.parametrize(("keys", "frame"), FAR)
def test_exit_cuts_a_long_replay_short(keys, frame, toy_bundle):
    script = f"""
{SLOW.format(keys=keys, model=str(toy_bundle))}
colored.get_frame_async({frame})
time.sleep(0.5)
print(time.time())
"""
    asked_to_exit = float(python(script, timeout=45))
    assert time.time() - asked_to_exit < 2


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
@pytest.mark.parametrize(("keys", "frame"), FAR)
def test_ctrl_c_cuts_a_long_replay_short_and_the_next_frame_works(keys, frame, toy_bundle):
    script = f"""
{SLOW.format(keys=keys, model=str(toy_bundle))}
signal.signal(signal.SIGINT, signal.default_int_handler)  # also where the tests run in background
def interrupt():
    print(time.time())
    os.kill(os.getpid(), signal.SIGINT)
threading.Timer(0.5, interrupt).start()
try:
    colored.get_frame({frame})
except KeyboardInterrupt:
    print(time.time())
Propagator.step = step
print(colored.get_frame(abs({keys[0]} - 5)).props["VidcolorKeyed"])
"""
    sent, arrived, works = python(script, timeout=60).split()
    assert float(arrived) - float(sent) < 2
    assert works == "1"


WAITS = {
    "get_frame": "colored.get_frame({frame})",
    "future": "colored.get_frame_async({frame}).result()",
    "frames": "list(colored[{frame}].frames())",
    "caught": """
try:
    colored.get_frame({frame})
except KeyboardInterrupt:
    sys.exit(130)
""",
}
"""Ways to wait for a frame in a script."""


def until_it_ends(command, cwd):
    """Press Ctrl-C in a program that waits for a far frame.

    Returns the seconds that it takes to end, its exit status and what it writes to stderr.
    """
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # Where the tests run in the background, SIGINT is ignored, and that is inherited.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    try:
        while "waiting" not in (line := process.stderr.readline()):
            assert line, "it ended before it waited"
        time.sleep(0.5)
        pressed = time.perf_counter()
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    return time.perf_counter() - pressed, process.returncode, errors


def script(toy_bundle, *, keys=(0,), frame=1000, wait="get_frame"):
    """A script that waits for a far frame, as a user would write it."""
    return f"""
import sys
{SLOW.format(keys=list(keys), model=str(toy_bundle))}
print("waiting", file=sys.stderr, flush=True)
{WAITS[wait].format(frame=frame)}
"""


posix = pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")


@posix
@pytest.mark.parametrize(
    ("wait", "keys", "frame"),
    [*(("get_frame", *far) for far in FAR), *((wait, [0], 1000) for wait in list(WAITS)[1:])],
)
def test_ctrl_c_ends_a_script_that_waits(wait, keys, frame, toy_bundle, tmp_path):
    code = script(toy_bundle, keys=keys, frame=frame, wait=wait)
    seconds, status, errors = until_it_ends([sys.executable, "-c", code], tmp_path)
    assert seconds < 2
    assert status == (130 if wait == "caught" else -signal.SIGINT)
    assert errors.rstrip().endswith("KeyboardInterrupt") == (wait != "caught")


@posix
def test_ctrl_c_ends_vspipe(toy_bundle, tmp_path):
    seconds, _, errors = end_vspipe(toy_bundle, tmp_path)
    assert seconds < 2
    assert "Traceback" not in errors


@posix
@pytest.mark.long
def test_ctrl_c_ends_twenty_of_twenty(toy_bundle, tmp_path):
    code = script(toy_bundle)
    plain = [until_it_ends([sys.executable, "-c", code], tmp_path)[0] for _ in range(20)]
    piped = [end_vspipe(toy_bundle, tmp_path)[0] for _ in range(20)]
    assert max(plain) < 2, plain
    assert max(piped) < 2, piped


def end_vspipe(toy_bundle, folder):
    code = script(toy_bundle).replace("colored.get_frame(1000)", "colored[1000].set_output()")
    (folder / "script.vpy").write_text(code)
    return until_it_ends([SCRIPTS / "vspipe", "script.vpy", "-"], folder)
