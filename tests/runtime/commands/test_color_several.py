"""Several films in one call: keys and an output for each, errors before the work begins."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import films
from vidcolor.cli import main
from vidcolor.commands import color_films

TOY = Path(__file__).parents[2] / "toy" / "bundle"
MODEL = ["--model", str(TOY), "--provider", "cpu", "--size", "48"]


@pytest.fixture
def reels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("keys").mkdir()
    for name, lengths in (("one", (9, 8)), ("two", (7,))):
        scene = films.scenes(lengths)
        films.write_film(Path(f"{name}.mkv"), scene)
        films.write_keys(Path("keys") / name, scene, [2])
    Path("two.mkv").rename("two.nut")


def color(*words: str) -> int:
    return main(["color", *words, "--codec", "ffv1", *MODEL])


def test_each_has_its_keys_and_its_output(reels: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert color("one.mkv", "two.nut", "--keys", "keys", "--output-folder", "out") == 0
    said = capsys.readouterr().out
    assert "out/one.mkv: 17 frames" in said
    assert "out/two.mkv: 7 frames" in said
    for name in ("one.mkv", "two.nut"):
        alone = ["--keys", f"keys/{name[:3]}", "-o", f"{name[:3]}-alone.mkv", "--quiet"]
        assert color(name, *alone) == 0
        together = Path("out") / f"{name[:3]}.mkv"
        assert together.read_bytes() == Path(f"{name[:3]}-alone.mkv").read_bytes()


def test_a_folder_for_one_film(reels: None) -> None:
    """Its keys lie in the folder itself, or in one of its name."""
    assert color("one.mkv", "--keys", "keys/one", "--output-folder", "a", "--quiet") == 0
    assert color("one.mkv", "--keys", "keys", "--output-folder", "b", "--quiet") == 0
    assert Path("a/one.mkv").read_bytes() == Path("b/one.mkv").read_bytes()


def test_one_that_fails_does_not_stop_the_others(
    reels: None, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("bad.mkv").write_bytes(b"no film")
    (Path("keys") / "one").rename(Path("keys") / "bad")
    words = ["--keys", "keys", "--output-folder", "out"]
    assert color("bad.mkv", "two.nut", *words) == 2
    told = capsys.readouterr()
    assert "out/two.mkv: 7 frames" in told.out
    first, second, *_, last = told.err.splitlines()
    assert first.startswith("vidcolor: bad.mkv: clip: bad.mkv cannot be read as a video")
    assert second == "vidcolor: note: 1 of 2 films can be coloured, and are"
    assert last == "vidcolor: 1 of 2 films could not be coloured"


def no_film() -> None:
    Path("one.mkv").unlink()


def no_keys() -> None:
    Path("keys/one").rename("keys/other")


def a_bad_key() -> None:
    Path("keys/one/000003.png").write_bytes(b"no image")


def another_output() -> None:
    Path("out").mkdir()
    Path("out/one.mkv").write_bytes(b"mine")


SPOILT = {
    no_film: "clip: there is no file one.mkv",
    no_keys: "keys: there is no folder keys/one; it should hold images",
    a_bad_key: "keys/one/000003.png cannot be read",
    another_output: "output: out/one.mkv exists already",
}


@pytest.mark.parametrize("spoil", SPOILT)
def test_what_is_refused_of_one_is_told_before_the_others_begin(
    spoil: Callable[[], None],
    reels: None,
    capsys: pytest.CaptureFixture[str],
    steps: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spoil()
    told: list[str] = []
    color_video = color_films.color_video

    def noted(*given, **more):
        told.append(capsys.readouterr().err)
        return color_video(*given, **more)

    monkeypatch.setattr(color_films, "color_video", noted)
    words = ["--keys", "keys", "--output-folder", "out"]
    assert color("two.nut", "one.mkv", *words) == 2
    [before] = told
    assert before.startswith("vidcolor: one.mkv: ")
    assert SPOILT[spoil] in before
    assert steps
    assert capsys.readouterr().err.endswith("vidcolor: 1 of 2 films could not be coloured\n")
    kept = {"one.mkv"} if spoil is another_output else set()
    ours = {f"two.mkv{ending}" for ending in ("", ".vidcolor", ".vidcolor.json")}
    assert {path.name for path in Path("out").iterdir()} == ours | kept
    if kept:
        assert Path("out/one.mkv").read_bytes() == b"mine"


def test_a_missing_model_is_told_once(reels: None, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--keys", "keys", "--output-folder", "out", "--model", "none"]
    assert main(["color", "one.mkv", "two.nut", *words]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("vidcolor: model is 'none', accepted are")
    assert not Path("out").exists()


def test_where_all_are_refused_nothing_is_left(
    reels: None, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--keys", "keys", "--output-folder", "out"]
    assert color("ghost.mkv", "spirit.mkv", *words) == 2
    first, second, last = capsys.readouterr().err.splitlines()
    assert first == "vidcolor: ghost.mkv: clip: there is no file ghost.mkv"
    assert second == "vidcolor: spirit.mkv: clip: there is no file spirit.mkv"
    assert last == "vidcolor: 2 of 2 films could not be coloured"
    assert not Path("out").exists()
    assert color("ghost.mkv", *words) == 2
    assert capsys.readouterr().err == "vidcolor: clip: there is no file ghost.mkv\n"
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("", "films: none is given, at least one film is needed"),
        ("one.mkv --keys keys/one", "output: --output or --output-folder is needed, and not both"),
        ("one.mkv two.nut --keys keys -o out.mkv", "output: for several films, a folder is needed"),
        ("one.mkv two.nut --key key.png --output-folder out", "key is one image, of one film"),
        ("one.mkv two.nut --output-folder out", "keys: a folder --keys or one image --key is n"),
        ("one.mkv two.nut --keys keys --output-folder out --crf x", "crf"),
        ("one.mkv two.nut --keys keys --output-folder out --range 1-2", "range is 1-2, which is"),
        ("one.mkv two.nut --keys keys --output-folder out --only-shot 1", "only-shot is 1, which"),
        ("one.mkv two.nut --keys keys --output-folder out --scenes a.txt", "scenes is a.txt, wh"),
        ("one.mkv ./one.mkv --keys keys --output-folder out", "films: two of them would be writ"),
        ("one.mkv two.nut --keys keys --output-folder one.mkv", "output-folder: one.mkv is a file"),
        ("one.mkv two.nut --keys keys --output-folder a/b", "output-folder: a/b cannot be made"),
    ],
)
def test_what_is_refused_before_any_work(
    reels: None, words: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert color(*words.split()) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"vidcolor: {sentence}"), error
    assert not Path("out").exists()
