"""Work that is stopped in the middle of a long segment: what is lost is less than a part.

Parts are made short, so that a small film has many. The output always has the bytes of a run that
nobody stopped.
"""

from __future__ import annotations

import shutil
import signal
import sys
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import numpy as np
import pytest

from tests.runtime.commands.test_color_again import DAMAGE
from tests.runtime.film.conftest import PART, short_parts
from tests.support.films import scenes, write_film, write_keys
from tests.support.forked import Programs, run_killed
from tests.support.waiting import DEADLINE
from vidcolor import interruption
from vidcolor.cli import main
from vidcolor.errors import MediaError
from vidcolor.film import segments
from vidcolor.propagate import Propagator

TOY = Path(__file__).parents[2] / "toy" / "bundle"
pytestmark = pytest.mark.usefixtures("place")
LENGTH = 30
APART = 7
"""Steps from one place to stop at to the next. It has no divisor in common with `PART`, so that
runs are stopped at every frame of a part; and they are stopped in every segment."""
FOLDERS = 12
"""Damaged folders of each kind of stop, with one to five damaged files each."""


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("material")
    scene = scenes([LENGTH])
    write_film(folder / "film.mkv", scene)
    for keys in (*KEYS.values(), TWO):
        write_keys(folder / "-".join(map(str, keys)), scene, keys)
    return folder


@pytest.fixture(scope="module")
def fresh(material: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], bytes]:
    """What a run that nobody stops writes with some keys, coloured once for all tests."""
    folder = tmp_path_factory.mktemp("fresh")
    shutil.copytree(material, folder, dirs_exist_ok=True)

    @cache
    def color(keys: str) -> bytes:
        with short_parts(folder):
            assert main(words(keys, "fresh.mkv", "--keep", "0", "--overwrite")) == 0
        return (folder / "fresh.mkv").read_bytes()

    return color


KEYS = {"forward": (0,), "backward": (29,), "both ways": (0, 29), "all": (7, 25)}
TWO = (0, 15, 29)
"""Keys of two segments, each of which both ways: 2 * 14 + 2 * 13 steps."""
STEPS_OF_TWO = 54
RANGES = {"whole": (), "part": ("--range", "14-21")}
STEPS = {
    ("forward", "whole"): 29,
    ("backward", "whole"): 29,
    ("both ways", "whole"): 2 * 28,
    ("all", "whole"): 7 + 2 * 17 + 4,
    ("forward", "part"): 21,
    ("backward", "part"): 29 - 14,
    ("both ways", "part"): 21 + 29 - 14,
    ("all", "part"): 14 + 11,
}
CASES = [(keys, part, steps) for (keys, part), steps in STEPS.items()]


def words(keys: str, output: str, *more: str) -> list[str]:
    options = ["--model", str(TOY), "--provider", "cpu", "--codec", "ffv1", "--quiet"]
    folder = "-".join(map(str, KEYS.get(keys, TWO)))
    options += ["--keys", folder, "--scenes", "none", "--size", "32"]
    return ["color", "film.mkv", "-o", output, *options, *more]


