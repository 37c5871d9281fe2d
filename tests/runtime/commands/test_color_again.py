"""The second round: a film that is finished is coloured again after a change, and only that.

Every time the output has the bytes of a run from nothing.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.support.films import scenes, write_film, write_keys, write_scenes
from vidcolor.cli import main
from vidcolor.media.reader import Reader
from vidcolor.propagate import Propagator

TOY = Path(__file__).parents[2] / "toy" / "bundle"
SHOTS = (9, 10, 11, 12)
CUTS = (0, 9, 19, 30)
KEYS = (3, 14, 19, 41)
"""One in each of four shots: in the middle, at the beginning, at the end."""


@pytest.fixture(scope="module")
def scene():
    return scenes(SHOTS)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory, scene: object) -> Path:
    """A folder with a film of four shots and a key in each."""
    folder = tmp_path_factory.mktemp("film")
    write_film(folder / "film.mkv", scene)
    write_keys(folder / "keys", scene, KEYS)
    write_scenes(folder / "cuts.txt", CUTS)
    return folder


@pytest.fixture(scope="module")
def finished(film: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, with the film coloured as out.mkv."""
    folder = tmp_path_factory.mktemp("finished")
    shutil.copytree(film, folder, dirs_exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert color("out.mkv") == 0
    return folder


@pytest.fixture
def folder(film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of `film` to stand in."""
    shutil.copytree(film, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def colored(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of `finished` to stand in."""
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def color(output: str, *more: str) -> int:
    options = ["--keys", "keys", "--scenes", "cuts.txt", "--model", str(TOY), "--provider", "cpu"]
    return main(["color", "film.mkv", "-o", output, *options, "--codec", "ffv1", "--quiet", *more])


def add_a_key(scene: object) -> None:
    write_keys(Path("keys"), scene, [24])


def change_a_key(scene: object) -> None:
    cv2.imwrite("keys/000014.png", cv2.imread("keys/000014.png") // 2 + 60)


def remove_a_key(scene: object) -> None:
    Path("keys/000041.png").unlink()


def move_a_cut(scene: object) -> None:
    write_scenes(Path("cuts.txt"), (0, 10, 19, 30))


CHANGES: dict[str, tuple[Callable[[object], None], int]] = {
    "nothing": (lambda scene: None, 0),
    # 20 to 23 from both sides, 25 to 29 from the new one.
    "one key more": (add_a_key, 2 * 4 + 5),
    # 9 to 13 backward, 15 to 18 forward.
    "another key": (change_a_key, 5 + 4),
    # All of the shot is guessed, from the key of the shot before.
    "a key less": (remove_a_key, 12),
    # 4 to 9 from the key before: the segment is longer. Of 10 to 13 nothing changes.
    "a cut moved": (move_a_cut, 6),
}


@pytest.mark.parametrize("change", CHANGES)
def test_only_what_changes_is_coloured(
    change: str, colored: Path, scene: object, steps: list[int]
) -> None:
    apply, expected = CHANGES[change]
    apply(scene)
    steps.clear()
    assert color("out.mkv", "--any-key") == 0
    assert len(steps) == expected
    assert color("fresh.mkv", "--any-key") == 0
    assert Path("out.mkv").read_bytes() == Path("fresh.mkv").read_bytes()
    told, fresh = (json.loads(Path(f"{n}.mkv.vidcolor.json").read_text()) for n in ("out", "fresh"))
    assert told["confidence"] == fresh["confidence"]
    assert told["keys"] == fresh["keys"]


@pytest.mark.parametrize(
    ("unkeyed", "expected"),
    # Of a shot of 12: none; those around the frame that the colorizer paints; all of them.
    [("gray", 0), ("auto", 11), ("guess", 12)],
)
def test_an_option_of_one_shot_is_changed(
    unkeyed: str, expected: int, folder: Path, scene: object, steps: list[int]
) -> None:
    """Of the shot without a key: what becomes of it is asked for anew."""
    remove_a_key(scene)
    assert color("out.mkv", "--unkeyed", "gray" if unkeyed == "guess" else "guess") == 0
    steps.clear()
    assert color("out.mkv", "--unkeyed", unkeyed) == 0
    assert len(steps) == expected
    assert color("fresh.mkv", "--unkeyed", unkeyed) == 0
    assert Path("out.mkv").read_bytes() == Path("fresh.mkv").read_bytes()


def test_back_again_costs_nothing(colored: Path, scene: object, steps: list[int]) -> None:
    """What was made of the key that was taken away is still there."""
    first = Path("out.mkv").read_bytes()
    add_a_key(scene)
    assert color("out.mkv") == 0
    Path("keys/000024.png").unlink()
    steps.clear()
    assert color("out.mkv") == 0
    assert not steps
    assert Path("out.mkv").read_bytes() == first


def test_the_version_before_is_put_aside_by_its_name(
    colored: Path, scene: object, steps: list[int]
) -> None:
    """What is kept stays with the name of the output."""
    before = Path("out.mkv").read_bytes()
    Path("out.mkv").rename("old.mkv")
    Path("out.mkv.vidcolor.json").rename("old.mkv.vidcolor.json")
    add_a_key(scene)
    steps.clear()
    assert color("out.mkv") == 0
    assert len(steps) == CHANGES["one key more"][1]
    assert Path("old.mkv").read_bytes() == before
    assert main(["review", "out.mkv", "--against", "old.mkv", "-o", "compare.html"]) == 0


def test_where_nothing_that_is_kept_fits_it_is_said(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As of a film that was copied to another disk without its time."""
    told = "nothing that is kept in out.mkv.vidcolor fits: the film's file, the keys, --size"
    words = ["color", "film.mkv", "-o", "out.mkv", "--keys", "keys", "--scenes", "cuts.txt"]
    words += ["--model", str(TOY), "--provider", "cpu", "--codec", "ffv1"]
    for _ in range(2):
        assert main(words) == 0
        assert told not in capsys.readouterr().err
    os.utime("film.mkv", (1, 1))
    assert main([*words, "--overwrite"]) == 0
    assert told in capsys.readouterr().err


def test_another_output_takes_a_copy_of_what_is_kept(colored: Path, steps: list[int]) -> None:
    shutil.copytree("out.mkv.vidcolor", "web.mp4.vidcolor")
    steps.clear()
    assert color("web.mp4", "--codec", "h264-420") == 0
    assert not steps


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("round_", [1, 2])
def test_after_a_stop_in_either_round(
    round_: int,
    jobs: str,
    folder: Path,
    scene: object,
    steps: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if round_ == 2:
        assert color("out.mkv") == 0
        add_a_key(scene)
    with monkeypatch.context() as patch:
        step, left = Propagator.step, [10]

        def stopping(self, luma, state):
            left[0] -= 1
            if left[0] == 0:
                raise KeyboardInterrupt
            return step(self, luma, state)

        patch.setattr(Propagator, "step", stopping)
        assert color("out.mkv", "--jobs", jobs) == 130
    steps.clear()
    assert color("out.mkv", "--jobs", jobs) == 0
    again = len(steps)
    steps.clear()
    assert color("fresh.mkv") == 0
    assert 0 < again <= len(steps) - (jobs == "1")
    assert Path("out.mkv").read_bytes() == Path("fresh.mkv").read_bytes()


def test_the_film_is_scanned_no_further_than_the_new_key(
    folder: Path, scene: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vidcolor.media.info import Frame

    decoded, read = [], Reader.__iter__

    def counted(self):
        for item in read(self):
            decoded.append(isinstance(item, Frame))
            yield item

    monkeypatch.setattr(Reader, "__iter__", counted)
    assert color("out.mkv") == 0
    assert sum(decoded) == 2 * sum(SHOTS)
    add_a_key(scene)
    decoded.clear()
    assert color("out.mkv") == 0
    assert sum(decoded) == sum(SHOTS) + 25
    decoded.clear()
    assert color("out.mkv", "--scenes", "none") == 0
    assert sum(decoded) == sum(SHOTS)


def test_what_is_kept_is_bounded(colored: Path) -> None:
    def size() -> int:
        return sum(path.stat().st_size for path in Path("out.mkv.vidcolor").glob("*.*.*"))

    whole = size()
    assert color("out.mkv", "--keep", f"{whole // 2000}K") == 0
    assert whole / 4 < size() <= whole / 2
    assert color("out.mkv", "--keep", "0") == 0
    assert not Path("out.mkv.vidcolor").exists()


def test_cleaning(colored: Path, capsys: pytest.CaptureFixture[str], steps: list[int]) -> None:
    before = Path("out.mkv").read_bytes()
    (colored / "out.mkv.vidcolor" / "notes.txt").write_text("mine")
    assert main(["clean", "out.mkv"]) == 0
    assert "out.mkv: " in capsys.readouterr().out
    assert [path.name for path in Path("out.mkv.vidcolor").iterdir()] == ["notes.txt"]
    assert Path("out.mkv").read_bytes() == before
    steps.clear()
    assert color("out.mkv") == 0
    assert steps
    assert main(["clean", "absent.mkv"]) == 2
    assert "no folder absent.mkv.vidcolor" in capsys.readouterr().err
    # What is not of a job's is not touched, not even by a lock.
    others = sorted((path, path.lstat().st_mtime_ns) for path in colored.rglob("*"))
    for name in ("mine", "out"):
        Path(f"{name}.mkv.vidcolor").mkdir(exist_ok=True)
    Path("mine.mkv.vidcolor/diary.txt").write_text("precious")
    before = sorted((path, path.lstat().st_mtime_ns) for path in colored.rglob("*"))
    assert len(before) == len(others) + 2
    assert main(["clean", "out.mkv", "mine.mkv"]) == 2
    assert "mine.mkv.vidcolor holds nothing that vidcolor has kept" in capsys.readouterr().err
    assert sorted((path, path.lstat().st_mtime_ns) for path in colored.rglob("*")) == before
    assert main(["clean"]) == 2
    assert "outputs: none is given" in capsys.readouterr().err
    for nameless in ("", ".", "/"):
        assert main(["clean", nameless]) == 2
        assert "the name of a file is needed" in capsys.readouterr().err


def replaced(path: Path) -> None:
    shutil.copy("film.mkv", path)


def touched_up(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def linked(path: Path) -> None:
    path.unlink()
    Path("elsewhere.mkv").write_text("precious")
    path.symlink_to("elsewhere.mkv")


OTHERS = {
    "another file": replaced,
    "one that was edited": touched_up,
    "a link": linked,
    "without its report": lambda path: Path(f"{path}.vidcolor.json").unlink(),
    "a dangling link": lambda path: (path.unlink(), path.symlink_to("nowhere")),
}


@pytest.mark.parametrize("other", OTHERS)
def test_what_vidcolor_did_not_write_is_not_overwritten(
    other: str, colored: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    OTHERS[other](Path("out.mkv"))
    before = sorted((path, path.lstat().st_mtime_ns) for path in colored.glob("*"))
    with monkeypatch.context() as patch:
        patch.delattr(Propagator, "step")
        assert color("out.mkv") == 2
    assert "exists already" in capsys.readouterr().err
    assert sorted((path, path.lstat().st_mtime_ns) for path in colored.glob("*")) == before
    assert color("out.mkv", "--overwrite") == 0
    with av.open("out.mkv") as container:
        assert sum(1 for _ in container.decode(video=0)) == sum(SHOTS)
    if other == "a link":
        assert Path("elsewhere.mkv").read_text() == "precious"


def test_the_output_of_another_film_is_not_overwritten(
    colored: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy("film.mkv", "copy.mkv")
    os.utime("copy.mkv", ns=(0, 0))
    Path("copy.mkv").rename("film.mkv")
    assert color("out.mkv") == 2
    assert "exists already" in capsys.readouterr().err


WHOLE, PART, SHOT = (), ("--range", "5-24"), ("--only-shot", "2")
SMALL = ("--preview", "--size", "32")


@pytest.mark.parametrize(
    ("first", "second", "sentence"),
    [
        (WHOLE, PART, "with all frames of this clip, and frames 5 to 24 would replace them"),
        (WHOLE, SHOT, "with all frames of this clip, and shot 2 would replace them"),
        (WHOLE, SMALL, "with all frames of this clip, and a preview of all frames would replace"),
        (PART, SHOT, "with frames 5 to 24 of this clip, and shot 2 would replace them"),
        (SHOT, WHOLE, "with shot 2 of this clip, and all frames would replace them"),
        (SHOT, ("--only-shot", "3"), "with shot 2 of this clip, and shot 3 would replace them"),
        (PART, (*PART, *SMALL), "with frames 5 to 24 of this clip, and a preview of frames 5 to"),
        # The same frames, in other words, and what is made in a moment.
        (WHOLE, WHOLE, None),
        (PART, PART, None),
        (SHOT, ("--range", "9-18"), None),
        (SMALL, SMALL, None),
        (SMALL, WHOLE, None),
        ((*PART, *SMALL), SHOT, None),
    ],
)
def test_only_the_same_frames_replace_an_output(
    first: tuple[str, ...],
    second: tuple[str, ...],
    sentence: str | None,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert color("out.mkv", *first) == 0
    if sentence is None:
        assert color("out.mkv", *second) == 0
        return
    before = sorted((path, path.lstat().st_mtime_ns) for path in folder.rglob("*"))
    with monkeypatch.context() as patch:
        patch.delattr(Reader, "__iter__")
        assert color("out.mkv", *second) == 2
    error = capsys.readouterr().err
    assert f"output: out.mkv exists already, {sentence}" in error
    assert "give it another name, or --overwrite replaces it" in error
    assert sorted((path, path.lstat().st_mtime_ns) for path in folder.rglob("*")) == before
    assert color("out.mkv", *second, "--overwrite") == 0


def test_a_shot_whose_cut_is_moved_is_the_same_job(folder: Path, scene: object) -> None:
    assert color("out.mkv", *SHOT) == 0
    move_a_cut(scene)
    assert color("out.mkv", *SHOT, "--any-key") == 0
    with av.open("out.mkv") as container:
        assert sum(1 for _ in container.decode(video=0)) == 9


def test_what_is_written_meanwhile_is_not_overwritten(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    step = Propagator.step

    def writing(self, luma, state):
        Path("out.mkv").write_text("precious")
        return step(self, luma, state)

    monkeypatch.setattr(Propagator, "step", writing)
    assert color("out.mkv") == 2
    assert "exists already" in capsys.readouterr().err
    assert Path("out.mkv").read_text() == "precious"


def flip(path: Path, chance: np.random.Generator) -> None:
    data = bytearray(path.read_bytes())
    place = chance.integers(8 * len(data))
    data[place // 8] ^= 1 << place % 8
    path.write_bytes(data)


def flipped_bits(count: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Each time one bit of one cached file is flipped: the bytes stay, and a note tells."""
    whole = Path("out.mkv").read_bytes()
    chance = np.random.default_rng(2026)
    for _ in range(count):
        files = sorted(Path("out.mkv.vidcolor").glob("*.*.*"))
        flip(files[chance.integers(len(files))], chance)
        capsys.readouterr()
        options = ["--keys", "keys", "--scenes", "cuts.txt", "--model", str(TOY)]
        options += ["--provider", "cpu", "--codec", "ffv1"]
        assert main(["color", "film.mkv", "-o", "out.mkv", *options]) == 0
        assert capsys.readouterr().err.count("vidcolor: note: 1 damaged file ") == 1
        assert Path("out.mkv").read_bytes() == whole


def test_flipped_bits_change_nothing(colored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flipped_bits(24, capsys)


@pytest.mark.long
def test_300_flipped_bits_change_nothing(colored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flipped_bits(300, capsys)


def cut_short(path: Path, chance: np.random.Generator) -> None:
    path.write_bytes(path.read_bytes()[: chance.integers(path.stat().st_size)])


def made_a_folder(path: Path, chance: np.random.Generator) -> None:
    path.unlink()
    path.mkdir()


def exchanged(path: Path, chance: np.random.Generator) -> None:
    other = chance.choice(sorted(path.parent.glob(f"*{path.suffix}")))
    if other.is_file():
        path.write_bytes(other.read_bytes())


def without_a_name(path: Path, chance: np.random.Generator) -> None:
    path.rename(path.with_name(chance.choice(["x", "0.mkv", ".partial.x", "..mkv", "owner.json"])))


def noise(path: Path, chance: np.random.Generator) -> None:
    path.write_bytes(chance.bytes(chance.integers(1, 2000)))


def lost(path: Path, chance: np.random.Generator) -> None:
    path.unlink()


DAMAGE = (flip, cut_short, made_a_folder, exchanged, without_a_name, noise, lost)


def mutated_folders(count: int) -> None:
    whole = Path("out.mkv").read_bytes()
    shutil.copytree("out.mkv.vidcolor", "kept")
    chance = np.random.default_rng(17)
    for number in range(count):
        shutil.rmtree("out.mkv.vidcolor")
        shutil.copytree("kept", "out.mkv.vidcolor")
        done = []
        for _ in range(chance.integers(1, 4)):
            files = [path for path in sorted(Path("out.mkv.vidcolor").iterdir()) if path.is_file()]
            path = files[chance.integers(len(files))]
            damage = DAMAGE[chance.integers(len(DAMAGE))]
            done.append((damage.__name__, path.name))
            if path.name != "lock":
                damage(path, chance)
        assert color("out.mkv") == 0, (number, done)
        assert Path("out.mkv").read_bytes() == whole, (number, done)


def test_mutated_work_folders(colored: Path) -> None:
    mutated_folders(30)


@pytest.mark.long
def test_300_mutated_work_folders(colored: Path) -> None:
    mutated_folders(300)
