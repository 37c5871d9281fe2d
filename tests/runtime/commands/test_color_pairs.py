"""Two runs on one output: one of them works, the other says who does; the output is whole."""

from __future__ import annotations

import re
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.support.films import scenes, write_film, write_keys, write_scenes
from tests.support.forked import Program, Programs
from tests.support.waiting import DEADLINE
from vidcolor.cli import main

TOY = Path(__file__).parents[2] / "toy" / "bundle"
SHOTS, LENGTH = 12, 9
CUTS = range(0, SHOTS * LENGTH, LENGTH)
WHOLE = "whole.mkv"
BUSY = r"vidcolor: output: out\.mkv is being written by process (\d+) since \d{4}-.*; wait for it"
PART = ("--range", "9-90")
"""Another job on the same output."""
LONGEST = 0.6
"""Seconds after one run at which another begins, at most: sometimes the first is done."""


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a film, its keys, and what comes of it and of a part of it."""
    folder = tmp_path_factory.mktemp("pairs")
    film = scenes([LENGTH] * SHOTS)
    write_film(folder / "film.mkv", film)
    write_keys(folder / "keys", film, range(4, SHOTS * LENGTH, LENGTH))
    write_scenes(folder / "cuts.txt", CUTS)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main(words(WHOLE, "--keep", "0")) == 0
        assert main(words("part.mkv", *PART, "--keep", "0")) == 0
    return folder


@pytest.fixture
def folder(kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to stand in, with links to the same."""
    for name in ("film.mkv", "keys", "cuts.txt"):
        (tmp_path / name).symlink_to(kept / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def words(output: str, *more: str) -> list[str]:
    options = ["--keys", "keys", "--scenes", "cuts.txt", "--model", str(TOY), "--provider", "cpu"]
    return ["color", "film.mkv", "-o", output, *options, "--codec", "ffv1", "--quiet", *more]


def parts() -> int:
    return len(list(Path("out.mkv.vidcolor").glob("*.nut")))


def wait_for(what: Callable[[], object], process: Program) -> None:
    deadline = time.monotonic() + DEADLINE
    while not what() and process.status is None and time.monotonic() < deadline:
        time.sleep(0.002)


def check_pair(first: Program, second: Program, kept: Path) -> None:
    """Each ends well or says that the other is at work; what is written is whole."""
    pids, ends = [first.pid, second.pid], []
    for process, other in ((first, pids[1]), (second, pids[0])):
        ends.append(process.wait(DEADLINE))
        told = process.told
        if ends[-1]:
            assert ends[-1] == 2, told
            named = re.search(BUSY, told)
            assert named is not None or "by another process" in told, told
            assert named is None or int(named[1]) == other
            assert told.count("\n") == 1
    assert 0 in ends
    whole = {(kept / name).read_bytes() for name in (WHOLE, "part.mkv")}
    assert Path("out.mkv").read_bytes() in whole
    left = {path.name for path in Path("out.mkv.vidcolor").iterdir()}
    assert not [name for name in left if name.startswith(".")]
    assert "owner.json" not in left


def check_work(kept: Path) -> None:
    """Whatever is kept of both is sound."""
    assert main(words("out.mkv", "--overwrite")) == 0
    assert Path("out.mkv").read_bytes() == (kept / WHOLE).read_bytes()


def stop_midway(vidcolor: Programs) -> None:
    process = vidcolor.start(words("out.mkv"))
    wait_for(lambda: parts() >= 3, process)
    process.send(signal.SIGKILL)
    assert process.wait(DEADLINE) == -signal.SIGKILL


def pair(kind: str, kept: Path, chance: np.random.Generator, vidcolor: Programs) -> None:
    if kind == "resumed":
        stop_midway(vidcolor)
    other = PART if chance.random() < 0.3 else ()
    first = vidcolor.start(words("out.mkv"))
    time.sleep(chance.random() * LONGEST)
    second = vidcolor.start(words("out.mkv", *other, "--overwrite"))
    check_pair(first, second, kept)
    check_work(kept)


needs_signals = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")


@needs_signals
@pytest.mark.parametrize("kind", ["fresh", "resumed"])
@pytest.mark.parametrize("seed", range(2))
def test_pairs(kind: str, seed: int, folder: Path, kept: Path, vidcolor: Programs) -> None:
    pair(kind, kept, np.random.default_rng(seed), vidcolor)


@needs_signals
@pytest.mark.long
@pytest.mark.parametrize("kind", ["fresh", "resumed"])
@pytest.mark.parametrize("seed", range(2, 25))
def test_many_pairs(kind: str, seed: int, folder: Path, kept: Path, vidcolor: Programs) -> None:
    pair(kind, kept, np.random.default_rng(seed), vidcolor)


@needs_signals
@pytest.mark.parametrize("resumed", [False, True])
def test_one_that_is_held(resumed: bool, folder: Path, kept: Path, vidcolor: Programs) -> None:
    """A process that sleeps still holds the lock, and goes on undisturbed."""
    if resumed:
        stop_midway(vidcolor)
    begun = parts()
    first = vidcolor.start(words("out.mkv"))
    wait_for(lambda: parts() > begun, first)
    first.send(signal.SIGSTOP)
    try:
        for more in ((), PART):
            second = vidcolor.start(words("out.mkv", *more))
            assert second.wait(DEADLINE) == 2, second.told
            named = re.search(BUSY, second.told)
            assert named is not None, second.told
            assert int(named[1]) == first.pid
    finally:
        first.send(signal.SIGCONT)
    assert first.wait(DEADLINE) == 0, first.told
    assert Path("out.mkv").read_bytes() == (kept / WHOLE).read_bytes()


@needs_signals
def test_a_lock_dies_with_its_owner(folder: Path, kept: Path, vidcolor: Programs) -> None:
    stop_midway(vidcolor)
    assert (folder / "out.mkv.vidcolor" / "lock").exists()
    assert main(words("out.mkv")) == 0
    assert Path("out.mkv").read_bytes() == (kept / WHOLE).read_bytes()


@needs_signals
def test_another_range_takes_nothing_from_a_stopped_job(folder: Path, vidcolor: Programs) -> None:
    stop_midway(vidcolor)
    before = set(Path("out.mkv.vidcolor").glob("*.nut"))
    assert len(before) >= 3
    assert main(words("out.mkv", *PART)) == 0
    assert before <= set(Path("out.mkv.vidcolor").glob("*.nut"))


def test_one_waits_for_nobody_elses_output(folder: Path, kept: Path) -> None:
    """The lock is of one output: another one in the same folder is free."""
    from vidcolor.film.lock import lock_output
    from vidcolor.film.output import work_folder

    with lock_output(work_folder(Path("out.mkv")), Path("out.mkv")):
        assert main(words("other.mkv")) == 0
        assert main(words("out.mkv")) == 2
        assert main(["clean", "out.mkv"]) == 2
    assert Path("other.mkv").read_bytes() == (kept / WHOLE).read_bytes()
    assert not work_folder(Path("out.mkv")).exists()
