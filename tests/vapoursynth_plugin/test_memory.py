"""Memory: over a clip, over thousands of frames, and in a host that loads scripts anew."""

import sys
from statistics import mean

import pytest

from tests.vapoursynth_plugin.processes import python

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")

RESIDENT = """
import ctypes, re, sys
from pathlib import Path
def resident():
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmRSS:\\s+(\\d+)", status)[1]) // 1024
"""

HOST = """
import gc, vapoursynth
class Api(ctypes.Structure):  # VSScript4.h
    _fields_ = [(name, ctypes.c_void_p) for name in (
        "getAPIVersion", "getVSAPI", "createScript", "getCore", "evaluateBuffer", "evaluateFile",
        "getError", "getExitCode", "getVariable", "setVariables", "getOutputNode",
        "getOutputAlphaNode", "getAltOutputMode", "freeScript", "evalSetWorkingDir",
    )]
library = ctypes.CDLL(str(Path(vapoursynth.__file__).with_name("libvsscript.so")))
library.getVSScriptAPI.restype = ctypes.POINTER(Api)
api = library.getVSScriptAPI(4 << 16).contents
def function(name, result, *arguments):
    return ctypes.CFUNCTYPE(result, *arguments)(getattr(api, name))
create = function("createScript", ctypes.c_void_p, ctypes.c_void_p)
evaluate = function(
    "evaluateBuffer", ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p
)
error = function("getError", ctypes.c_char_p, ctypes.c_void_p)
free = function("freeScript", None, ctypes.c_void_p)
script = b'''
import vapoursynth as vs
core = vs.core
clip = core.std.BlankClip(format=vs.YUV420P8, width=480, height=272, length=40)
key = core.std.BlankClip(format=vs.RGB24, width=480, height=272, color=[99, 9, 9], length=2)
colored = core.vidcolor.Propagate(clip, key, frames=[0, 39], model=MODEL, provider="cpu")
colored.get_frame(20)
colored.set_output()
'''.replace(b"MODEL", repr(sys.argv[1]).encode())
for turn in range(60):
    handle = create(None)
    assert evaluate(handle, script, b"script.vpy") == 0, error(handle)
    free(handle)
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # what is free but not given back is no growth
    if turn >= 10:
        print(resident())
print(sum(type(thing).__name__ in ("Renderer", "InferenceSession") for thing in gc.get_objects()))
"""

FRAMES = """
import functools, vapoursynth as vs
from vsvidcolor import propagate, replay
propagate.Replay = functools.partial(replay.Replay, budget=2**26)
core = vs.core
core.max_cache_size = 64
clip = core.std.BlankClip(format=vs.YUV420P8, width=192, height=112, length=10_000, keep=True)
key = core.std.BlankClip(format=vs.RGB24, width=192, height=112, color=[200, 90, 50], length=KEYS)
frames = [n * 9_999 // max(1, KEYS - 1) for n in range(KEYS)]
colored = core.vidcolor.Propagate(
    clip, key, frames=frames, model=sys.argv[1], provider="cpu", size=112
)
for n in range(10_000):
    colored.get_frame(n).close()
    if n % 100 == 99:
        print(resident())
"""


CLIP = """
import functools, vapoursynth as vs
from vsvidcolor import propagate, replay
propagate.Replay = functools.partial(replay.Replay, budget=2**23)
core = vs.core
clip = core.std.BlankClip(format=vs.YUV420P8, width=480, height=272, length=700)
key = core.std.BlankClip(format=vs.RGB24, width=480, height=272, color=[200, 90, 50])
colored = core.vidcolor.Propagate(clip, key, model=sys.argv[1], provider="cpu")
for frame in colored.frames():
    frame.close()
    print(resident())
"""


LET_GO = """
import gc, sys, vapoursynth as vs
core = vs.core
clip = core.std.BlankClip(format=vs.YUV420P8, width=192, height=112, length=40)
key = core.std.BlankClip(format=vs.RGB24, width=192, height=112, color=[99, 9, 9], length=2)
twice = core.std.SetFrameProps(key, VidcolorFrame=3)
given = dict(model=sys.argv[1], provider="cpu")
makers = [
    lambda: core.vidcolor.Propagate(clip, key, frames=[0, 39], **given),
    lambda: core.vidcolor.Propagate(clip, key, frames=[0, 39], num_streams=2, **given),
    lambda: core.vidcolor.Propagate(clip, key, confidence=1, **given)[1],
    lambda: core.vidcolor.Propagate(clip, twice, **given),  # each request of it fails
]
gc.collect()
gc.disable()
for make in makers:
    colored = make()
    for number in (20, 2, 9):
        try:
            colored.get_frame(number).close()
        except vs.Error:
            pass
    del colored
    print(sum(type(thing).__name__ in KINDS for thing in gc.get_objects()))
""".replace("KINDS", '("Replay", "Renderer", "StepCache", "Session", "InferenceSession")')


def run(script, *arguments):
    return [int(line) for line in python(RESIDENT + script, *arguments).split()]


def test_memory_does_not_grow_with_the_clip(toy_bundle):
    """Steps kept for replays aside, which have a budget of their own."""
    resident = run(CLIP, toy_bundle)
    early, late = min(resident[100:200]), min(resident[-100:])
    assert late - early < 100, f"{early} MiB at first, {late} MiB 500 frames later"


def test_a_filter_that_is_let_go_frees_its_steps_at_once(toy_bundle):
    """Python's own collector comes by seldom: it left several filters' steps of 512 MiB each."""
    assert run(LET_GO, toy_bundle) == [0, 0, 0, 0]


@pytest.mark.long
def test_fifty_reloads_leave_nothing_behind(toy_bundle):
    """A script's filter holds 20 MB of steps: one reload in ten that left its own would show.

    What is resident goes up and down by 70 MB, as threads come and go with their heaps.
    """
    *resident, alive = run(HOST, toy_bundle)
    assert alive == 0
    assert len(resident) == 50
    assert mean(resident[-20:]) - mean(resident[:20]) < 40, resident


@pytest.mark.long
@pytest.mark.parametrize("keys", [1, 101])
def test_over_ten_thousand_frames_memory_stays(keys, toy_bundle):
    """From where the budget, here a small one, is full: within 5 %."""
    resident = run(FRAMES.replace("KEYS", str(keys)), toy_bundle)
    early, late = (mean(part) for part in (resident[20:40], resident[-20:]))
    assert late <= 1.05 * early, resident
