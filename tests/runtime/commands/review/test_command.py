"""``vidcolor review``: the files it writes, and those it refuses."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.runtime.commands.review.film import (
    FIRST,
    open_page,
    report,
    settle,
    shown_frame,
    write_coloured,
)
from vidcolor.cli import main
from vidcolor.commands import review_film
from vidcolor.film.confidence_map import PackedMaps
from vidcolor.film.report import report_path

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.mark.parametrize("name", ["\ud800.mp4", "\u2028.mp4"])
def test_names_of_other_systems(name: str, coloured: Path, tmp_path: Path) -> None:
    """Such a name may be in a report of elsewhere, though no file here can have it."""
    film = tmp_path / "out.mp4"
    film.write_bytes(coloured.read_bytes())
    replace(report(), film=name, keys={FIRST: name}).write(film)
    words = [film, "-o", tmp_path / "out.html", "--quiet"]
    done = subprocess.run(
        [sys.executable, "-m", "vidcolor", "review", *words],
        env=os.environ | {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert name.replace("\ud800", "\ufffd") in json.loads(f'"{_film_of(page)}"')


def _film_of(page: str) -> str:
    match = re.search(r'\["film", "([^"]+)"\]', page)
    assert match
    return match[1]


HOSTILE = "a <!--<script> & {{data}} #1 ?x=%41 'q' \"é\".mp4"
"""A name that a file may have on POSIX, and that HTML, scripts and addresses all stumble over."""


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX's file names")
@pytest.mark.parametrize("name", [HOSTILE.encode(), b"caf\xe9 <b>.mp4"], ids=["markup", "latin-1"])
@pytest.mark.parametrize("beside", [False, True])
def test_names_that_markup_and_addresses_stumble_over(
    name: bytes,
    *,
    beside: bool,
    page: Page,
    coloured: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    film = tmp_path / os.fsdecode(name)
    film.write_bytes(coloured.read_bytes())
    text = os.fsdecode(name)
    replace(report(), film=text, keys={FIRST: text}, options={text: "</script>" + text}).write(film)
    monkeypatch.setattr(review_film, "LARGEST", 0 if beside else review_film.LARGEST)
    path = tmp_path / os.fsdecode(name.replace(b".mp4", b".html"))
    assert main(["review", str(film), "-o", str(path), "--quiet"]) == 0
    seen = name.decode("utf-8", "replace")
    open_page(page, path)
    settle(page)
    assert shown_frame(page) == pytest.approx(0, abs=0.5)
    assert page.title() == seen
    assert page.locator("h1").inner_text() == seen
    assert page.locator("#facts").inner_text().count(seen) == 3
    assert page.locator("#key-image").inner_text() == seen


def test_it_holds_everything_in_itself(page: Page, made: Path) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    open_page(page, made)
    assert made.as_uri() in asked
    assert all(url == made.as_uri() or url.startswith(("data:", "blob:")) for url in asked), asked
    text = made.read_text(encoding="utf-8")
    assert "{{" not in text
    assert sorted(path.name for path in made.parent.iterdir()) == [
        "out.mp4",
        "out.mp4.vidcolor.json",
        "review.html",
    ]


def test_a_large_copy_lies_beside_the_page(
    page: Page, tmp_path: Path, coloured: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.setattr(review_film, "LARGEST", 1000)
    output = tmp_path / "page.html"
    assert main(["review", str(coloured), "-o", str(output)]) == 0
    assert "page.preview.mp4 beside it" in capsys.readouterr().out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["page.html", "page.preview.mp4"]
    assert output.stat().st_size < 100_000
    open_page(page, output)
    page.evaluate("seek(40)")
    settle(page)
    assert shown_frame(page) == pytest.approx(40, abs=1.5)


def test_names_are_text_and_not_markup(page: Page, tmp_path: Path) -> None:
    film = write_coloured(tmp_path / "<i>&amp;.mp4")
    given = replace(report(), film="</script><script>throw 1</script>", options={"<u>": "</u>"})
    given.write(film)
    assert main(["review", str(film), "-o", str(tmp_path / "page.html"), "--quiet"]) == 0
    open_page(page, tmp_path / "page.html")
    assert page.title() == "<i>&amp;.mp4"
    assert "</script><script>throw 1</script>" in page.locator("#facts").inner_text()


BROKEN = {
    "missing film": (["absent.mp4"], "output: there is no file absent.mp4$"),
    "a folder": (["."], "colored: . is a folder"),
    "no report": (["alone.mp4"], "no report .* `vidcolor color` writes one"),
    "damaged report": (["damaged.mp4"], "the report .* cannot be read"),
    "report without its film": (["gone.mp4"], "there is no file gone.mp4"),
    "report of another film": (["other.mp4"], "75 frames, its report is of 10"),
    "no video": (["text.mp4"], "cannot be read as a video"),
    "no such folder": (["out.mp4", "-o", "absent/a.html"], "there is no folder absent"),
    "no page": (["out.mp4", "-o", "out.mp4"], "should end in .html"),
    "existing page": (["out.mp4", "-o", "there.html"], "there.html exists already"),
    "goal of a percentage": (["out.mp4", "--goal", "65"], "goal is 65.0"),
    "no second version": (["out.mp4", "--against", "none.mp4"], "against: there is no file none"),
    "second version of other frames": (
        ["out.mp4", "--against", "other.mp4"],
        "against: other.mp4 has the film's frames 100 to 109, out.mp4 has 100 to 174",
    ),
    "damaged maps": (["maps.mp4"], "the report of old .* is damaged"),
    "tiny copy": (["out.mp4", "--side", "3"], "side is 3"),
}


@pytest.fixture
def folder(tmp_path: Path, coloured: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("out.mp4", "alone.mp4", "other.mp4"):
        Path(name).write_bytes(coloured.read_bytes())
    for name in ("out.mp4", "damaged.mp4", "gone.mp4", "text.mp4"):
        report().write(Path(name))
    replace(report(), confidence=(0.5,) * 10).write(Path("other.mp4"))
    Path("maps.mp4").write_bytes(coloured.read_bytes())
    replace(report(), confidence_maps=PackedMaps(18, 32, "AAAA")).write(Path("maps.mp4"))
    Path("text.mp4").write_text("not a video")
    report_path(Path("damaged.mp4")).write_text(json.dumps(["what"])[:-1])
    Path("there.html").write_text("mine")
    return tmp_path


@pytest.mark.parametrize("case", BROKEN)
def test_bad_input_is_told_in_one_sentence(case: str, folder: Path, capfd) -> None:
    given, message = BROKEN[case]
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert main(["review", *given]) == 2
    told = capfd.readouterr()
    assert told.out == ""
    assert re.fullmatch(f"vidcolor: .*{message}.*\n", told.err), told.err
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_overwrite(folder: Path, capsys) -> None:
    assert main(["review", "out.mp4", "-o", "there.html", "--overwrite"]) == 0
    assert Path("there.html").read_text().startswith("<!doctype html>")
    assert capsys.readouterr().out == "there.html: 75 frames\n"


def test_a_review_page_is_replaced_and_nothing_else(folder: Path, coloured: Path) -> None:
    assert main(["review", "out.mp4", "--quiet"]) == 0
    report().write(Path("alone.mp4"))
    assert main(["review", "alone.mp4", "--quiet"]) == 0
    assert "<title>alone.mp4</title>" in Path("review.html").read_text()
    assert main(["review", "alone.mp4", "-o", "there.html", "--quiet"]) == 2
    assert Path("there.html").read_text() == "mine"
