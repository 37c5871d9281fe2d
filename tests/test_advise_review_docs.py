"""docs/advise-review.md: its commands run, and what it says of numbers and keys is so."""

import re
import shlex
from pathlib import Path

import pytest

from tests.support import films
from vidcolor.advise.review_page import PARTS
from vidcolor.advise.worth import GOAL
from vidcolor.cli import main
from vidcolor.commands.review_film import LARGEST
from vidcolor.film.confidence_map import LEVELS, LONG_SIDE

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "advise-review.md").read_text(encoding="utf-8")
TOY = ROOT / "tests" / "toy" / "bundle"


def test_its_commands_run_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    scene = films.scenes((16, 14))
    films.write_film(Path("film.mkv"), scene)
    commands = re.findall(r"^    vidcolor (.+)$", TEXT, re.MULTILINE)
    assert [command.split()[0] for command in commands] == [
        "advise", "color", "review", "review",
    ]  # fmt: skip
    for command in commands:
        if "--against" in command:
            for ending in ("", ".vidcolor.json"):
                Path(f"old.mp4{ending}").write_bytes(Path(f"out.mp4{ending}").read_bytes())
        model = [] if command.startswith("review") else ["--model", str(TOY), "--provider", "cpu"]
        assert main([*shlex.split(command), *model]) == 0, capsys.readouterr().err
        if command.startswith("advise"):
            frames = [int(path.stem) for path in Path("keys").glob("[0-9]*.png")]
            films.write_keys(Path("keys"), scene, frames)
    for name in ("keys/contact-sheet.jpg", "out.mp4.vidcolor.json", "review.html", "compare.html"):
        assert name in TEXT
        assert Path(name).is_file()


def test_its_numbers_are_those_of_the_code() -> None:
    assert f"confidence of {GOAL}" in TEXT
    assert f"{LARGEST // 2**20} MiB" in TEXT
    assert f"{LONG_SIDE} cells" in TEXT
    assert f"{LEVELS} steps" in TEXT
    script = (PARTS / "player.js").read_text(encoding="utf-8")
    assert re.search(r"up to (\d+) times", TEXT)[1] == re.search(r"FASTEST = (\d+)", script)[1]


def test_its_shortcuts_are_those_of_the_page() -> None:
    script = (PARTS / "review.js").read_text(encoding="utf-8")
    bound = re.search(r"const doings = \{(.*?)\n\};", script, re.DOTALL)[1]
    keys = re.findall(r'^  (?:"(.)"|(\w+)):', bound, re.MULTILINE)
    signs = {" ": "space", "ArrowLeft": "←", "ArrowRight": "→", "ArrowUp": "↑", "ArrowDown": "↓"}
    table = " ".join(re.findall(r"^\| (.+?) \|", TEXT, re.MULTILINE)).split()
    for key in (one or other for one, other in keys):
        assert signs.get(key, key) in table
