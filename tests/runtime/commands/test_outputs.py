"""No command writes its output over a key, a film, a list of shots or a job that it is not for."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from tests.support.films import scenes, write_film, write_keys, write_scenes
from vidcolor.cli import COMMANDS as ALL
from vidcolor.cli import main
from vidcolor.commands import review_film

TOY = Path(__file__).parents[2] / "toy" / "bundle"
MODEL = ["--model", str(TOY), "--provider", "cpu"]
COMMANDS = {
    "color": ["color", "film.mkv", "--keys", "keys", *MODEL, "--overwrite"],
    "advise": ["advise", "film.mkv", *MODEL],
    "key": ["key", "--clip", "film.mkv", "--paint", "keys/000002.png", "--whole", "--overwrite"],
    "shots": ["shots", "film.mkv", "--overwrite"],
    "review": ["review", "out.mkv", "--overwrite"],
}
"""Without an output, and as bold as they can be."""
FILES = ("film.mkv", "out.mkv", "keys/000023.png", "cuts.txt", "job.toml")
OWN = {"color": {"out.mkv"}, "key": {"keys/000023.png"}, "shots": {"cuts.txt"}}
"""What a command is told to replace by --overwrite, for it is of the kind that it writes."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("outputs")
    write_film(folder / "film.mkv", scenes())
    write_keys(folder / "keys", scenes(), (2, 23))
    write_scenes(folder / "cuts.txt", (0, 11, 20))
    (folder / "job.toml").write_text('films = "film.mkv"\n')
    words = ["--keys", str(folder / "keys"), "-o", str(folder / "out.mkv"), "--codec", "ffv1"]
    assert main(["color", str(folder / "film.mkv"), *words, *MODEL, "--quiet"]) == 0
    return folder


def test_all_commands_with_an_output_are_here() -> None:
    options = {name: fields(listed.load()) for name, listed in ALL.items()}  # type: ignore[arg-type]
    writing = {name for name, of in options.items() if any(field.name == "output" for field in of)}
    assert writing == set(COMMANDS)


@pytest.mark.parametrize(
    ("name", "output"),
    [(name, file) for name in COMMANDS for file in FILES if file not in OWN.get(name, ())],
)
def test_a_file_of_another_kind_is_refused(
    name: str,
    output: str,
    made: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(made)
    before = {path: path.read_bytes() for path in made.rglob("*") if path.is_file()}
    assert main([*COMMANDS[name], "-o", output]) == 2
    said = capsys.readouterr().err
    assert said.startswith("vidcolor: output: "), said
    assert Path(output).name in said
    assert said.count("\n") == 1
    assert {path: path.read_bytes() for path in made.rglob("*") if path.is_file()} == before


def test_the_copy_beside_a_page_is_not_the_film(
    made: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Large copies go beside the page, under its name: this may be a film's."""
    monkeypatch.chdir(made)
    monkeypatch.setattr(review_film, "LARGEST", 0)
    film, report = Path("a.preview.mp4"), Path("a.preview.mp4.vidcolor.json")
    film.write_bytes(Path("out.mkv").read_bytes())
    report.write_bytes(Path("out.mkv.vidcolor.json").read_bytes())
    before = film.read_bytes()
    for words in (["review", str(film)], ["review", "out.mkv", "--against", str(film)]):
        assert main([*words, "-o", "a.html", "--overwrite"]) == 2
        assert "may go its copy of the film, a.preview.mp4" in capsys.readouterr().err
        assert film.read_bytes() == before
    assert not Path("a.html").exists()
