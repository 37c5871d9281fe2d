"""The filter from outside: vspipe, the example, what is imported when, and a quick exit."""

import os
import subprocess
import sys
import sysconfig
import time
from pathlib import Path
from statistics import mean

import cv2
import numpy as np
import pytest

from tests.support.videos import write_clip, write_key

ROOT = Path(__file__).parents[2]
SCRIPTS = Path(sysconfig.get_path("scripts"))
WIDTH, HEIGHT, LENGTH = 96, 64, 12
FRAME = WIDTH * HEIGHT * 3 // 2


@pytest.fixture(scope="module")
def footage(tmp_path_factory):
    folder = tmp_path_factory.mktemp("footage")
    write_clip(folder / "clip.mkv", width=WIDTH, height=HEIGHT, pts=range(0, 40 * LENGTH, 40))
    write_key(folder / "key.png", width=WIDTH, height=HEIGHT)
    return folder


def vspipe(*arguments, cwd, check=True):
    environment = os.environ | {
        "PATH": os.pathsep.join((str(SCRIPTS), os.environ["PATH"])),
        "PWD": str(cwd),
    }
    return subprocess.run(
        [SCRIPTS / "vspipe", *arguments], cwd=cwd, env=environment, capture_output=True, check=check
    )


def example(footage, toy_bundle, *options):
    """What the example writes to stdout, called in the footage's folder."""
    given = {"clip": "clip.mkv", "key": "key.png", "model": toy_bundle, "provider": "cpu"}
    arguments = [part for name, value in given.items() for part in ("--arg", f"{name}={value}")]
    return vspipe(*arguments, *options, ROOT / "examples/propagate.vpy", "-", cwd=footage).stdout


def test_slices_are_those_of_the_whole_run(footage, toy_bundle):
    whole = example(footage, toy_bundle)
    assert len(whole) == LENGTH * FRAME
    for start, end in ((0, 3), (5, 9), (LENGTH - 1, LENGTH - 1)):
        piece = example(footage, toy_bundle, "-s", str(start), "-e", str(end))
        assert piece == whole[start * FRAME : (end + 1) * FRAME]
    chroma = whole[-FRAME // 3 :]
    assert len(set(chroma)) > 10


def test_the_example_writes_y4m(footage, toy_bundle):
    stream = example(footage, toy_bundle, "-c", "y4m")
    header = stream[: stream.index(b"\n")].split()
    assert header[0] == b"YUV4MPEG2"
    assert {b"W96", b"H64", b"F25:1"} <= set(header)
    assert stream.count(b"FRAME\n") == LENGTH


def test_the_example_says_what_it_needs(footage):
    script = ROOT / "examples/propagate.vpy"
    result = vspipe("--arg", "clip=clip.mkv", script, "-", cwd=footage, check=False)
    assert result.returncode != 0
    assert b"needs --arg clip=VIDEO and --arg key=IMAGE" in result.stderr
    assert result.stdout == b""


def test_the_example_with_many_keys(footage, toy_bundle):
    """Each painted frame comes out as it was painted, and those between lie between."""
    folder = footage / "painted"
    folder.mkdir()
    for name, colour in (("0", "orange"), ("0008", "blue")):
        paint(folder / f"{name}.png", colour)
    arguments = ["--arg", "clip=clip.mkv", "--arg", "keys=painted", "--arg", f"model={toy_bundle}"]
    script = ROOT / "examples/many_keys.vpy"
    out = vspipe(*arguments, script, "-", cwd=footage).stdout
    assert len(out) == LENGTH * FRAME
    blues = [mean(out[n * FRAME :][WIDTH * HEIGHT :][: WIDTH * HEIGHT // 4]) for n in range(LENGTH)]
    assert blues[0] < 100
    assert blues[8] > 150
    assert blues[:9] == sorted(blues[:9])
    mask = vspipe(*arguments, "--arg", "mask=1", script, "-", cwd=footage).stdout
    assert len(mask) == LENGTH * WIDTH * HEIGHT
    assert set(mask[: WIDTH * HEIGHT]) == {255}
    assert max(mask[4 * WIDTH * HEIGHT :][: WIDTH * HEIGHT]) < 255


def paint(path, colour):
    rgb = {"orange": (200, 120, 40), "blue": (40, 80, 200)}[colour]
    cv2.imwrite(str(path), np.full((HEIGHT, WIDTH, 3), rgb[::-1], np.uint8))


def run(script, **options):
    return subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        **options,
    ).stdout


def test_nothing_is_imported_before_the_first_call(toy_bundle):
    heavy = "('onnxruntime', 'cv2', 'numpy', 'vidcolor', 'vsvidcolor')"
    script = f"""
import sys, vapoursynth as vs
core = vs.core
assert core.vidcolor.Propagate.name == "Propagate"
print([name for name in {heavy} if name in sys.modules])
clip = core.std.BlankClip(format=vs.GRAY8, width=64, height=64)
key = core.std.BlankClip(format=vs.RGB24, width=64, height=64)
core.vidcolor.Propagate(clip, key, model={str(toy_bundle)!r})
print([name for name in ("onnxruntime", "torch") if name in sys.modules])
"""
    assert run(script).splitlines() == ["[]", "['onnxruntime']"]


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
coloured = core.vidcolor.Propagate(
    clip, key, frames={keys}, num_streams=2, model={model!r}, provider="cpu"
)
"""
"""Left alone, what far frames need takes 25 s or more."""

FAR = [([0], 1000), ([1000], 0), ([0, 1000], 500)]


@pytest.mark.parametrize(("keys", "frame"), FAR)
def test_exit_cuts_a_long_replay_short(keys, frame, toy_bundle):
    script = f"""
{SLOW.format(keys=keys, model=str(toy_bundle))}
coloured.get_frame_async({frame})
time.sleep(0.5)
print(time.time())
"""
    asked_to_exit = float(run(script, timeout=45))
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
    coloured.get_frame({frame})
except KeyboardInterrupt:
    print(time.time())
Propagator.step = step
print(coloured.get_frame(abs({keys[0]} - 5)).props["VidcolorKeyed"])
"""
    sent, arrived, works = run(script, timeout=60).split()
    assert float(arrived) - float(sent) < 2
    assert works == "1"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_memory_does_not_grow_with_the_clip(toy_bundle):
    """Steps kept for replays aside, which have a budget of their own."""
    script = f"""
import functools, re, vapoursynth as vs
from pathlib import Path
from vsvidcolor import propagate, render
propagate.Renderer = functools.partial(render.Renderer, budget=2**23)
core = vs.core
clip = core.std.BlankClip(format=vs.YUV420P8, width=480, height=272, length=700)
key = core.std.BlankClip(format=vs.RGB24, width=480, height=272, color=[200, 90, 50])
coloured = core.vidcolor.Propagate(clip, key, model={str(toy_bundle)!r}, provider="cpu")
resident = []
for frame in coloured.frames():
    frame.close()
    resident.append(int(re.search(r"VmRSS:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]))
print(min(resident[100:200]), min(resident[-100:]))
"""
    early, late = (int(text) // 1024 for text in run(script).split())
    assert late - early < 100, f"{early} MiB at first, {late} MiB 500 frames later"
