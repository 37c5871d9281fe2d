"""README.md and the pages of docs/: what they tell to type exists, and what can run here runs.

Pages with a test of their own: film.md, keys.md, advise-review.md, colorizer.md, filter.md,
own-model.md.
"""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

from tests.support import films, need
from tests.support.pages import blocks, commands
from tests.support.videos import write_clip, write_key
from vidcolor import Session
from vidcolor.cli import main, parse
from vidcolor.inference.bundle import MODELS
from vidcolor.inference.colorizer import COLORIZERS

ROOT = Path(__file__).parents[1]
TOY = ROOT / "tests" / "toy" / "bundle"
PAGES = [
    *(ROOT / name for name in ("README.md", "BENCHMARKS.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "training").glob("*.md")),
]
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
TARGETS = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
OWN_TESTS = {"film.md", "keys.md", "advise-review.md", "colorizer.md", "filter.md", "own-model.md"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_is_one(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("job.toml").write_text('films = "film.mkv"\n')  # it is read as words are
    for words in commands(page):
        program, *rest = words
        if program == "vidcolor" and not rest[0].startswith("--"):
            assert parse(rest), words
        elif program == "make":
            assert all(word in TARGETS for word in rest if "=" not in word), words
        elif program in ("pip", "uv", "uvx"):
            named = [
                e for found in re.findall(r"\[([\w,]+)\]", " ".join(rest)) for e in found.split(",")
            ]
            assert set(named) <= EXTRAS.keys(), words
        elif program == "vspipe" or (program == "python" and rest[0].endswith(".py")):
            named = [word for word in rest if word.startswith("examples/")]
            assert named, words
            assert all((ROOT / name).is_file() for name in named), words
        elif program == "python" and rest[0] == "-m":
            assert importlib.util.find_spec(f"{rest[1]}.__main__"), words


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """To files. Where a link leads on the site, and to which heading, mkdocs says."""
    for target in re.findall(r"\]\((?!\w+:|#)([^)#\s]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_every_page_is_in_the_site_and_every_page_of_the_site_exists() -> None:
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    listed = re.findall(r": ([\w-]+\.md)$", text, re.MULTILINE)
    assert {page.name for page in (ROOT / "docs").glob("*.md")} <= set(listed)
    assert len(listed) == len(set(listed))


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    """All links, the rendered API and the commands among them."""
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", tmp_path],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    api = (tmp_path / "api" / "index.html").read_text(encoding="utf-8")
    assert 'id="vidcolor.Propagator.step"' in api or "propagate.Propagator.step" in api
    told = (tmp_path / "commands" / "index.html").read_text(encoding="utf-8")
    for option in ("--keys", "--goal", "--calibrate", "--clips"):
        assert option in told
    examples = (tmp_path / "files" / "examples" / "propagate.vpy" / "index.html").read_text()
    assert "Propagate" in examples


def test_the_quick_start_from_its_first_command_to_its_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = ROOT / "docs" / "quick-start.md"
    monkeypatch.chdir(tmp_path)
    scene = films.scenes((14,), height=120, width=256)
    films.write_film(Path("clip.mp4"), scene)
    for _, *words in commands(page):
        model = [] if words[0] == "review" else ["--model", str(TOY), "--provider", "cpu"]
        assert main([*words, *model]) == 0, (words, capsys.readouterr().err)
        if words[0] == "advise":
            assert Path("keys/contact-sheet.jpg").is_file()
            numbers = [int(path.stem) for path in Path("keys").glob("0*.png")]
            assert numbers
            films.write_keys(Path("keys"), scene, numbers)
            films.write_keys(Path("first"), scene, [0])
            Path("first/000000.png").rename("first.png")
    outputs = ("out.mp4", "first-only.mp4", "review.html", "auto.mp4")
    assert all(Path(output).is_file() for output in outputs)


@pytest.mark.parametrize("name", ["docs/quick-start.md", "docs/api.md"])
def test_python_in_the_pages_runs(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, toy_bundle: Path
) -> None:
    film_beside(tmp_path, monkeypatch, toy_bundle)
    found = blocks(ROOT / name)
    assert found
    for block in found:
        exec(compile(block, name, "exec"), {})  # noqa: S102


def test_python_in_the_readme_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, toy_bundle: Path
) -> None:
    need.vapoursynth()
    import vapoursynth as vs

    from vsvidcolor.propagate import propagate

    film_beside(tmp_path, monkeypatch, toy_bundle)
    monkeypatch.setitem(propagate.__kwdefaults__, "model", str(toy_bundle))
    write_clip(tmp_path / "clip.mp4")
    write_key(tmp_path / "first.png")
    script, from_file, by_frame = blocks(ROOT / "README.md")
    exec(compile(script, "README.md", "exec"), {})  # noqa: S102
    assert vs.get_output(0).clip.get_frame(1).props["VidcolorKeyed"] == 1
    vs.clear_outputs()
    exec(compile(from_file, "README.md", "exec"), {})  # noqa: S102
    assert Path("coloured.mp4").is_file()
    space = {}
    exec(compile(by_frame, "README.md", "exec"), space)  # noqa: S102
    assert space["chroma"].shape == (2, 144, 256)
    assert np.ptp(space["confidence"]) >= 0


def film_beside(folder: Path, monkeypatch: pytest.MonkeyPatch, model: Path) -> None:
    """Where the pages' scripts find their files; the toy is the model that they do not name."""
    monkeypatch.chdir(folder)
    scene = films.scenes((8,), height=120, width=256)
    for name in ("film.mkv", "clip.mp4"):
        films.write_film(Path(name), scene)
    Path("keys").mkdir()
    films.write_keys(Path("keys"), scene, [0])
    load = Session.load.__func__

    def toy(cls: type[Session], bundle: object = None, **options: object) -> Session:
        return load(cls, model, **options)

    monkeypatch.setattr(Session, "load", classmethod(toy))


def test_every_python_block_of_docs_is_run_by_a_test() -> None:
    run_here = {"quick-start.md", "api.md"}
    with_blocks = {page.name for page in (ROOT / "docs").glob("*.md") if blocks(page)}
    assert with_blocks == run_here | (OWN_TESTS & with_blocks)


def test_the_weights_page_names_each_model_that_ships_and_its_share() -> None:
    text = (ROOT / "docs" / "weights.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if "CARD.md" in line]
    folders = [path.parent for root in (MODELS, COLORIZERS) for path in root.glob("*/CARD.md")]
    assert len(rows) == len(folders) >= 3
    for folder in folders:
        [row] = [row for row in rows if f"{folder.name}/CARD.md" in row]
        assert f"`{folder.name}`" in row
        card = (folder / "CARD.md").read_text(encoding="utf-8")
        share, clips = re.search(r"Training data: .*?(\d+) % of (\d+) clips", card).groups()
        assert f"{share} % of the {clips} clips" in row
        assert f"| {round(int(share) * int(clips) / 100)} |" in row
        assert re.search(r"142 permissive, 301 other", card)
    assert "**301 of the 443 clips" in text


def test_files_that_reliability_names_exist() -> None:
    text = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/.]+)`", text)
    assert len(named) > 10
    assert all((ROOT / name).exists() for name in named)