def stop(after: int, command: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C at a step of the model."""
    step, left = Propagator.step, [after + 1]

    def stopping(self, luma, state):
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt
        return step(self, luma, state)

    with monkeypatch.context() as patch:
        patch.setattr(Propagator, "step", stopping)
        assert main(command) == 130


@pytest.mark.parametrize(("keys", "part", "total"), CASES)
def test_less_than_a_part_is_done_again(
    keys: str, part: str, total: int, steps: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(words(keys, "fresh.mkv", *RANGES[part])) == 0
    assert len(steps) == total
    kept = sorted(path.name for path in Path("fresh.mkv.vidcolor").iterdir())
    for after in range(1, total, APART):
        stop(after, words(keys, "out.mkv", *RANGES[part]), monkeypatch)
        steps.clear()
        assert main(words(keys, "out.mkv", *RANGES[part])) == 0
        assert total - after <= len(steps) <= total - after + PART, after
        assert Path("out.mkv").read_bytes() == Path("fresh.mkv").read_bytes()
        # What led to the finished parts is gone.
        assert sorted(path.name for path in Path("out.mkv.vidcolor").iterdir()) == kept
        assert main(["clean", "out.mkv", "--quiet"]) == 0
        Path("out.mkv").unlink()


def test_a_key_with_a_range_is_no_obstacle(
    steps: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pass of the first key leads through the range; within it there are passes of its own."""
    ranged = ["--key-range", "25:19-29"]
    assert main(words("all", "fresh.mkv", *ranged)) == 0
    total = len(steps)
    for after in range(1, total, APART):
        stop(after, words("all", "out.mkv", *ranged), monkeypatch)
        steps.clear()
        assert main(words("all", "out.mkv", *ranged)) == 0
        assert total - after <= len(steps) <= total - after + 2 * PART, after
        assert Path("out.mkv").read_bytes() == Path("fresh.mkv").read_bytes()
        assert main(["clean", "out.mkv", "--quiet"]) == 0
        Path("out.mkv").unlink()


@pytest.mark.parametrize("keys", KEYS)
def test_stopped_again_and_again(
    keys: str,
    steps: list[int],
    monkeypatch: pytest.MonkeyPatch,
    fresh: Callable[[str], bytes],
) -> None:
    total, stops = STEPS[keys, "whole"], 3
    for _ in range(stops):
        stop(2 * PART, words(keys, "out.mkv"), monkeypatch)
    steps.clear()
    assert main(words(keys, "out.mkv")) == 0
    assert len(steps) <= total - stops * PART
    assert Path("out.mkv").read_bytes() == fresh(keys)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.parametrize(("keys", "after"), [("forward", 22), ("both ways", 20), ("both ways", 50)])
def test_killed(
    keys: str, after: int, steps: list[int], fresh: Callable[[str], bytes], vidcolor: Programs
) -> None:
    killed = vidcolor.start(
        words(keys, "out.mkv"), run=partial(run_killed, step=after + 1, part=PART)
    )
    assert killed.wait(DEADLINE) == -signal.SIGKILL
    total = STEPS[keys, "whole"]
    assert main(words(keys, "out.mkv")) == 0
    # A few frames are on their way through the chain.
    assert total - after <= len(steps) <= total - after + 2 * PART
    assert Path("out.mkv").read_bytes() == fresh(keys)


@pytest.mark.parametrize("keys", KEYS)
def test_it_goes_on_whatever_the_number_of_jobs(
    keys: str,
    steps: list[int],
    monkeypatch: pytest.MonkeyPatch,
    fresh: Callable[[str], bytes],
) -> None:
    total = STEPS[keys, "whole"]
    stop(17, words(keys, "out.mkv"), monkeypatch)
    steps.clear()
    assert main(words(keys, "out.mkv", "--jobs", "2")) == 0
    assert len(steps) <= total - 17 + PART
    assert Path("out.mkv").read_bytes() == fresh(keys)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.parametrize("after", [18, 30, 44])
def test_killed_with_two_at_a_time(
    after: int, steps: list[int], fresh: Callable[[str], bytes], vidcolor: Programs
) -> None:
    """Each of two workers loses a part at most."""
    with_two = words("two", "out.mkv", "--jobs", "2")
    killed = vidcolor.start(with_two, run=partial(run_killed, step=after + 1, part=PART))
    assert killed.wait(DEADLINE) == -signal.SIGKILL
    assert main(with_two) == 0
    assert STEPS_OF_TWO - after <= len(steps) <= STEPS_OF_TWO - after + 2 * PART
    left = {path.name.partition(".")[0] for path in Path("out.mkv.vidcolor").iterdir()}
    assert not left & {"state", "behind", "found"}
    assert Path("out.mkv").read_bytes() == fresh("two")


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_what_workers_found_is_used_again(
    jobs: str,
    steps: list[int],
    monkeypatch: pytest.MonkeyPatch,
    fresh: Callable[[str], bytes],
) -> None:
    """Also what they had found of the second segment, of which no chroma was stored."""
    stopped, step = words("two", "out.mkv", "--jobs", "2"), Propagator.step

    def failing(self, luma, state):
        if len(steps) == 48:
            raise MediaError("the disk is full")
        return step(self, luma, state)

    with monkeypatch.context() as patch:
        patch.setattr(Propagator, "step", failing)
        assert main(stopped) == 2
    kinds = [path.name.partition(".")[0] for path in Path("out.mkv.vidcolor").iterdir()]
    assert "found" in kinds
    made = len(steps)
    assert main(words("two", "out.mkv", "--jobs", jobs)) == 0
    assert STEPS_OF_TWO <= len(steps) <= STEPS_OF_TWO + 2 * PART, made
    assert Path("out.mkv").read_bytes() == fresh("two")


def test_a_signal_ends_the_backward_pass_at_once(
    steps: list[int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No frame comes out while it lasts, so nobody is told how far it is."""
    step = Propagator.step

    def signalled(self, luma, state):
        if len(steps) == 2 * PART:
            interruption._noted.append(signal.SIGINT)
        return step(self, luma, state)

    monkeypatch.setattr(interruption, "GRACE", 600.0)
    monkeypatch.setattr(Propagator, "step", signalled)
    command = [word for word in words("both ways", "out.mkv") if word != "--quiet"]
    assert main(command) == 130
    assert len(steps) < 4 * PART
    assert "vidcolor: note: 1 of 30 frames are finished; what is" in capsys.readouterr().err


def test_of_a_stored_part_nothing_is_left_that_led_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Though its segment is under way: what the backward pass found takes more room than a part."""
    stop(50, words("both ways", "out.mkv"), monkeypatch)
    names = [path.name for path in Path("out.mkv.vidcolor").iterdir()]
    stored = {name.split(".")[0] for name in names if name.endswith(".nut")}
    behind = {name.split(".")[1] for name in names if name.startswith("behind.")}
    assert {"0000001-0000004", "0000017-0000020"} <= stored
    assert behind == {"0000021-0000024", "0000025-0000028"}


def test_how_parts_are_divided_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(words("all", "short.mkv")) == 0
    monkeypatch.setattr(segments, "PART", 100)
    assert main(words("all", "long.mkv")) == 0
    assert Path("short.mkv").read_bytes() == Path("long.mkv").read_bytes()


def test_a_lost_part_is_coloured_again_with_what_leads_to_it(steps: list[int]) -> None:
    """No state is kept of a finished segment, so its pass begins anew, but ends at the part."""
    assert main(words("forward", "out.mkv")) == 0
    first = Path("out.mkv").read_bytes()
    [lost] = Path("out.mkv.vidcolor").glob("0000009-0000012.*.nut")
    lost.unlink()
    steps.clear()
    assert main(words("forward", "out.mkv")) == 0
    assert len(steps) == 12
    assert Path("out.mkv").read_bytes() == first


@pytest.mark.parametrize(("keys", "after"), [("forward", 22), ("both ways", 20), ("both ways", 50)])
def test_damaged_folders_of_stopped_work(
    keys: str, after: int, monkeypatch: pytest.MonkeyPatch, fresh: Callable[[str], bytes]
) -> None:
    damaged_folders(FOLDERS, keys, after, monkeypatch, fresh(keys))


def test_damaged_folders_of_workers(
    monkeypatch: pytest.MonkeyPatch, fresh: Callable[[str], bytes]
) -> None:
    damaged_folders(FOLDERS, "two", 46, monkeypatch, fresh("two"), "--jobs", "2")


@pytest.mark.long
@pytest.mark.parametrize(("keys", "after"), [("forward", 22), ("both ways", 20), ("both ways", 50)])
def test_300_damaged_folders_of_stopped_work(
    keys: str, after: int, monkeypatch: pytest.MonkeyPatch, fresh: Callable[[str], bytes]
) -> None:
    damaged_folders(100, keys, after, monkeypatch, fresh(keys))


def damaged_folders(
    count: int,
    keys: str,
    after: int,
    monkeypatch: pytest.MonkeyPatch,
    whole: bytes,
    *more: str,
) -> None:
    """Flipped bits, files cut short, exchanged, lost: states and all else that is kept."""
    stop(after, words(keys, "out.mkv", *more), monkeypatch)
    Path("out.mkv.vidcolor").rename("kept")
    kinds = {path.name.partition(".")[0] for path in Path("kept").glob("*.*.*")}
    assert "state" in kinds
    assert ("behind" in kinds) == (keys in ("both ways", "two"))
    assert ("found" in kinds) == (keys == "two")
    chance = np.random.default_rng(19)
    for number in range(count):
        shutil.rmtree("out.mkv.vidcolor", ignore_errors=True)
        shutil.copytree("kept", "out.mkv.vidcolor")
        Path("out.mkv").unlink(missing_ok=True)
        done = []
        for _ in range(chance.integers(1, 6)):
            files = sorted(
                path for path in Path("out.mkv.vidcolor").glob("*.*.*") if path.is_file()
            )
            path, damage = files[chance.integers(len(files))], DAMAGE[chance.integers(len(DAMAGE))]
            done.append((damage.__name__, path.name))
            damage(path, chance)
        assert main(words(keys, "out.mkv", *more)) == 0, (number, done)
        assert Path("out.mkv").read_bytes() == whole, (number, done)
