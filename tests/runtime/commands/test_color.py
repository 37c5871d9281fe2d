"""The command line: a clip and its first frame in colour go in, a coloured clip comes out."""

import re
import shutil
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.support import need
from tests.support.videos import (
    HEIGHT,
    STEADY,
    UNEVEN,
    WIDTH,
    audio_packets,
    frames,
    plane,
    write_clip,
    write_key,
)
from tests.support.waiting import DEADLINE
from vidcolor.cli import main
from vidcolor.color import Coding, decode_luma, encode_chroma
from vidcolor.errors import ProviderError
from vidcolor.grid import Grid, resample
from vidcolor.inference.providers import candidates
from vidcolor.inference.session import Session
from vidcolor.key.image import read_key
from vidcolor.media.reader import Reader
from vidcolor.planes import Key
from vidcolor.propagate import Propagator
from vidcolor.working_size import WorkingSize

TOY = Path(__file__).parents[2] / "toy" / "bundle"
FULL = 2


def color(clip: Path, key: Path, output: Path, *more: str) -> int:
    """Run ``vidcolor color`` with the toy model."""
    options = ["--key", str(key), "-o", str(output), "--model", str(TOY), "--provider", "cpu"]
    return main(["color", str(clip), *options, *more])


@pytest.mark.parametrize(
    ("given", "tags", "coding", "layout"),
    [
        ("gray", (2, 2, 2, 0, 0), Coding("bt601", full_range=False), ((0, 0), "left")),
        ("gray16le", (1, 1, 1, 1, 0), Coding("bt709", full_range=False, bits=16), ((0, 0), "left")),
        ("yuv420p", (1, 1, 1, FULL, 2), Coding("bt709", full_range=True), ((1, 1), "center")),
        (
            "yuv420p10le",
            (9, 9, 14, 1, 3),
            Coding("bt2020", full_range=False, bits=10),
            ((1, 1), "topleft"),
        ),
        ("yuv422p", (6, 6, 6, 1, 1), Coding("bt601", full_range=False), ((1, 0), "left")),
    ],
)
def test_colours_are_the_propagators_and_luma_is_the_clips(
    tmp_path: Path,
    given: str,
    tags: tuple[int, int, int, int, int],
    coding: Coding,
    layout: tuple[tuple[int, int], str],
) -> None:
    """Held against the loop of `vidcolor.propagate`, written out; ffv1 loses nothing of it."""
    clip = write_clip(tmp_path / "clip.mkv", pixel_format=given, tags=tags)
    image = write_key(tmp_path / "key.png", width=2 * WIDTH, height=2 * HEIGHT)
    assert color(clip, image, tmp_path / "out.mkv", "--size", "48", "--codec", "ffv1") == 0

    with Reader(clip) as reader:
        key = read_key(image, info=reader.info, matrix=coding.matrix)
    painted = Grid(2 * HEIGHT, 2 * WIDTH)
    fit = WorkingSize.of(HEIGHT, WIDTH, 48)
    propagator = Propagator(Session.load(TOY, provider="cpu"))
    state = None
    for before, after in zip(frames(clip), frames(tmp_path / "out.mkv"), strict=True):
        np.testing.assert_array_equal(plane(after, 0), plane(before, 0))
        luma = decode_luma(plane(before, 0), coding)
        small = fit.downsample(luma)
        if state is None:
            state = propagator.init_state(Key(small, fit.downsample_chroma(key.chroma, painted)))
            chroma = resample(key.chroma, painted, fit.grid(*layout))
        else:
            chroma, _, state = propagator.step(small, state)
            chroma = fit.upsample(chroma, small, luma, *layout)
        u, v = encode_chroma(chroma, coding)
        np.testing.assert_array_equal(plane(after, 1), u)
        np.testing.assert_array_equal(plane(after, 2), v)
        assert np.ptp(u) > 20  # there is colour to speak of


