"""A long seek ends at Ctrl-C and when Python exits, and the process with it."""

import contextlib
import os
import signal
import subprocess
import sys
import time

import pytest

from tests.runtime.inference.hostile import loop_for_ever, spoiled
from tests.support.waiting import DEADLINE
from tests.vapoursynth_plugin.processes import SCRIPTS, environment, python
from vidcolor.cores import count_cores

SLOW = """
import os, signal, threading, time, vapoursynth as vs
from vidcolor.propagate import Propagator
core, step, stepped = vs.core, Propagator.step, threading.Event()
def slow(self, luma, state):
    with open({steps!r}, "a") as file:
        file.write(".")
    stepped.set()
    time.sleep(0.05)
    return step(self, luma, state)
Propagator.step = slow
clip = core.std.BlankClip(format=vs.GRAY8, width=64, height=64, length=1001)
key = core.std.BlankClip(format=vs.RGB24, width=64, height=64, length=len({keys}))
colored = core.vidcolor.Propagate(
    clip, key, frames={keys}, num_streams=2, model={model!r}, provider="cpu"
)
"""
"""Left alone, a far frame takes 1000 steps. Each leaves a character in a file."""

FAR = [([0], 1000), ([1000], 0), ([0, 1000], 500)]
FEW = 200
"""Steps at most that a seek may take which was cut short after a few."""


@pytest.fixture
def steps(tmp_path):
    return tmp_path / "steps"


def slow(steps, toy_bundle, keys):
    return SLOW.format(keys=list(keys), model=str(toy_bundle), steps=str(steps))


def cut_short(steps):
    """Whether a seek had begun, and was not carried through."""
    return 0 < steps.stat().st_size < FEW


@pytest.mark.parametrize(("keys", "frame"), FAR)
def test_exit_cuts_a_long_replay_short(keys, frame, toy_bundle, steps):
    script = f"""
{slow(steps, toy_bundle, keys)}
colored.get_frame_async({frame})
stepped.wait()
"""
    python(script, timeout=DEADLINE)
    assert cut_short(steps)


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
@pytest.mark.parametrize(("keys", "frame"), FAR)
def test_ctrl_c_cuts_a_long_replay_short_and_the_next_frame_works(keys, frame, toy_bundle, steps):
    script = f"""
{slow(steps, toy_bundle, keys)}
signal.signal(signal.SIGINT, signal.default_int_handler)  # also where the tests run in background
def interrupt():
    stepped.wait()
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=interrupt).start()
try:
    colored.get_frame({frame})
except KeyboardInterrupt:
    print("interrupted")
Propagator.step = step
print(colored.get_frame(abs({keys[0]} - 5)).props["VidcolorKeyed"])
"""
    assert python(script, timeout=DEADLINE).split() == ["interrupted", "1"]
    assert cut_short(steps)


LOOPING = """
import threading, time, vapoursynth as vs
core = vs.core
clip = core.std.BlankClip(format=vs.GRAY8, width=64, height=64, length=1001)
key = core.std.BlankClip(format=vs.RGB24, width=64, height=64, length=1)
colored = core.vidcolor.Propagate(clip, key, num_streams=2, model={model!r}, provider="cpu")
"""
"""No frame but the key ever comes."""

posix = pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")

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


AGAIN = 5
"""Seconds after which somebody presses Ctrl-C again."""


def until_it_ends(command, cwd, steps, *, twice=False, again=AGAIN):
    """Press Ctrl-C in a program that waits for a frame, when it has begun to write `steps`.

    twice: Press it again if the program has not ended after `again` seconds.

    Returns the seconds that it takes to end, its exit status and what it writes to stderr.
    """
    steps.unlink(missing_ok=True)
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
        while not steps.exists():
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.01)
        pressed = time.perf_counter()
        os.killpg(process.pid, signal.SIGINT)
        if twice:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(again)
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=DEADLINE)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    return time.perf_counter() - pressed, process.returncode, errors


