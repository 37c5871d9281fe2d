"""A command or an option that a message tells does what the message says when it is typed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.support.films import LENGTHS, scenes, write_film, write_keys, write_scenes
from tests.support.videos import write_clip, write_key
from vidcolor.cli import main

TOY = Path(__file__).parents[2] / "toy" / "bundle"
CUTS = (0, LENGTHS[0], LENGTHS[0] + LENGTHS[1])
OWN = ["--model", str(TOY), "--provider", "cpu"]
COLOR = ["color", "my film.mkv", "--keys", "my keys", "--codec", "ffv1", *OWN]
"""Without an output."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to stand in, with names that a shell would take apart."""
    monkeypatch.chdir(tmp_path)
    write_film(Path("my film.mkv"), scenes())
    write_keys(Path("my keys"), scenes(), (2, 23))
    write_scenes(Path("cuts.txt"), CUTS)
    return tmp_path


def told(words: list[str], capsys: pytest.CaptureFixture[str], *, status: int) -> str:
    assert main(words) == status
    said = capsys.readouterr()
    return said.err if status else said.out


def test_the_next_command(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [*COLOR, "-o", "it's #1.mkv"]
    line = told(words, capsys, status=0).splitlines()[-1]
    program, *typed = shlex.split(line.removeprefix("next: "))
    assert program == "vidcolor"
    assert main(typed) == 0
    assert Path("it's #1.html").is_file()


OPTIONS = {
    "another file": ([*COLOR, "-o", "there.mkv"], "--overwrite"),
    "another list": (["shots", "my film.mkv", "-o", "there.txt"], "--overwrite"),
    "another frame's key": (
        [*COLOR[:3], "wrong keys", *COLOR[4:], "-o", "out.mkv"],
        "--any-key",
    ),
    "half a film": (
        ["color", "half.mkv", "--key", "first.png", "-o", "out.mkv", *OWN],
        r"--range 0-\d+",
    ),
}


@pytest.mark.parametrize("case", OPTIONS)
def test_the_option_that_helps(case: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("there.mkv", "there.txt"):
        Path(name).write_text("somebody else's")
    write_keys(Path("wrong keys"), scenes(), (2,))
    Path("wrong keys/000002.png").rename("wrong keys/000023.png")
    whole = write_clip(Path("whole.mkv"), codec="libx264", pts=range(0, 8000, 40)).read_bytes()
    Path("half.mkv").write_bytes(whole[: len(whole) // 2])
    write_key(Path("first.png"))
    words, option = OPTIONS[case]
    found = re.search(option, told(words, capsys, status=2))
    assert found is not None
    assert main([*words, *found[0].split()]) == 0
    assert Path(words[words.index("-o") + 1]).stat().st_size > len("somebody else's")


def test_the_ways_with_shots_without_a_key(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [*COLOR, "-o", "out.mkv", "--scenes", "cuts.txt"]
    ways = re.findall(r"--unkeyed \w+", told(words, capsys, status=0))
    assert len(ways) == 2
    for way in ways:
        assert main([*words, *way.split(), "--quiet"]) == 0


def test_the_help_of_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("color", "key", "advise", "shots", "review", "clean"):
        found = re.search("`vidcolor (.+)`", told([command, "--nothing"], capsys, status=2))
        assert found is not None
        with pytest.raises(SystemExit) as end:
            main(found[1].split())
        assert end.value.code == 0
