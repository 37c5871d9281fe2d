"""``vidcolor advise``: a film goes in, frames to paint come out."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.support import films
from tests.support.scenes import Scene, render
from tests.support.videos import write_clip, write_key
from vidcolor.advise.own_files import sign
from vidcolor.cli import main

TOY = Path(__file__).parents[2] / "toy" / "bundle"
LENGTHS = (24, 16, 20)
FIRSTS = (0, 24, 40)


@pytest.fixture(scope="module")
def scene():
    return films.scenes(LENGTHS)


@pytest.fixture
def film(tmp_path: Path, scene) -> Path:
    return films.write_film(tmp_path / "film.mkv", scene)


def advise(film: Path, folder: Path, *more: str, model: str | Path = TOY) -> int:
    options = ["-o", str(folder), "--model", str(model), "--provider", "cpu", "--size", "48"]
    return main(["advise", str(film), *options, *more])


def images(folder: Path) -> dict[int, bytes]:
    return {int(path.stem): path.read_bytes() for path in sorted(folder.glob("[0-9]*.png"))}


def paint(folder: Path, scene, frame: int) -> bytes:
    films.write_keys(folder, scene, [frame])
    return (folder / f"{frame:06d}.png").read_bytes()


def test_a_key_for_every_shot_in_gray(tmp_path: Path, film: Path, scene, capsys) -> None:
    keys = tmp_path / "keys"
    assert advise(film, keys) == 0
    told = capsys.readouterr()
    chosen = list(images(keys))
    assert len(chosen) == 3
    for first, length, frame in zip(FIRSTS, LENGTHS, chosen, strict=True):
        assert first + length // 4 <= frame < first + length
        image = cv2.imread(str(keys / f"{frame:06d}.png"), cv2.IMREAD_UNCHANGED)
        luma = (films.luma_codes(scene)[frame].astype(float) - 16).clip(0, 219) / 219 * 255
        for channel in range(3):
            np.testing.assert_allclose(image[..., channel], luma, atol=0.51)
        shot = FIRSTS.index(first) + 1
        seconds = re.escape(f"{frame / 25:06.3f}")
        frames = f"frames {first} to {first + length - 1}"
        assert re.search(
            rf"{frame:06d}\.png +0:00:{seconds} +shot {shot} +colours {frames}: "
            r"confidence 0\.9\d expected",
            told.out,
        ), told.out
    assert "contact-sheet.jpg: 3 frames to paint, in 3 shots" in told.out
    assert told.err == ""
    sheet = cv2.imread(str(keys / "contact-sheet.jpg"))
    assert sheet.shape[1] > 3 * 400
    assert len(list(keys.iterdir())) == 4


def test_the_same_again_and_nothing_when_quiet(tmp_path: Path, film: Path, capsys) -> None:
    for folder in ("one", "other"):
        assert advise(film, tmp_path / folder, "--quiet") == 0
    assert capsys.readouterr() == ("", "")
    assert images(tmp_path / "one") == images(tmp_path / "other")
    first = images(tmp_path / "one")
    assert advise(film, tmp_path / "one", "--quiet") == 0
    assert images(tmp_path / "one") == first


@pytest.fixture(scope="module")
def dissolve():
    """One shot that turns into something else: no key of its begin has colours for its end."""
    one, other = (render(72, films.HEIGHT, films.WIDTH, seed=seed, pan=0.2) for seed in (4, 9))
    share = ((np.arange(72) - 30) / 12).clip(0, 1).astype(np.float32)
    mixed = (
        a + share.reshape(-1, *[1] * (a.ndim - 1)) * (b - a)
        for a, b in zip(one, other, strict=True)
    )
    return Scene(*mixed)


def test_painted_frames_are_kept_and_the_next_is_named(tmp_path: Path, dissolve, capsys) -> None:
    """With the shipped model, whose confidence falls where there is something new."""
    film, keys = films.write_film(tmp_path / "film.mkv", dissolve), tmp_path / "keys"
    keys.mkdir()
    painted = {8: paint(keys, dissolve, 8)}
    assert advise(film, keys, model="flagship") == 0
    told = capsys.readouterr().out
    [added] = images(keys).keys() - painted.keys()
    assert added >= 42
    line = re.match(
        rf".*{added:06d}\.png .* lifts frames (\d+) to 71: confidence (\S+) to (\S+) exp", told
    )
    assert line, told
    assert int(line[1]) >= 28
    assert float(line[2]) < float(line[3]) - 0.1
    assert "1 frame to paint, 1 painted, in 1 shot" in told

    painted[added] = paint(keys, dissolve, added)
    assert advise(film, keys, model="flagship") == 0
    assert capsys.readouterr().out.startswith("no further key would help")
    assert images(keys) == painted


def test_an_image_of_another_frame_is_no_key(tmp_path: Path, film: Path, scene, capsys) -> None:
    """Whether it is painted or has strokes: it would count for a shot that has no key."""
    keys = films.write_keys(tmp_path / "keys", scene, [30])
    wrong, image = keys / "000012.png", cv2.imread(str(keys / "000030.png"))
    (keys / "000030.png").unlink()
    gray = cv2.merge([cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)] * 3)
    gray[18:26, 8:56] = image[18:26, 8:56]
    for painted in (image, gray):
        cv2.imwrite(str(wrong), painted)
        assert advise(film, keys) == 2
        said = capsys.readouterr().err
        assert re.search(r"key: 000012.png is no picture of frame 12: .* frame (29|30|31)", said)
        assert said.endswith("; --any-key takes it all the same\n")
        assert list(keys.iterdir()) == [wrong]
    assert advise(film, keys, "--any-key") == 0
    assert "1 painted" in capsys.readouterr().out


def test_gray_images_that_were_worked_on_are_left(
    tmp_path: Path, film: Path, scene, capsys
) -> None:
    """A scratch was painted out, say; and what was written before and is unchanged is not left."""
    keys = tmp_path / "keys"
    assert advise(film, keys, "--quiet") == 0
    one, other, own = (keys / f"{frame:06d}.png" for frame in images(keys))
    fresh = own.read_bytes()
    image = cv2.imread(str(one), cv2.IMREAD_UNCHANGED)
    cv2.imwrite(str(one), cv2.medianBlur(image, 3))
    cv2.imwrite(str(other), cv2.imread(str(other), cv2.IMREAD_UNCHANGED))  # only saved anew
    own.write_bytes(sign(cv2.imencode(".png", image)[1].tobytes()))  # from another film
    before = images(keys)
    assert advise(film, keys) == 0
    told = capsys.readouterr().err
    for path in (one, other):
        assert f"note: {path} is gray, and not as advise would write it: it is left as" in told
    assert str(own) not in told
    assert images(keys) == {**before, int(own.stem): fresh}


def test_a_contact_sheet_of_another_origin_is_left(
    tmp_path: Path, film: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = tmp_path / "keys"
    assert advise(film, keys, "--quiet") == 0
    cv2.imwrite(str(keys / "contact-sheet-lab.jpg"), np.full((40, 60, 3), 99, np.uint8))
    assert advise(film, keys, "--quiet") == 0, "its own is replaced, and other names do not matter"
    for name in ("contact-sheet.jpg", "contact-sheet-2.jpg"):
        sheet = keys / name
        cv2.imwrite(str(sheet), np.full((40, 60, 3), 99, np.uint8))
        before = {path: path.read_bytes() for path in keys.iterdir()}
        assert advise(film, keys) == 2
        assert f"output: {sheet} exists already, and was not" in capsys.readouterr().err
        assert {path: path.read_bytes() for path in keys.iterdir()} == before
        sheet.unlink()


def test_when_the_painted_keys_do_it_says_so(tmp_path: Path, film: Path, scene, capsys) -> None:
    keys = tmp_path / "keys"
    keys.mkdir()
    painted = {frame: paint(keys, scene, frame) for frame in (12, 30, 50)}
    assert advise(film, keys) == 0
    told = capsys.readouterr().out
    assert told.startswith("no further key would help")
    assert "0 frames to paint, 3 painted, in 3 shots" in told
    assert images(keys) == painted


def test_gray_frames_that_wait_stay_and_are_counted(
    tmp_path: Path, film: Path, scene, capsys
) -> None:
    keys = tmp_path / "keys"
    assert advise(film, keys, "--quiet") == 0
    first, *waiting = images(keys)
    painted = paint(keys, scene, first)
    before = images(keys)
    assert advise(film, keys) == 0
    told = capsys.readouterr().out
    assert images(keys) == before
    assert before[first] == painted
    assert told.splitlines()[0].split()[0].endswith(tuple(f"{n:06d}.png" for n in waiting))
    assert "2 frames to paint, 1 painted" in told


def test_at_most_so_many_the_most_helpful(tmp_path: Path, film: Path) -> None:
    assert advise(film, tmp_path / "all") == 0
    assert advise(film, tmp_path / "one", "--most", "1") == 0
    assert advise(film, tmp_path / "many", "--most", "9" * 20) == 0
    [only] = images(tmp_path / "one")
    assert only < 24  # the longest shot's
    assert only in images(tmp_path / "all")


def test_a_higher_goal_takes_more_keys(tmp_path: Path, dissolve) -> None:
    film = films.write_film(tmp_path / "film.mkv", dissolve)
    for goal in ("0.3", "0.9"):
        assert advise(film, tmp_path / goal, "--goal", goal, model="flagship") == 0
    assert len(images(tmp_path / "0.3")) == 1 < len(images(tmp_path / "0.9"))


def test_deep_films_give_deep_images(tmp_path: Path, scene) -> None:
    film = films.write_film(tmp_path / "deep.mkv", scene, pixel_format="gray10le")
    assert advise(film, tmp_path / "keys") == 0
    path = next((tmp_path / "keys").glob("[0-9]*.png"))
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert image.dtype == np.uint16
    assert len(np.unique(image)) > 256


BROKEN = {
    "missing film": (["absent.mkv"], "clip: there is no file absent.mkv"),
    "no video": (["text.mkv"], "clip: .* cannot be read as a video"),
    "interlaced or not": (["film.mkv", "--goal", "0"], "goal is 0.0, accepted are"),
    "goal of a percentage": (["film.mkv", "--goal", "65"], "goal is 65.0, accepted are"),
    "none at most": (["film.mkv", "--most", "0"], "most is 0, accepted are whole numbers from 1"),
    "tiny size": (["film.mkv", "--size", "8"], "size is 8, accepted are"),
    "a file for a folder": (["film.mkv", "-o", "text.mkv"], "output: text.mkv is a file"),
    "no such place": (["film.mkv", "-o", "a/b"], "output: there is no folder a to make b in"),
    "key beyond the end": (["film.mkv", "-o", "beyond"], "key of frame 999, .* frames 0 to 7"),
    "key of another shape": (["film.mkv", "-o", "square"], "aspect"),
    "two for a frame": (["film.mkv", "-o", "twice"], "are both for frame 3"),
    "no image": (["film.mkv", "-o", "broken"], "cannot be read as an image"),
    "missing model": (["film.mkv", "--model", "absent"], "model is 'absent'"),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_clip(tmp_path / "film.mkv")
    (tmp_path / "text.mkv").write_text("not a video")
    for name in ("beyond", "square", "twice", "broken"):
        (tmp_path / name).mkdir()
    write_key(tmp_path / "beyond" / "999.png")
    write_key(tmp_path / "square" / "3.png", width=64, height=64)
    write_key(tmp_path / "twice" / "3.png")
    write_key(tmp_path / "twice" / "000003.jpg")
    (tmp_path / "broken" / "3.png").write_text("not an image")
    return tmp_path


@pytest.mark.parametrize("case", BROKEN)
def test_bad_input_is_told_in_one_sentence(case: str, folder: Path, capfd) -> None:
    given, message = BROKEN[case]
    more = [] if "-o" in given else ["-o", "keys"]
    more += [] if "--model" in given else ["--model", str(TOY)]
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    assert main(["advise", *given, *more, "--provider", "cpu"]) == 2
    told = capfd.readouterr()
    assert told.out == ""
    assert re.fullmatch(f"vidcolor: .*{message}.*\n", told.err), told.err
    assert {p: p.stat().st_mtime_ns for p in folder.rglob("*") if p.is_file()} == before
    assert not Path("keys").exists()


@pytest.mark.parametrize("library", ["scenedetect", "PIL.Image"])
def test_without_the_extra_it_says_what_to_install(
    library: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    assert advise(Path("film.mkv"), Path("keys")) == 2
    assert 'pip install "vidcolor[film]"' in capsys.readouterr().err
    assert not Path("keys").exists()