def test_the_first_frame_looks_like_the_key(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mkv", pixel_format="gray", tags=(1, 1, 1, FULL, 0))
    image = write_key(tmp_path / "key.png")
    assert color(clip, image, tmp_path / "out.mkv", "--codec", "ffv1") == 0
    first = frames(tmp_path / "out.mkv")[0]
    y, u, v = (plane(first, index).astype(float) for index in range(3))
    red = y + 1.5748 * (v - 128)  # BT.709-6
    blue = y + 1.8556 * (u - 128)
    rgb = cv2.cvtColor(cv2.imread(str(image)), cv2.COLOR_BGR2RGB).astype(float)
    # The key's hue was painted over the clip's luma, which HSV's value is not: differences count.
    np.testing.assert_allclose(red - blue, rgb[..., 0] - rgb[..., 2], atol=3)


def test_the_precision_chooses_the_graph(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = tmp_path / "bundle"
    shutil.copytree(TOY, bundle)
    (bundle / "propagate.int8.onnx").write_bytes(b"worn out")
    clip, image = write_clip(tmp_path / "clip.mkv"), write_key(tmp_path / "key.png")
    model = ("--model", str(bundle))
    assert color(clip, image, tmp_path / "out.mkv", *model, "--precision", "float32") == 0
    for precision in ("auto", "int8"):
        assert color(clip, image, tmp_path / "no.mkv", *model, "--precision", precision) == 2
        assert "propagate.int8.onnx: onnxruntime cannot load it" in capsys.readouterr().err


def test_a_clip_in_colour_is_coloured_from_its_luma(tmp_path: Path) -> None:
    """Its own chroma is of no account."""
    image = write_key(tmp_path / "key.png")
    gray = write_clip(tmp_path / "gray.mkv")
    tinted = tmp_path / "tinted.mkv"
    assert color(gray, image, tinted, "--codec", "ffv1") == 0
    assert color(tinted, image, tmp_path / "again.mkv", "--codec", "ffv1") == 0
    for once, twice in zip(frames(tinted), frames(tmp_path / "again.mkv"), strict=True):
        for index in range(3):
            np.testing.assert_array_equal(plane(once, index), plane(twice, index))


def test_audio_timing_tags_and_shape_are_kept(tmp_path: Path) -> None:
    tags = (1, 1, 1, 1, 2)
    clip = write_clip(
        tmp_path / "clip.mkv",
        codec="libx264",
        pts=UNEVEN,
        tags=tags,
        sample_aspect=Fraction(4, 3),
        audio="aac",
    )
    assert color(clip, write_key(tmp_path / "key.png"), tmp_path / "out.mp4") == 0
    with Reader(clip) as before, Reader(tmp_path / "out.mp4") as after:
        assert after.info.tags == before.info.tags
        assert after.info.sample_aspect == Fraction(4, 3)
        assert (after.info.width, after.info.height) == (WIDTH, HEIGHT)
    times = [round(1000 * frame.time) for frame in frames(tmp_path / "out.mp4")]
    assert times == list(UNEVEN)
    assert audio_packets(tmp_path / "out.mp4") == audio_packets(clip)


def test_matrix_and_range_that_were_only_assumed_are_said(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mkv", pixel_format="gray")
    assert color(clip, write_key(tmp_path / "key.png"), tmp_path / "out.mp4") == 0
    with Reader(tmp_path / "out.mp4") as reader:
        assert (reader.info.tags.matrix, reader.info.tags.range) == (6, 1)


def test_a_turned_clip_takes_an_upright_key(tmp_path: Path) -> None:
    lying = write_clip(tmp_path / "lying.mp4", rotation=90)
    plain = write_clip(tmp_path / "plain.mp4")
    image = write_key(tmp_path / "key.png")
    stored = cv2.imread(str(image))
    upright = tmp_path / "upright.png"
    cv2.imwrite(str(upright), cv2.rotate(stored, cv2.ROTATE_90_COUNTERCLOCKWISE))
    assert color(lying, upright, tmp_path / "a.mp4", "--codec", "ffv1") == 0
    assert color(plain, image, tmp_path / "b.mp4", "--codec", "ffv1") == 0
    with Reader(tmp_path / "a.mp4") as reader:
        assert reader.info.rotation == 90
    for one, other in zip(frames(tmp_path / "a.mp4"), frames(tmp_path / "b.mp4"), strict=True):
        np.testing.assert_array_equal(plane(one, 1), plane(other, 1))


def test_summary_and_quiet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip, key = write_clip(tmp_path / "clip.mkv"), write_key(tmp_path / "key.png")
    assert color(clip, key, tmp_path / "out.mkv") == 0
    told = capsys.readouterr()
    assert f"out.mkv: {len(STEADY)} frames" in told.out
    assert "frame/s" not in told.err  # no progress bar where there is no terminal
    assert "key.png has another grade" in told.err
    assert color(clip, key, tmp_path / "out.mkv", "--overwrite", "--quiet") == 0
    assert capsys.readouterr() == ("", "")


BROKEN = {
    "missing clip": (["absent.mp4"], "clip: there is no file"),
    "unreadable clip": (["text.mp4"], "clip: .* cannot be read as a video"),
    "missing key": (["--key", "absent.png"], "key: there is no file"),
    "unreadable key": (["--key", "text.png"], "key: .* cannot be read as an image"),
    "key of another aspect": (["--key", "square.png"], "key: .* is 64x64.* the clip is 96x64"),
    "gray key": (["--key", "gray.png"], "key: .* is gray"),
    "missing bundle": (["--model", "absent"], "model is 'absent'"),
    "broken bundle": (["--model", "broken"], "remember.float32.onnx"),
    "unknown provider": (["--provider", "tpu"], "provider is 'tpu', accepted are auto, cpu, cuda"),
    "unknown codec": (["--codec", "mpeg1"], "codec is 'mpeg1', accepted are auto, libx264"),
    "tiny size": (["--size", "3"], "size is 3, accepted are"),
    "unknown container": (["-o", "out.txt"], "output: .*txt"),
    "no such folder": (["-o", "absent/out.mkv"], "output: there is no folder"),
    "existing output": (["-o", "clip.mkv"], "output: .*clip.mkv"),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to stand in, with good files and bad ones."""
    monkeypatch.chdir(tmp_path)
    write_clip(tmp_path / "clip.mkv")
    write_key(tmp_path / "key.png")
    write_key(tmp_path / "square.png", width=64, height=64)
    cv2.imwrite("gray.png", np.random.default_rng(1).integers(0, 255, (64, 96), np.uint8))
    for name in ("text.mp4", "text.png"):
        Path(name).write_text("neither a video nor an image")
    Path("broken").mkdir()
    for graph in TOY.glob("*.onnx"):
        Path("broken", graph.name).write_bytes(graph.read_bytes()[:100])
    return tmp_path


@pytest.mark.parametrize("case", BROKEN)
def test_bad_input_is_told_in_one_sentence(
    case: str, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    wrong, message = BROKEN[case]
    clip = [] if wrong[0].startswith("--") or wrong[0] == "-o" else [wrong[0]]
    given = {"--key": "key.png", "-o": "out.mkv", "--model": str(TOY), "--provider": "cpu"}
    given |= {} if clip else dict([wrong])
    before = sorted(folder.rglob("*"))
    arguments = [word for pair in given.items() for word in pair]
    assert main(["color", *(clip or ["clip.mkv"]), *arguments]) == 2
    told = capfd.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1, told.err
    assert "Traceback" not in told.err
    assert told.err.startswith("vidcolor: ")
    assert re.search(message, told.err), told.err
    assert sorted(folder.rglob("*")) == before


def test_cuda_where_there_is_none(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        candidates("cuda", 0)
    except ProviderError:
        pass
    else:
        pytest.skip("CUDA works here; the refusal is for machines where it does not")
    assert color(Path("clip.mkv"), Path("key.png"), Path("out.mkv"), "--provider", "cuda") == 2
    told = capsys.readouterr().err
    assert re.fullmatch("vidcolor: .*cuda.*\n", told, re.IGNORECASE)
    assert not Path("out.mkv").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to send")
@pytest.mark.usefixtures("heeded_signals")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_run_that_is_stopped_leaves_nothing(tmp_path: Path, name: str) -> None:
    number = signal.Signals[name]
    clip = write_clip(tmp_path / "clip.mkv", pts=range(0, 60_000, 40))
    key = write_key(tmp_path / "key.png")
    command = [sys.executable, "-m", "vidcolor", "color", str(clip), "--key", str(key)]
    command += ["--model", str(TOY), "--provider", "cpu", "-o", str(tmp_path / "out.mkv")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + DEADLINE
        while len(list(tmp_path.iterdir())) < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert process.poll() is None
        process.send_signal(number)
        _, errors = process.communicate(timeout=DEADLINE)
    assert process.returncode == 128 + number
    assert errors == "vidcolor: interrupted, no output was written\n"
    assert sorted(tmp_path.iterdir()) == [clip, key]


def test_a_key_painted_in_parts_is_spread_over_its_frame(tmp_path: Path) -> None:
    """Solid paint keeps its colours there; the rest gets others than those it hides."""
    need.scipy()
    clip = write_clip(tmp_path / "clip.mkv", tags=(1, 2, 2, FULL, 0))
    image = cv2.imread(str(write_key(tmp_path / "plain.png")))
    alpha = np.zeros(image.shape[:2], np.uint8)
    alpha[:, :40] = 255
    outputs = []
    for name, hidden in (("one", 0), ("other", 200)):
        image[:, 40:] = hidden
        cv2.imwrite(str(tmp_path / f"{name}.png"), np.dstack((image, alpha)))
        outputs.append(tmp_path / f"{name}.mkv")
        assert color(clip, tmp_path / f"{name}.png", outputs[-1], "--codec", "ffv1") == 0
    whole = tmp_path / "whole.mkv"
    assert color(clip, tmp_path / "plain.png", whole, "--codec", "ffv1") == 0
    one, other, full = (frames(path) for path in (*outputs, whole))
    for index in (1, 2):
        assert np.array_equal(plane(one[0], index)[:, :18], plane(full[0], index)[:, :18])
        assert np.ptp(plane(one[0], index)[:, 22:].astype(int)) > 2
        for first, second, third in zip(one, other, full, strict=True):
            assert np.array_equal(plane(first, index), plane(second, index))
            assert not np.array_equal(plane(first, index), plane(third, index))
