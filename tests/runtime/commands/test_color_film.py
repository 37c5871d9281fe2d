"""``vidcolor color`` on films of several shots: keys anywhere, parts, previews, going on."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.support.films import LENGTHS, scenes, write_film, write_keys, write_scenes
from tests.support.videos import frames, plane
from vidcolor.cli import main
from vidcolor.propagate import Propagator

TOY = Path(__file__).parents[2] / "toy" / "bundle"
LENGTH = sum(LENGTHS)
CUTS = (0, LENGTHS[0], LENGTHS[0] + LENGTHS[1])
KEYS = (2, 7, 23)


@pytest.fixture(scope="module")
def scene():
    return scenes()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scene: object) -> Path:
    """A folder to stand in, with a film and its keys."""
    monkeypatch.chdir(tmp_path)
    write_film(Path("film.mkv"), scene)
    write_keys(Path("keys"), scene, KEYS)
    return tmp_path


def command(output: str, *more: str, film: str = "film.mkv", keys: str = "keys") -> list[str]:
    model = ["--model", str(TOY), "--provider", "cpu", "--codec", "ffv1", "--quiet"]
    return ["color", film, "--keys", keys, "-o", output, *model, *more]


def pictures(path: str) -> list[tuple[bytes, ...]]:
    """The planes of every frame."""
    return [
        tuple(plane(frame, index).tobytes() for index in range(3)) for frame in frames(Path(path))
    ]


def report(path: str) -> dict:
    return json.loads(Path(f"{path}.vidcolor.json").read_text())


def test_cuts_are_found_and_told(folder: Path, scene: object) -> None:
    assert main(command("found.mkv")) == 0
    assert main(command("told.mkv", "--scenes", str(write_scenes(Path("c.txt"), CUTS)))) == 0
    assert main(command("none.mkv", "--scenes", "none")) == 0
    assert pictures("found.mkv") == pictures("told.mkv")
    assert pictures("none.mkv") != pictures("told.mkv")
    assert report("found.mkv")["shots"] == list(CUTS)


def test_the_report_tells_what_was_done(folder: Path) -> None:
    assert main(command("out.mkv", "--range", "1-20")) == 0
    told = report("out.mkv")
    assert told["film"] == "film.mkv"
    assert told["keys"] == {"2": "000002.png", "7": "000007.png", "23": "000023.png"}
    assert told["first"] == 1
    assert len(told["confidence"]) == 20
    assert [n for n, trust in enumerate(told["confidence"], 1) if trust == 1] == [2, 7]


def test_a_part_has_the_colours_of_the_whole(folder: Path) -> None:
    assert main(command("whole.mkv")) == 0
    whole = pictures("whole.mkv")
    for asked, part in (
        (("--range", "4-11"), slice(4, 12)),
        (("--range", "23-23"), slice(23, 24)),
        (("--only-shot", "2"), slice(CUTS[1], CUTS[2])),
    ):
        assert main(command("part.mkv", *asked, "--overwrite")) == 0
        assert pictures("part.mkv") == whole[part]
        assert frames(Path("part.mkv"))[0].pts == 0


def test_a_part_takes_no_step_that_it_does_not_need(folder: Path, steps: list[int]) -> None:
    assert main(command("part.mkv", "--range", "25-26")) == 0
    assert len(steps) == 3  # from the key of 23


def test_a_preview_is_small_and_of_the_same_length(tmp_path: Path, toy_bundle: Path) -> None:
    from tests.support.videos import write_clip, write_key

    clip = write_clip(tmp_path / "clip.mkv", pixel_format="yuv422p10le", width=400, height=300)
    key = write_key(tmp_path / "key.png", width=400, height=300)
    options = ["--key", str(key), "--any-key", "--model", str(toy_bundle), "--provider", "cpu"]
    assert main(["color", str(clip), *options, "--preview", "-o", str(tmp_path / "out.mp4")]) == 0
    small = frames(tmp_path / "out.mp4")
    assert [round(1000 * frame.time) for frame in small] == list(range(0, 320, 40))
    assert (small[0].width, small[0].height, small[0].format.name) == (342, 256, "yuv420p")
    full = frames(clip)[3]
    as_shown = cv2.resize(plane(full, 0) / 4, (342, 256), interpolation=cv2.INTER_AREA)
    assert np.abs(plane(small[3], 0) - as_shown).mean() < 4


def test_a_gray_image_is_not_painted_yet(
    folder: Path, capsys: pytest.CaptureFixture[str], scene: object
) -> None:
    assert main(command("without.mkv")) == 0
    gray = cv2.cvtColor(cv2.imread("keys/000007.png"), cv2.COLOR_BGR2GRAY)
    cv2.imwrite("keys/000012.png", gray)
    talkative = [word for word in command("with.mkv") if word != "--quiet"]
    assert main(talkative) == 0
    assert "note: keys/000012.png is gray and is left out" in capsys.readouterr().err
    assert pictures("with.mkv") == pictures("without.mkv")


def test_only_the_output_and_its_report_are_left(folder: Path) -> None:
    before = sorted(folder.iterdir())
    assert main(command("out.mkv", "--keep", "0")) == 0
    made = [folder / "out.mkv", folder / "out.mkv.vidcolor.json"]
    assert sorted(folder.iterdir()) == sorted([*before, *made])


def stop_after(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """Ctrl-C in step `count` from now on, and in no later one."""
    step, left = Propagator.step, [count]

    def stopping(self, luma, state):
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt
        return step(self, luma, state)

    monkeypatch.setattr(Propagator, "step", stopping)


def test_a_stopped_job_goes_on_at_the_last_finished_segment(
    folder: Path, monkeypatch: pytest.MonkeyPatch, steps: list[int], capsys: pytest.CaptureFixture
) -> None:
    assert main(command("whole.mkv")) == 0
    needed = len(steps)
    with monkeypatch.context() as patch:
        stop_after(patch, 16)
        assert main([word for word in command("out.mkv") if word != "--quiet"]) == 130
    note, last = capsys.readouterr().err.splitlines()[-2:]
    found = re.fullmatch(
        r"vidcolor: note: (\d+) of 30 frames are finished; what is done is kept in "
        "out.mkv.vidcolor, and the same command goes on from there",
        note,
    )
    assert found
    parts = [path.name.partition(".")[0] for path in Path("out.mkv.vidcolor").glob("0*.nut")]
    edges = [(int(first), int(end)) for first, end in (part.split("-") for part in parts)]
    assert int(found[1]) == sum(end + 1 - first for first, end in edges) > 0
    assert last == "vidcolor: interrupted, no output was written"
    assert not Path("out.mkv").exists()
    steps.clear()
    assert main(command("out.mkv", "--keep", "0")) == 0
    assert 0 < len(steps) <= needed - 10
    assert Path("out.mkv").read_bytes() == Path("whole.mkv").read_bytes()
    assert not Path("out.mkv.vidcolor").exists()


def test_nothing_of_another_job_is_taken(
    folder: Path, monkeypatch: pytest.MonkeyPatch, scene: object
) -> None:
    """After a stop the key of the first shot is painted anew, and frames are seen larger."""
    other = cv2.imread("keys/000002.png")[..., ::-1]
    more = ("--size", "40")
    with monkeypatch.context() as patch:
        stop_after(patch, 16)
        assert main(command("out.mkv")) == 130
    left = set(Path("out.mkv.vidcolor").glob("*.nut"))
    assert left
    cv2.imwrite("keys/000002.png", other)
    assert main(command("fresh.mkv", "--any-key", *more)) == 0
    assert main(command("out.mkv", "--any-key", *more)) == 0
    assert Path("out.mkv").read_bytes() == Path("fresh.mkv").read_bytes()


def test_a_new_key_leaves_the_other_shots_as_they_are(
    folder: Path, monkeypatch: pytest.MonkeyPatch, steps: list[int], scene: object
) -> None:
    with monkeypatch.context() as patch:
        stop_after(patch, 27)  # in the last shot
        assert main(command("out.mkv")) == 130
    write_keys(Path("keys"), scene, [21])
    steps.clear()
    assert main(command("out.mkv")) == 0
    # 20; 22 from both sides; 24 to 29; and all of the shot without a key, which remembers others.
    assert len(steps) == 1 + 2 + 6 + LENGTHS[1]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
def test_killed_three_times_and_begun_again(tmp_path: Path, monkeypatch, steps: list[int]) -> None:
    """By `kill -9` at random points: in a segment, between two, while a file is written."""
    monkeypatch.chdir(tmp_path)
    film = scenes([9] * 16)
    write_film(Path("film.mkv"), film)
    write_keys(Path("keys"), film, range(4, 144, 9))
    cuts = ("--scenes", str(write_scenes(Path("cuts.txt"), range(0, 144, 9))))
    assert main(command("whole.mkv", *cuts)) == 0
    needed, seed = len(steps), time.time_ns()
    chance = np.random.default_rng(seed)
    work, finished = Path("out.mkv.vidcolor"), 0
    for _ in range(3):
        process = subprocess.Popen([sys.executable, "-m", "vidcolor", *command("out.mkv", *cuts)])
        target = finished + chance.integers(1, 9)
        while len(list(work.glob("*.nut"))) < target and process.poll() is None:
            time.sleep(0.001)
        time.sleep(chance.random() / 50)
        process.kill()
        assert process.wait() == -signal.SIGKILL, f"it was done before it was killed (seed {seed})"
        assert not Path("out.mkv").exists()
        finished = len(list(work.glob("*.nut")))
        assert finished >= target
    steps.clear()
    assert main(command("out.mkv", *cuts, "--keep", "0")) == 0
    assert len(steps) < needed - finished
    assert Path("out.mkv").read_bytes() == Path("whole.mkv").read_bytes(), f"seed {seed}"
    assert not work.exists()