def script(steps, toy_bundle, *, keys=(0,), frame=1000, wait="get_frame"):
    """A script that waits for a far frame, as a user would write it."""
    return f"""
import sys
{slow(steps, toy_bundle, keys)}
{WAITS[wait].format(frame=frame)}
"""


@pytest.fixture(scope="module", params=["propagate", "remember", "features"])
def looping(request, toy_bundle, split_bundle, tmp_path_factory):
    """A bundle of which one graph never ends."""
    folder = tmp_path_factory.mktemp("loop")
    bundle = split_bundle if request.param == "features" else toy_bundle
    return spoiled(bundle, folder, loop_for_ever, graphs=(request.param,))


def looping_script(looping, steps, *, wait="get_frame"):
    """A script that waits for a frame that never comes."""
    return f"""
import sys
{LOOPING.format(model=str(looping))}
from vidcolor.inference import running
def tell():
    while not running._under_way:
        time.sleep(0.01)
    open({str(steps)!r}, "w").close()
threading.Thread(target=tell, daemon=True).start()
{WAITS[wait].format(frame=1)}
"""


@posix
@pytest.mark.parametrize(
    ("wait", "keys", "frame"),
    [*(("get_frame", *far) for far in FAR), *((wait, [0], 1000) for wait in list(WAITS)[1:])],
)
def test_ctrl_c_ends_a_script_that_waits(wait, keys, frame, toy_bundle, tmp_path, steps):
    """On one core `frames` may take a second Ctrl-C, as where a device is stuck, see below."""
    code = script(steps, toy_bundle, keys=keys, frame=frame, wait=wait)
    twice = wait == "frames" and count_cores() == 1
    _, status, errors = until_it_ends([sys.executable, "-c", code], tmp_path, steps, twice=twice)
    assert cut_short(steps)
    assert status == (130 if wait == "caught" else -signal.SIGINT)
    assert errors.rstrip().endswith("KeyboardInterrupt") == (wait != "caught")


@posix
@pytest.mark.parametrize("wait", WAITS)
def test_ctrl_c_ends_a_graph_that_loops_for_ever(wait, looping, tmp_path, steps):
    code = looping_script(looping, steps, wait=wait)
    _, status, errors = until_it_ends([sys.executable, "-c", code], tmp_path, steps)
    assert status == (130 if wait == "caught" else -signal.SIGINT)
    assert errors.rstrip().endswith("KeyboardInterrupt") == (wait != "caught")


STUCK = """
from vidcolor.inference import enlarge
from vidcolor.inference.runner import Runner
from vidcolor.inference.session import Session
def stuck(self, *given):
    def call(options):
        open({steps!r}, "w").close()
        while not options.terminate:
            time.sleep(0.01)
        raise RuntimeError("Exiting due to terminate flag being set to true.")
    return self.runner.in_turn(call)
enlarge.Graph.run, Session.device_runner = stuck, Runner("toy")
"""
"""The device that full-size chroma is made on never ends."""


@posix
@pytest.mark.parametrize("wait", WAITS)
def test_ctrl_c_ends_a_device_that_is_stuck(wait, toy_bundle, tmp_path, steps):
    """Two of the filter's nodes ask for the frame's chroma. On one core the second may do so when
    the first one's request has failed, which for `frames` takes a second Ctrl-C."""
    code = f"""
import sys
{LOOPING.format(model=str(toy_bundle)).replace("64", "400")}
{STUCK.format(steps=str(steps))}
colored = core.vidcolor.Propagate(clip, key, model={str(toy_bundle)!r}, provider="cpu")
{WAITS[wait].format(frame=1)}
"""
    _, status, errors = until_it_ends(
        [sys.executable, "-c", code], tmp_path, steps, twice=wait == "frames"
    )
    assert status == (130 if wait == "caught" else -signal.SIGINT)
    assert errors.rstrip().endswith("KeyboardInterrupt") == (wait != "caught")


