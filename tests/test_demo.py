"""The demo: its clip is what it says, both ways to colour it agree, and make finds its Python."""

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest

from tests.support import need
from tests.support.videos import audio_packets, frames, plane, write_clip, write_key

ROOT = Path(__file__).parents[1]
SCRIPTS = Path(sysconfig.get_path("scripts"))
TOY = ROOT / "tests" / "toy" / "bundle"


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "examples" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        module = example("render_demo")
        patch.setattr(module, "FRAMES", 6)
        patch.setattr(sys, "argv", ["render_demo.py", str(folder)])
        module.main()
    return folder


def test_the_clip_is_gray_and_moves(rendered: Path) -> None:
    clip = frames(rendered / "clip.mp4")
    assert len(clip) == 6
    for frame in clip:
        assert {*plane(frame, 1).flat, *plane(frame, 2).flat} == {128}
    change = plane(clip[0], 0).astype(int) - plane(clip[-1], 0)
    assert np.abs(change).mean() > 10


def test_the_key_is_the_first_frame_in_colour(rendered: Path) -> None:
    key = cv2.imread(str(rendered / "key.png")).astype(int)
    truth = frames(rendered / "truth.mp4")[0].to_ndarray(format="bgr24").astype(int)
    assert np.abs(key - truth).mean() < 5
    assert np.ptp(key, axis=-1).mean() > 20
    gray, true = (plane(frames(rendered / f"{name}.mp4")[0], 0) for name in ("clip", "truth"))
    assert np.abs(gray.astype(int) - true).mean() < 2


def test_the_sheet_shows_before_and_after(rendered: Path, tmp_path: Path) -> None:
    module = example("before_after")
    sheet = module.sheet({"a": rendered / "clip.mp4", "b": rendered / "truth.mp4"}).astype(int)
    above, below = np.array_split(sheet, 2)
    assert np.ptp(above, axis=-1).max() <= 2
    assert np.ptp(below, axis=-1).mean() > 20
    assert sheet.shape[1] > 4 * module.COLUMN_WIDTH


def test_the_sheets_command_writes_it(
    rendered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip, truth = (str(rendered / f"{name}.mp4") for name in ("clip", "truth"))
    words = ["before_after.py", clip, truth, "-o", str(tmp_path / "a.png"), "--truth", truth]
    monkeypatch.setattr(sys, "argv", words)
    module = example("before_after")
    module.main()
    written = cv2.imread(str(tmp_path / "a.png"))
    rows = {"before": clip, "after": truth, "true colours": truth}
    np.testing.assert_array_equal(written, module.sheet(rows))


@pytest.mark.parametrize("pixel_format", ["gray", "yuv420p10le"])
def test_vspipe_and_the_front_end_agree(tmp_path: Path, pixel_format: str) -> None:
    """To the last bit, before either is encoded with loss."""
    need.vapoursynth()
    clip = write_clip(tmp_path / "clip.mkv", pixel_format=pixel_format, audio="aac")
    key = write_key(tmp_path / "key.png", width=2 * 96, height=2 * 64)
    model = ["--model", str(TOY), "--provider", "cpu", "--codec", "ffv1"]
    command = [sys.executable, "-m", "vidcolor", "color", clip, "--key", key, *model]
    subprocess.run([*command, "-o", tmp_path / "front.mkv"], check=True)

    given = {"clip": clip, "key": key, "model": TOY, "provider": "cpu"}
    arguments = [word for name, value in given.items() for word in ("--arg", f"{name}={value}")]
    environment = os.environ | {"PATH": os.pathsep.join((str(SCRIPTS), os.environ["PATH"]))}
    script = ROOT / "examples" / "propagate.vpy"
    y4m = subprocess.run(
        [SCRIPTS / "vspipe", "-c", "y4m", *arguments, script, "-"],
        env=environment,
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    encode = [sys.executable, ROOT / "examples" / "encode_y4m.py", "--like", clip]
    subprocess.run([*encode, "--codec", "ffv1", "-o", tmp_path / "vs.mkv"], input=y4m, check=True)

    assert audio_packets(tmp_path / "vs.mkv") == audio_packets(clip)
    pairs = zip(frames(tmp_path / "front.mkv"), frames(tmp_path / "vs.mkv"), strict=True)
    for ours, theirs in pairs:
        assert ours.format.name == theirs.format.name
        for index in range(3):
            np.testing.assert_array_equal(plane(ours, index), plane(theirs, index))


def find_python(tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run .ci/find-python where nothing is but what `environment` says."""
    return subprocess.run(
        [shutil.which("bash"), ROOT / ".ci" / "find-python"],
        env={"PATH": str(tmp_path), "HOME": str(tmp_path)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def interpreter(path: Path, *, works: bool) -> Path:
    """A stand-in for a Python: one that has what is asked for, or not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\nexit {0 if works else 1}\n")
    path.chmod(0o755)
    return path


@pytest.mark.skipif(os.name == "nt", reason="make and bash are for systems that have them")
class TestFindPython:
    def test_takes_one_that_is_new_enough(self, tmp_path: Path) -> None:
        interpreter(tmp_path / "python3.12", works=False)
        interpreter(tmp_path / "python3", works=False)
        good = interpreter(
            tmp_path / ".pyenv" / "versions" / "3.12.1" / "bin" / "python3", works=True
        )
        found = find_python(tmp_path)
        assert (found.returncode, found.stdout.strip()) == (0, str(good))

    def test_looks_where_uv_keeps_them(self, tmp_path: Path) -> None:
        folder = tmp_path / ".local/share/uv/python/cpython-3.13.0-linux-x86_64-gnu"
        good = interpreter(folder / "bin" / "python3", works=True)
        assert find_python(tmp_path).stdout.strip() == str(good)

    def test_takes_the_one_that_is_named(self, tmp_path: Path) -> None:
        interpreter(tmp_path / "python3.12", works=True)
        named = interpreter(tmp_path / "mine" / "python", works=True)
        assert find_python(tmp_path, PYTHON=str(named)).stdout.strip() == str(named)

    def test_says_that_there_is_none(self, tmp_path: Path) -> None:
        interpreter(tmp_path / "python3", works=False)
        found = find_python(tmp_path)
        assert found.returncode == 2
        assert found.stdout == ""
        assert "needs Python 3.12 or newer" in found.stderr
        assert found.stderr.count("\n") == 1

    def test_the_real_one_can_make_environments(self) -> None:
        command = [ROOT / ".ci" / "find-python"]
        environment = os.environ | {"PYTHON": sys.executable}
        found = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert found.stdout.strip() == sys.executable
