"""docs/colorizer.md: its commands run one after the other, and what it says is so."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.scenes import render
from tests.toy.colorizers import AB, write_colorizer
from tests.training.footage import write_video
from tests.videos import frames, plane, write_clip
from training.bins import TEMPERATURE, gamut_bins
from training.models.zhang import Zhang
from vidcolor.colorizer import MULTIPLE, Colorizer

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "colorizer.md"
TEXT = PAGE.read_text(encoding="utf-8")
COMMANDS = [
    line.strip() for line in re.findall(r"^ {4}((?:vidcolor|python) .*)$", TEXT, re.MULTILINE)
]

SMALLER = {
    "fit-colorizer": "--steps 1 --width 0.125 --batch 2 --crop 64 --size 64 --cache cache",
    "evaluate": "--size 64 --frames 3 --pictures 0 --cache cache",
    "color": "--codec ffv1 --quiet --overwrite",
}
"""What a sub-command is also told here, so that it takes seconds."""


@pytest.fixture
def folder(tmp_path):
    """Where the page's commands find their files."""
    write_clip(tmp_path / "clip.mp4")
    write_colorizer(tmp_path / "ddcolor.onnx", AB, size=(64, 64))
    for seed in range(2):
        video = tmp_path / "path" / "to" / "videos" / f"{seed}.mkv"
        write_video(video, render(4, 64, 80, seed=seed).rgb("bt601"))
    return tmp_path


def test_the_commands_run_one_after_the_other(folder):
    assert len(COMMANDS) == 6
    outputs = []
    for command in COMMANDS:
        program, *words = shlex.split(command)
        start = ["-m", "vidcolor"] if program == "vidcolor" else []
        more = next((s for name, s in SMALLER.items() if name in words), "")
        done = subprocess.run(
            [sys.executable, *start, *words, *shlex.split(more)],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stderr}"
        outputs.append(done.stdout)
    assert "| per frame |" in outputs[-1]
    for name in ("out.mp4", "mine.mp4"):
        first = frames(folder / name)[0]
        assert np.abs(plane(first, 1).astype(int) - 128).max() > 2


def test_the_script_runs():
    (script,) = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    space = {"luma": render(1).luma[0]}
    exec(compile(script, PAGE.name, "exec"), space)  # noqa: S102
    assert space["chroma"].shape == (2, *space["luma"].shape)
    assert isinstance(space["colorizer"], Colorizer)


def test_its_numbers_are_those_of_the_code():
    text = " ".join(TEXT.split())
    assert f"over {len(gamut_bins())} bins" in text
    assert f"T = {TEMPERATURE}" in text
    assert f"multiples of {MULTIPLE} pixels" in text
    millions = sum(p.numel() for p in Zhang().parameters()) / 1e6
    assert f"of {millions:.1f} million parameters" in text


def test_its_links_lead_somewhere():
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", TEXT):
        assert (PAGE.parent / target).exists(), target
