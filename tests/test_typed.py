"""README.md, docs/limits.md, docs/other-tools.md, training/README.md: each command, typed.

In a folder with small footage, and with what makes a training or a measurement short put after it.
What installs something is typed by `test_first_hour.py`, and `make` by continuous integration.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.support import films, need
from tests.support.footage import write_video
from tests.support.pages import lines
from tests.support.scenes import render

ROOT = Path(__file__).parents[1]
pytestmark = [pytest.mark.long, pytest.mark.timeout(1500)]

SHORTER = {
    "python -m training prepare": (
        "--size 128 --shortest 4 --least-chroma 0 --least-motion 0 --test 0.3"
    ),
    "python -m training fit": (
        "--steps 2 --size 128 --crop 128 --batch 2 --max-frames 8 --threads 1 --cache cache"
        " --validate-clips 1 --validate-frames 4 --split 0.5 0.5 0"
    ),
    "python -m export": "--overwrite",
    "python -m evaluation turing": "--size 64 --pairs 2 --seconds 0.3",
    "python -m evaluation": "--size 64 --frames 4 --pictures 0 --threads 1",
}
"""What is added, by the beginning of a command; the longest that fits counts."""
ELSEWHERE = ("make", "pip", "uv", "uvx", "source", "python3 -m venv")


def typed(page: str) -> list[str]:
    """The lines of a page that are typed here, made shorter."""
    found = [line for line in lines(ROOT / page) if not line.startswith(ELSEWHERE)]
    assert found
    return [shorter(line) for line in found]


def shorter(line: str) -> str:
    fitting = [begin for begin in SHORTER if line.startswith(begin)]
    return f"{line} {SHORTER[max(fitting, key=len)]}" if fitting else line


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the files lie that the pages speak of."""
    need.vapoursynth()
    need.scipy()
    if not shutil.which("ffmpeg"):
        need.lacking("FFMPEG", "there is no ffmpeg program on the PATH")
    scene = films.scenes((10, 8), height=96, width=128)
    films.write_film(tmp_path / "film.mkv", scene)
    films.write_film(tmp_path / "clip.mp4", films.scenes((8,), height=96, width=128))
    rgb = np.ascontiguousarray(scene.rgb()[0][..., ::-1])
    cv2.imwrite(str(tmp_path / "first.png"), rgb)
    cv2.imwrite(str(tmp_path / "frame.png"), np.repeat(rgb[..., 1:2], 3, axis=2))
    strokes = np.zeros((96, 128), np.uint8)
    strokes[20:30, 20:90] = strokes[60:70, 30:60] = 255
    cv2.imwrite(str(tmp_path / "strokes.png"), np.dstack((rgb, strokes)))
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    for part in ("path/to/videos", "clips/dev"):
        (tmp_path / part).mkdir(parents=True)
        for seed in range(4):
            rgb = render(16, 128, 160, seed=seed).rgb("bt601")
            write_video(tmp_path / part / f"video{seed}.mp4", rgb)
    return tmp_path


def bash(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    bin_folder = str(Path(sys.executable).parent)
    environment = os.environ | {
        "PATH": os.pathsep.join((bin_folder, os.environ["PATH"])),
        "PYTHONPATH": str(ROOT),
        "VIDCOLOR_CLIPS": str(folder / "clips"),
    }
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", line],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "page", ["README.md", "docs/limits.md", "docs/other-tools.md", "training/README.md"]
)
def test_each_command_ends_well(page: str, folder: Path) -> None:
    films.write_keys(folder / "keys", films.scenes((10, 8), height=96, width=128), [0, 10])
    for line in typed(page):
        done = bash(line, folder)
        assert done.returncode == 0, (line, done.stdout[-2000:] + done.stderr[-3000:])
        if " -o " in line and "fit" not in line:
            output = line.split(" -o ")[1].split()[0]
            assert (folder / output).exists(), line
