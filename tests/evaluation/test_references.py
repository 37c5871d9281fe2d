"""Shots coloured from other shots of the same video, measured on a planted scene."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from evaluation.__main__ import main
from evaluation.clips import find_videos
from evaluation.options import ReferenceOptions
from evaluation.references import (
    ALL,
    BOTH,
    COLORIZER,
    GRAY,
    HOLD,
    KEY,
    ONE,
    group,
    markdown,
)
from tests.support.footage import write_video
from tests.support.scenes import render
from vidcolor.commands.color import KeyOptions
from vidcolor.errors import ArgumentError
from vidcolor.inference.colorizer import DEFAULT_COLORIZER


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """Two videos of two shots: in one, the second shot shows the same things elsewhere."""
    folder = tmp_path / "clips"
    rgb = render(6, 96, 128, seed=3).rgb("bt601")
    write_video(folder / "same_001.mkv", rgb)
    write_video(folder / "same_002.mkv", np.ascontiguousarray(rgb[:, :, ::-1]))
    write_video(folder / "other_1.mkv", render(4, 96, 128, seed=53).rgb("bt601"))
    write_video(folder / "alone.mkv", render(4, 96, 128, seed=54).rgb("bt601"))
    return folder


def run(clips: Path, *more: str) -> dict[str, dict[str, float]]:
    out = clips.parent / "out"
    arguments = ["evaluation", "references", "--clips", str(clips), "-o", str(out), "--frames", "3"]
    arguments += ["--size", "96", "--threads", "1", "--cache", str(clips.parent / "cache"), *more]
    before, sys.argv = sys.argv, arguments
    try:
        assert main() == 0
    finally:
        sys.argv = before
    figures = json.loads((out / "references.json").read_text())["psnr"]
    assert (out / "references.md").read_text() == markdown(figures) + "\n"
    return figures


def test_things_seen_in_another_shot_get_their_colours(
    clips: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = run(clips)
    assert figures.keys() == {"clips/same_001.mkv", "clips/same_002.mkv"}
    for scores in figures.values():
        assert scores[ONE] > max(scores[GRAY], scores[HOLD], scores[COLORIZER]) + 3
        assert scores[ALL] == scores[ONE]
        assert min(scores[KEY], scores[BOTH]) > scores[ONE] + 3
    assert "| shots better than gray | 0 |" in capsys.readouterr().out


def test_the_manifest_says_which_shots_are_of_one_video(clips: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "shots.csv"
    rows = ["file,source_repo,path_in_repo"]
    rows += [f"x/{name},owner/repo,film.mp4" for name in ("other_1.mkv", "alone.mkv")]
    rows += ["x/same_001.mkv,a,b", "x/same_002.mkv,a,c"]
    manifest.write_text("\n".join(rows))
    found = group(find_videos([clips]), manifest)
    assert {name: [shot for shot, _ in shots] for name, shots in found.items()} == {
        "owner/repo/film.mp4": ["clips/alone.mkv", "clips/other_1.mkv"]
    }
    manifest.write_text("file\nx/same_001.mkv")
    with pytest.raises(ArgumentError, match=r"manifest: .* cannot be read .* source_repo and path"):
        group(find_videos([clips]), manifest)


def test_no_video_of_two_shots(clips: Path) -> None:
    for path in clips.glob("same*"):
        path.unlink()
    with pytest.raises(ArgumentError, match="no video has two shots there; shots of one video are"):
        group(find_videos([clips]), None)


def test_the_table() -> None:
    one = {GRAY: 20.0, HOLD: 19.0, COLORIZER: 18.0, ONE: 25.0, ALL: 27.0, KEY: 40.0, BOTH: 39.0}
    two = {GRAY: 20.0, HOLD: 21.0, COLORIZER: 24.0, ONE: 19.0, ALL: 22.0, KEY: 31.0, BOTH: 33.0}
    lines = markdown({"a": one, "b": two}).splitlines()
    assert lines[2] == "| a | 20.00 | 19.00 | 18.00 | 25.00 | 27.00 | 40.00 | 39.00 |"
    assert lines[4:] == [
        "| mean of 2 | 20.00 | 20.00 | 21.00 | 22.00 | 24.50 | 35.50 | 36.00 |",
        "| shots better than gray | 0 | 1 | 1 | 1 | 2 | 2 | 2 |",
        "| shots better than colorizer | 1 | 1 | 0 | 1 | 1 | 2 | 2 |",
    ]


def test_the_default_colorizer_is_the_same_everywhere() -> None:
    """Options name it themselves: to import it would take longer than to print their help."""
    assert KeyOptions.colorizer == ReferenceOptions.colorizer == DEFAULT_COLORIZER
