"""An error about a file names the option that the file was given by."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from tests.support.films import scenes, write_film, write_keys
from vidcolor.cli import COMMANDS, main

TOY = Path(__file__).parents[2] / "toy" / "bundle"
MODEL = ["--model", str(TOY), "--provider", "cpu"]
COLOR = ["color", "film.mkv", "-o", "new.mkv", *MODEL]
KEYED = [*COLOR, "--keys", "keys"]

OPTIONS: dict[tuple[str, str], tuple[list[str], str]] = {
    ("color", "films"): (["color", "{}", "-o", "new.mkv", "--keys", "keys", *MODEL], "clip"),
    ("color", "output"): ([*COLOR[:2], "--keys", "keys", "-o", "none/{}", *MODEL], "output"),
    ("color", "output_folder"): (
        ["color", "film.mkv", "--keys", "keys", "--output-folder", "none/{}", *MODEL],
        "output-folder",
    ),
    ("color", "keys"): ([*COLOR, "--keys", "{}"], "keys"),
    ("color", "key"): ([*COLOR, "--key", "{}"], "key"),
    ("color", "reference"): ([*KEYED, "--reference", "{}"], "reference"),
    ("color", "scenes"): ([*KEYED, "--scenes", "{}"], "scenes"),
    ("color", "colorizer"): ([*KEYED, "--unkeyed", "auto", "--colorizer", "{}"], "colorizer"),
    ("color", "model"): ([*COLOR[:4], "--keys", "keys", "--model", "{}"], "model"),
    ("color", "blend"): ([*KEYED, "--blend", "{}:0.5"], "blend"),
    ("advise", "film"): (["advise", "{}", "-o", "new", *MODEL], "clip"),
    ("advise", "output"): (["advise", "film.mkv", "-o", "none/{}", *MODEL], "output"),
    ("advise", "scenes"): (["advise", "film.mkv", "-o", "new", "--scenes", "{}", *MODEL], "scenes"),
    ("advise", "model"): (["advise", "film.mkv", "-o", "new", "--model", "{}"], "model"),
    ("shots", "film"): (["shots", "{}"], "clip"),
    ("shots", "output"): (["shots", "film.mkv", "-o", "none/{}"], "output"),
    ("key", "gray"): (["key", "{}", "--paint", "keys/000002.png", "-o", "new.png"], "gray"),
    ("key", "clip"): (["key", "--clip", "{}", "--paint", "keys/000002.png", "-o", "n.png"], "clip"),
    ("key", "paint"): (["key", "--clip", "film.mkv", "--paint", "{}", "-o", "new.png"], "paint"),
    ("key", "output"): (
        ["key", "--clip", "film.mkv", "--paint", "keys/000002.png", "-o", "{}/new.png"],
        "output",
    ),
    ("review", "colored"): (["review", "{}", "-o", "new.html"], "output"),
    ("review", "output"): (["review", "out.mkv", "-o", "none/{}.html"], "output"),
    ("review", "against"): (["review", "out.mkv", "--against", "{}", "-o", "new.html"], "against"),
    ("clean", "outputs"): (["clean", "{}"], "outputs"),
}
"""Command and option: what is typed, with a file's name in place of {}, and what the error names.
A film without an option's name in front is the clip."""
NAMES = ("model", "colorizer", "scenes", "blend")
"""Options that are texts for more than a file's path."""


def takes_path(name: str, kind: Any) -> bool:
    return name in NAMES or kind is Path or any(takes_path("", part) for part in get_args(kind))


def options(command: Any) -> Iterator[tuple[str, Any]]:
    hints = get_type_hints(command, vars(sys.modules[command.__module__]), include_extras=True)
    for field in fields(command):
        hint = hints[field.name]
        kind = get_args(hint)[0] if hasattr(hint, "__metadata__") else hint
        if is_dataclass(kind):
            yield from options(kind)
        else:
            names = [getattr(part, "name", None) for part in getattr(hint, "__metadata__", ())]
            yield next(filter(None, names), field.name), kind


def test_every_option_that_takes_a_path_is_here() -> None:
    found = {
        (command, name)
        for command, listed in COMMANDS.items()
        for name, kind in options(listed.load())
        if takes_path(name, kind)
    }
    assert found == set(OPTIONS)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("named")
    write_film(folder / "film.mkv", scenes())
    write_keys(folder / "keys", scenes(), (2, 23))
    (folder / "junk.mkv").write_text("words")
    words = ["--keys", str(folder / "keys"), "-o", str(folder / "out.mkv"), "--codec", "ffv1"]
    assert main(["color", str(folder / "film.mkv"), *words, *MODEL, "--quiet"]) == 0
    return folder


@pytest.mark.parametrize("file", ["none.mkv", "junk.mkv"])
@pytest.mark.parametrize("option", OPTIONS, ids="-".join)
def test_the_option_is_named(
    option: tuple[str, str],
    file: str,
    made: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(made)
    before = sorted(made.rglob("*"))
    typed, name = OPTIONS[option]
    assert main([word.format(file) for word in typed]) == 2
    said = capsys.readouterr().err
    if (option[1], file) == ("colorizer", "junk.mkv"):
        assert said.startswith(f"vidcolor: {file}: onnxruntime cannot load it")
    else:
        assert said.startswith((f"vidcolor: {name}: ", f"vidcolor: {name} is ")), said
    assert file in said
    assert sorted(made.rglob("*")) == before
