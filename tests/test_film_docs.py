"""docs/film.md and docs/troubleshooting.md: their commands run, and what they quote is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support import films
from tests.support.pages import arguments, lines
from vidcolor.cli import main, parse
from vidcolor.commands.choices import read_scenes
from vidcolor.media.codecs import AUTO, CODECS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
GUIDE, TROUBLE = (
    (DOCS / name).read_text(encoding="utf-8") for name in ("film.md", "troubleshooting.md")
)
TOY = Path(__file__).parent / "toy" / "bundle"
LENGTHS = (12, 10, 11)


def test_the_guide_from_its_first_command_to_its_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All but the one on a cluster, which tests/runtime/film/test_cluster.py runs."""
    monkeypatch.chdir(tmp_path)
    scene = films.scenes(LENGTHS, height=120, width=256)
    films.write_film(Path("film.mkv"), scene)
    for reel in ("reel1", "reel2"):
        short = films.scenes((6,))
        films.write_film(Path(f"{reel}.mkv"), short)
        Path("reels").mkdir(exist_ok=True)
        films.write_keys(Path("reels") / reel, short, [2])
    [job] = re.findall(r"^```toml\n(.+?)^```", GUIDE, re.MULTILINE | re.DOTALL)
    Path("job.toml").write_text(job)
    given = arguments(DOCS / "film.md", "vidcolor")
    assert len(given) >= 22
    renamed = [line.split()[1:] for line in lines(DOCS / "film.md", "mv")]
    assert len(renamed) == 2
    for words, following in zip(given, [*given[1:], []], strict=True):
        if "--against" in following:
            for old, new in renamed:
                Path(old).rename(new)
        if "--cluster" in words:
            parse(words)
            continue
        needs_model = words[0] in ("advise", "color")
        model = ["--model", str(TOY), "--provider", "cpu"] if needs_model else []
        assert main([*words, *model]) == 0, (words, capsys.readouterr().err)
        if words[0] == "advise":
            numbers = [int(path.stem) for path in Path("keys").glob("0*.png")]
            films.write_keys(Path("keys"), scene, numbers)
    outputs = {words[words.index("-o") + 1] for words in given if "-o" in words}
    assert all(Path(output).exists() for output in outputs)
    assert read_scenes(Path("cuts.txt")) == (0, 12, 22)
    assert sorted(path.name for path in Path("done").glob("*.mkv")) == ["reel1.mkv", "reel2.mkv"]


def test_the_table_of_codecs_has_the_defaults_of_each() -> None:
    rows = re.findall(r"^\| (`.+?`) \| .+? \| (\d*) \| (\w*) \|$", GUIDE, re.MULTILINE)
    named = {name: row[1:] for row in rows for name in re.findall(r"`([\w-]+)`", row[0])}
    assert named.keys() == {AUTO, *CODECS}
    for name, encoder in CODECS.items():
        options = (encoder.options.get("crf", ""), encoder.options.get("preset", ""))
        assert named[name] == options


def test_the_troubles_command_is_one() -> None:
    [words] = arguments(DOCS / "troubleshooting.md", "vidcolor")
    assert parse(words).model.provider == "cuda"


def test_what_cuda_is_quoted_with_is_what_it_says() -> None:
    path = ROOT / "runtime" / "vidcolor" / "inference" / "providers.py"
    source = path.read_text(encoding="utf-8")
    said = re.sub(r'"\s+f?"', "", source)
    quoted = re.findall(r"^\| ([a-z].+?) \|", TROUBLE, re.MULTILINE)
    quoted.remove("it says")
    assert len(quoted) == 4
    for words in quoted:
        assert words in said


@pytest.mark.parametrize("text", [GUIDE, TROUBLE])
def test_links_lead_somewhere(text: str) -> None:
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", text):
        assert (DOCS / target).exists(), target
