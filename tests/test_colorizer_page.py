"""docs/colorizer.md: its commands run one after the other, and what it says is so."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest

from evaluation import __main__ as evaluation
from export import __main__ as export
from tests.support.footage import write_video
from tests.support.scenes import render
from tests.support.videos import frames, plane, write_clip
from tests.toy.colorizers import AB, write_colorizer
from training import __main__ as training
from training.models.bins import TEMPERATURE, gamut_bins
from training.models.zhang import Zhang
from training.options import ColorizerOptions
from vidcolor import cli
from vidcolor.inference.colorizer import MULTIPLE, Colorizer

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "colorizer.md"
TEXT = PAGE.read_text(encoding="utf-8")
COMMANDS = [
    line.strip() for line in re.findall(r"^ {4}((?:vidcolor|python) .*)$", TEXT, re.MULTILINE)
]

PROGRAMS = {
    "vidcolor": cli.main,
    "training": training.main,
    "evaluation": evaluation.main,
    "export": export.main,
}
SMALLER = {
    "fit-colorizer": "--steps 1 --width 0.125 --batch 2 --crop 64 --size 64 --cache cache",
    "evaluation": "--size 64 --frames 3 --pictures 0 --cache cache --threads 1",
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


def test_the_commands_run_one_after_the_other(folder, monkeypatch, capsys):
    """In this process, since every start of PyTorch takes seconds."""
    assert len(COMMANDS) == 6
    monkeypatch.chdir(folder)
    for command in COMMANDS:
        words = shlex.split(command.removeprefix("python -m "))
        more = next((s for name, s in SMALLER.items() if name in words), "")
        monkeypatch.setattr(sys, "argv", [*words, *shlex.split(more)])
        assert PROGRAMS[words[0]]() == 0, f"{command}\n{capsys.readouterr().err}"
    assert "| per frame |" in capsys.readouterr().out
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
    assert f"{ColorizerOptions.exemplars * 10:.0f}" == "3"
    assert "In three updates of ten it is shown an exemplar" in text


def test_its_links_lead_somewhere():
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", TEXT):
        assert (PAGE.parent / target).exists(), target
