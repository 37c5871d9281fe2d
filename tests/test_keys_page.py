"""docs/keys.md: its commands run, one after the other, and its numbers are those of the code."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import pytest

from evaluation.__main__ import _parse
from tests.support import films
from tests.support.pages import arguments
from tests.support.scenes import render
from vidcolor.cli import main
from vidcolor.key.gray import MOSTLY
from vidcolor.references import MOST_REFERENCES

ROOT = Path(__file__).parents[1]
PATH = ROOT / "docs" / "keys.md"
PAGE = PATH.read_text(encoding="utf-8")
TOY = Path(__file__).parent / "toy" / "bundle"
LENGTHS = (12, 10)


def test_the_commands_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    scene = films.scenes(LENGTHS)
    films.write_film(Path("film.mkv"), scene)
    films.write_keys(Path("keys"), scene, (5,))
    Path("stills").mkdir()
    shutil.copy("keys/000005.png", "stills/take2_5_ok.png")
    for name in ("still.png", "photo.jpg"):
        cv2.imwrite(name, render(1, 50, 40, seed=9).rgb()[0][..., ::-1])
    films.write_scenes(Path("cuts.txt"), (0, LENGTHS[0]))
    given = arguments(PATH, "vidcolor")
    assert len(given) == 6
    for words in given:
        model = ["--model", str(TOY), "--provider", "cpu", "--scenes", "cuts.txt"]
        assert main([*words, *model]) == 0, (words, capsys.readouterr().err)
        assert Path(words[words.index("-o") + 1]).exists()


def test_the_measurement_can_be_asked_for() -> None:
    [words] = arguments(PATH, "python", "-m", "evaluation")
    assert _parse(words).manifest == Path("shots.csv")


def test_its_numbers() -> None:
    assert f"At most {MOST_REFERENCES} references" in PAGE
    assert MOSTLY == 0.5
    assert PAGE.count("at least half of it is") == 2
