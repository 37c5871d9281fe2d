"""The library call from file to file: it does what the command does, and says how far it is."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vidcolor
from tests.support.films import LENGTHS, scenes, write_film, write_keys, write_scenes
from tests.support.videos import frames, plane
from vidcolor.cli import main
from vidcolor.errors import ArgumentError, MediaError
from vidcolor.film.report import Report

TOY = Path(__file__).parents[2] / "toy" / "bundle"
README = Path(__file__).parents[3] / "README.md"
LENGTH = sum(LENGTHS)
CUTS = (0, LENGTHS[0], LENGTHS[0] + LENGTHS[1])
MODEL = {"model": TOY, "provider": "cpu", "codec": "ffv1"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to stand in, with a film and its keys."""
    monkeypatch.chdir(tmp_path)
    film = scenes()
    write_film(Path("film.mkv"), film)
    write_keys(Path("keys"), film, (2, 7, 23))
    return tmp_path


def test_it_does_what_the_command_does(folder: Path) -> None:
    write_scenes(Path("cuts.txt"), CUTS)
    command = ["color", "film.mkv", "--keys", "keys", "-o", "command.mkv", "--quiet"]
    command += ["--model", str(TOY), "--provider", "cpu", "--codec", "ffv1"]
    assert main([*command, "--scenes", "cuts.txt", "--range", "1-25", "--size", "40"]) == 0
    report = vidcolor.color_video(
        "film.mkv",
        keys="keys",
        output="call.mkv",
        scenes=CUTS,
        frames=range(1, 26),
        size=40,
        **MODEL,
    )
    assert Path("call.mkv").read_bytes() == Path("command.mkv").read_bytes()
    written = Report.read(Path("call.mkv")).confidence
    assert written == Report.read(Path("command.mkv")).confidence
    np.testing.assert_allclose(report.confidence, written, atol=1e-4)
    assert report.frames == range(1, 26)


def test_keys_are_a_folder_a_mapping_or_the_first_frame(folder: Path) -> None:
    images = {frame: f"keys/{frame:06}.png" for frame in (2, 7, 23)}
    vidcolor.color_video("film.mkv", keys="keys", output="a.mkv", **MODEL)
    vidcolor.color_video("film.mkv", keys=images, output="b.mkv", **MODEL)
    assert Path("a.mkv").read_bytes() == Path("b.mkv").read_bytes()
    write_keys(Path("first"), scenes(), [0])
    vidcolor.color_video("film.mkv", keys="first/000000.png", output="c.mkv", **MODEL)
    vidcolor.color_video(
        "film.mkv", keys={0: "first/000000.png"}, scenes="none", output="d.mkv", **MODEL
    )
    assert Path("c.mkv").read_bytes() == Path("d.mkv").read_bytes()


@pytest.mark.parametrize(
    ("shots", "message"),
    [
        ((0, -1), "scenes: a shot begins at frame -1, frames are counted from 0"),
        ((0, LENGTH), f"scenes: a shot begins at frame {LENGTH}, the film has frames 0 to "),
        ("cuts.txt", "scenes is 'cuts.txt', accepted are auto, none"),
    ],
)
def test_shots_that_begin_nowhere(folder: Path, shots: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        vidcolor.color_video("film.mkv", keys="keys", output="a.mkv", scenes=shots, **MODEL)
    assert not Path("a.mkv").exists()


def test_how_far_it_is(folder: Path) -> None:
    told: dict[str, list[tuple[int, int | None]]] = {}

    def progress(stage: str, done: int, total: int | None) -> None:
        told.setdefault(stage, []).append((done, total))

    notes: list[str] = []
    vidcolor.color_video(
        "film.mkv", keys="keys", output="out.mkv", progress=progress, note=notes.append, **MODEL
    )
    assert list(told) == ["scanning", "colouring"]
    for stage in told.values():
        assert [done for done, _ in stage] == list(range(1, LENGTH + 1))
    assert {total for _, total in told["colouring"]} == {LENGTH}
    assert notes == []


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"direction": "sideways"}, ArgumentError, "direction is 'sideways', accepted are"),
        ({"jobs": 0}, ArgumentError, "jobs is 0, accepted are"),
        ({"frames": range(9, 3)}, ArgumentError, "frames is range"),
        ({"frames": range(0, 9, 2)}, ArgumentError, "frames is range"),
        ({"frames": range(-2, 9)}, ArgumentError, "frames is range"),
        ({"keys": {}}, ArgumentError, "keys is empty"),
        ({"keys": ["a.png", "b.png"]}, ArgumentError, r"keys is \['a.png', 'b.png'\], accepted"),
        ({"references": None}, ArgumentError, "references is None, a list of pictures"),
        ({"keys": {-1: "key.png"}}, ArgumentError, "keys holds the frame -1, whole numbers"),
        ({"keys": {"0": "key.png"}}, ArgumentError, "keys holds the frame '0', whole numbers"),
        ({"keys": {0: None}}, ArgumentError, "keys holds a NoneType for frame 0, the path"),
        ({"frames": (0, 2)}, ArgumentError, r"frames is \(0, 2\), accepted are ranges"),
        ({"key_ranges": {0: (0, 2)}}, ArgumentError, r"key-range of frame 0 is \(0, 2\), a range"),
        ({"references": "still.png"}, ArgumentError, "references is 'still.png', a list"),
        ({"codec_options": {"crf": 5}}, ArgumentError, r"holds {'crf': 5}.* {'crf': '5'}"),
        ({"codec_options": "crf=5"}, ArgumentError, "codec_options is 'crf=5', a mapping"),
        ({"clip": "absent.mkv"}, MediaError, "there is no file absent.mkv"),
    ],
)
def test_bad_arguments(folder: Path, wrong: dict, error: type[Exception], message: str) -> None:
    given = {"clip": "film.mkv", "keys": "keys", "output": "out.mkv", **MODEL, **wrong}
    before = sorted(folder.rglob("*"))
    with pytest.raises(error, match=message):
        vidcolor.color_video(given.pop("clip"), **given)
    assert sorted(folder.rglob("*")) == before


def test_the_readme_shows_it(folder: Path) -> None:
    """The example as it is written, on a film of this name."""
    [code] = [
        block
        for block in re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.S)
        if "color_video" in block
    ]
    told: dict[str, object] = {}
    exec(compile(code, "README.md", "exec"), told)  # noqa: S102  it is our own
    report = told["report"]
    assert isinstance(report, Report)
    assert json.loads(Path("coloured.mp4.vidcolor.json").read_text())["film"] == "film.mkv"
    after = frames(Path("coloured.mp4"))
    assert len(after) == len(report.confidence) == LENGTH
    assert np.ptp(plane(after[7], 1)) > 20


def test_it_is_loaded_when_it_is_used() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        vidcolor.nothing  # noqa: B018
    assert "color_video" in vidcolor.__all__