BETWEEN = """
from vsvidcolor import cancel
def late(n, f):
    if n == 1:
        open({steps!r}, "w").close()
        while not cancel._interrupts.count():
            time.sleep(0.01)
    return f
clip = core.std.ModifyFrame(clip, clip, late)
colored = core.vidcolor.Propagate(clip, key, num_streams=2, model={model!r}, provider="cpu")
"""
"""Ctrl-C comes while the frame is on its way to the filter, which knows nothing of it yet.

`frames` hears of it at once, and then waits for what it has asked for: that takes a second Ctrl-C.
"""


@posix
@pytest.mark.parametrize("wait", ["get_frame", "future", "caught"])
def test_ctrl_c_before_a_request_has_come_to_the_filter(wait, looping, tmp_path, steps):
    code = f"""
import sys
{LOOPING.format(model=str(looping))}
{BETWEEN.format(model=str(looping), steps=str(steps))}
{WAITS[wait].format(frame=1)}
"""
    _, status, errors = until_it_ends([sys.executable, "-c", code], tmp_path, steps)
    assert status == (130 if wait == "caught" else -signal.SIGINT)
    assert errors.rstrip().endswith("KeyboardInterrupt") == (wait != "caught")


@posix
def test_a_second_ctrl_c_while_frames_closes(looping, tmp_path, steps):
    """It ends at once: no thread goes on, and nothing is told but the two interrupts."""
    code = f"""
import sys
{LOOPING.format(model=str(looping))}
{BETWEEN.format(model=str(looping), steps=str(steps))}
{WAITS["frames"].format(frame=1)}
"""
    command = [sys.executable, "-c", code]
    _, status, errors = until_it_ends(command, tmp_path, steps, twice=True, again=0.5)
    assert status == -signal.SIGINT
    assert "Exception ignored" not in errors
    assert errors.rstrip().endswith("KeyboardInterrupt")
    told = errors.count("Traceback")
    assert told in {1, 2}  # one, if the frame was made before the second
    assert errors.count("KeyboardInterrupt") == told


def test_exit_ends_a_graph_that_loops_for_ever(looping):
    script = f"""
{LOOPING.format(model=str(looping))}
colored.get_frame_async(1)
time.sleep(0.5)
print("asked to exit")
"""
    assert python(script, timeout=DEADLINE).strip() == "asked to exit"


@posix
def test_ctrl_c_ends_a_graph_that_loops_for_ever_in_vspipe(looping, tmp_path, steps):
    code = looping_script(looping, steps)
    code = code.replace("colored.get_frame(1)", "colored[1].set_output()")
    (tmp_path / "script.vpy").write_text(code)
    _, _, errors = until_it_ends([SCRIPTS / "vspipe", "script.vpy", "-"], tmp_path, steps)
    assert "Traceback" not in errors


@posix
def test_ctrl_c_ends_vspipe(toy_bundle, tmp_path, steps):
    _, _, errors = end_vspipe(toy_bundle, tmp_path, steps)
    assert cut_short(steps)
    assert "Traceback" not in errors


@posix
@pytest.mark.long
def test_ctrl_c_ends_twenty_of_twenty(toy_bundle, tmp_path, steps):
    """Within two seconds; the one test of time here, for a machine with nothing else to do."""
    code = script(steps, toy_bundle)
    plain, piped = [], []
    for _ in range(20):
        plain.append(until_it_ends([sys.executable, "-c", code], tmp_path, steps)[0])
        assert cut_short(steps)
        piped.append(end_vspipe(toy_bundle, tmp_path, steps)[0])
        assert cut_short(steps)
    assert max(plain) < 2, plain
    assert max(piped) < 2, piped


def end_vspipe(toy_bundle, folder, steps):
    code = script(steps, toy_bundle).replace(
        "colored.get_frame(1000)", "colored[1000].set_output()"
    )
    (folder / "script.vpy").write_text(code)
    return until_it_ends([SCRIPTS / "vspipe", "script.vpy", "-"], folder, steps)
