"""``vidcolor shots``: the list that it writes is the one that --scenes reads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support import films
from vidcolor.cli import main
from vidcolor.commands.choices import read_scenes
from vidcolor.film.shots import find_shots

TOY = Path(__file__).parents[2] / "toy" / "bundle"
LENGTHS = (24, 16, 20)


@pytest.fixture
def film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return films.write_film(Path("film.mkv"), films.scenes(LENGTHS))


def test_frame_time_and_score_of_each_shot(film: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["shots", "film.mkv", "-o", "cuts.txt"]) == 0
    told = capsys.readouterr()
    assert (told.out, told.err) == ("cuts.txt: 3 shots in 60 frames\n", "")
    head, *lines = Path("cuts.txt").read_text(encoding="utf-8").splitlines()
    assert head == "# film.mkv: 3 shots in 60 frames; what follows a # is not read"
    assert lines[0] == "0       # 0:00:00.000  start"
    assert re.fullmatch(r"24      # 0:00:00\.960  cut  \d+\.\d", lines[1])
    assert re.fullmatch(r"40      # 0:00:01\.600  cut  \d+\.\d", lines[2])
    assert read_scenes(Path("cuts.txt")) == tuple(find_shots(film)) == (0, 24, 40)


def test_without_an_output_it_is_printed(film: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["shots", "film.mkv", "--threshold", "200"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("# film.mkv: 1 shot in 60 frames; ")
    assert lines[1].startswith("0 ")


def test_corrections_are_not_written_over(film: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("cuts.txt").write_text("0\n7 # by hand\n")
    assert main(["shots", "film.mkv", "-o", "cuts.txt"]) == 2
    assert "--overwrite replaces it" in capsys.readouterr().err
    assert read_scenes(Path("cuts.txt")) == (0, 7)
    assert main(["shots", "film.mkv", "-o", "cuts.txt", "--overwrite", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")
    assert read_scenes(Path("cuts.txt")) == (0, 24, 40)


def test_advise_goes_by_the_list(film: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A cut moved by hand: the second shot is 30 frames long, and is one for its key, too."""
    options = ["--model", str(TOY), "--provider", "cpu", "--size", "48"]
    Path("cuts.txt").write_text("0  # 0:00:00.000  start\n30\n", encoding="utf-16")
    assert main(["advise", "film.mkv", "-o", "keys", "--scenes", "cuts.txt", *options]) == 0
    said = capsys.readouterr().out
    assert "frames 0 to 29" in said or "shot 1" in said
    assert "in 2 shots" in said
    assert main(["advise", "film.mkv", "-o", "one", "--scenes", "none", *options]) == 0
    assert "in 1 shot\n" in capsys.readouterr().out
    Path("cuts.txt").write_text("0\n60\n")
    assert main(["advise", "film.mkv", "-o", "keys", "--scenes", "cuts.txt", *options]) == 2
    assert "a shot begins at frame 60, the film has frames 0 to 59" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("film.mkv --threshold 0", "threshold is 0.0, accepted are numbers above 0"),
        ("film.mkv --threshold nan", "threshold is nan, accepted are numbers above 0"),
        ("film.mkv --shortest 0", "shortest is 0, accepted are whole numbers from 1"),
        ("film.mkv -o film.mkv --overwrite", "output: film.mkv is the film itself"),
        ("film.mkv -o 000240.png", "output: 000240.png should end in .txt, it is a list as text"),
        ("film.mkv -o none/cuts.txt", "output: there is no folder none"),
        ("film.mkv -o .", "output: . is a folder"),
        ("none.mkv", "clip: there is no file none.mkv"),
    ],
)
def test_what_is_refused(
    film: Path, words: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["shots", *words.split()]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"vidcolor: {sentence}")
    assert error.count("\n") == 1
