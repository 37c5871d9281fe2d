"""The filter from outside: vspipe, the examples, and what is imported when."""

from statistics import mean

import cv2
import numpy as np
import pytest

from tests.support.videos import write_clip, write_key
from tests.vapoursynth_plugin.processes import EXAMPLES, python, vspipe, whole

WIDTH, HEIGHT, LENGTH = 96, 64, 12
FRAME = WIDTH * HEIGHT * 3 // 2


@pytest.fixture(scope="module")
def footage(tmp_path_factory):
    folder = tmp_path_factory.mktemp("footage")
    write_clip(folder / "clip.mkv", width=WIDTH, height=HEIGHT, pts=range(0, 40 * LENGTH, 40))
    write_key(folder / "key.png", width=WIDTH, height=HEIGHT)
    return folder


def example(footage, toy_bundle, *options):
    """What the example writes to stdout."""
    given = {"clip": "clip.mkv", "key": "key.png", "model": toy_bundle, "provider": "cpu"}
    given = whole(footage, given)
    arguments = [part for name, value in given.items() for part in ("--arg", f"{name}={value}")]
    return vspipe(*arguments, *options, EXAMPLES / "propagate.vpy", "-", cwd=footage).stdout


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
    script = EXAMPLES / "propagate.vpy"
    result = vspipe("--arg", "clip=clip.mkv", script, "-", cwd=footage, check=False)
    assert result.returncode != 0
    assert b"needs --arg clip=VIDEO and --arg key=IMAGE" in result.stderr
    assert result.stdout == b""


def test_the_example_with_many_keys(footage, toy_bundle):
    """Each painted frame comes out as it was painted, and those between lie between."""
    folder = footage / "painted"
    folder.mkdir()
    for name, color in (("0", "orange"), ("0008", "blue")):
        paint(folder / f"{name}.png", color)
    arguments = ["--arg", f"clip={footage / 'clip.mkv'}", "--arg", f"keys={folder}"]
    arguments += ["--arg", f"model={toy_bundle}"]
    script = EXAMPLES / "many_keys.vpy"
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


def paint(path, color):
    rgb = {"orange": (200, 120, 40), "blue": (40, 80, 200)}[color]
    cv2.imwrite(str(path), np.full((HEIGHT, WIDTH, 3), rgb[::-1], np.uint8))


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
    assert python(script).splitlines() == ["[]", "['onnxruntime']"]
