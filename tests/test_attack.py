"""`python -m tests.attack` finds no fault, and would tell one."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.attack import checks
from tests.attack.batch import run_batch
from tests.attack.campaign import Attack, inputs, table
from tests.attack.case import Case, judge, look
from tests.attack.kinds import KINDS, Kind
from tests.attack.material import Material
from tests.attack.run import Input, Result
from tests.attack.worker import CRASHED, Outcome, run_forked
from tests.support.videos import write_clip

ROOT = Path(__file__).parents[1]
SHORT, LONG = 48, 2000
"""Inputs."""


def attack(tmp_path: Path, count: int) -> None:
    """Run as many inputs of all kinds, in a process without threads of a test's."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.attack", "--inputs", str(count), "--keep", tmp_path / "kept"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert not (tmp_path / "kept").exists()


def test_a_few_inputs_of_every_kind_find_no_fault(tmp_path: Path) -> None:
    attack(tmp_path, SHORT)


@pytest.mark.long
@pytest.mark.timeout(5400)
def test_thousands_of_inputs_find_no_fault(tmp_path: Path) -> None:
    attack(tmp_path, LONG)


def forked(run, tmp_path: Path, **more) -> Outcome:
    folder, logs = tmp_path / "folder", tmp_path / "logs"
    folder.mkdir(exist_ok=True)
    logs.mkdir(exist_ok=True)
    return run_forked(run, folder=folder, logs=logs, **more)


def faults(run, tmp_path: Path, **more) -> list[str]:
    """Of a run of this main in an empty folder, with out.mkv as its output."""
    outcome = forked(run, tmp_path, **more)
    case = Case([], "out.mkv")
    return list(judge(case, tmp_path / "folder", outcome))


def refuse() -> int:
    print("vidcolor: size is 0, accepted are whole numbers from 32", file=sys.stderr)
    return 2


def test_a_sentence_is_no_fault(tmp_path: Path) -> None:
    assert faults(refuse, tmp_path) == []


def test_an_exception_is_a_fault(tmp_path: Path) -> None:
    def crash() -> int:
        raise ZeroDivisionError("of a frame's size")

    assert faults(crash, tmp_path) == ["exception: ZeroDivisionError: of a frame's size"]
    assert forked(crash, tmp_path).status == CRASHED


def test_a_signal_is_a_fault(tmp_path: Path) -> None:
    def die() -> int:
        os.kill(os.getpid(), signal.SIGSEGV)
        return 0

    assert faults(die, tmp_path) == ["signal 11", "exit status -11, accepted are [0, 2]"]


def test_a_run_that_takes_too_long_is_a_fault(tmp_path: Path) -> None:
    def wait() -> int:
        time.sleep(60)
        return 0

    assert faults(wait, tmp_path, seconds=0.2)[0].startswith("hangs")
    stopped = forked(wait, tmp_path, stop=(0.2, signal.SIGINT))
    assert stopped.status == CRASHED  # by KeyboardInterrupt
    assert stopped.seconds < 30


def test_memory_is_limited(tmp_path: Path) -> None:
    def take() -> int:
        return len(bytearray(1 << 33)) & 1

    told = forked(take, tmp_path, memory=1 << 32)
    assert "MemoryError" in told.err


def test_a_partial_output_is_a_fault(tmp_path: Path) -> None:
    def leave() -> int:
        Path("out.mkv").write_bytes(b"half")
        return refuse()

    def leave_partial() -> int:
        Path(".out.partial.mkv").write_bytes(b"half")
        return 0

    assert faults(leave, tmp_path) == ["out.mkv is left at exit status 2"]
    (tmp_path / "folder" / "out.mkv").unlink()
    assert faults(leave_partial, tmp_path) == ["half-written .out.partial.mkv is left"]


def test_a_changed_input_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "clip.mkv").write_bytes(b"film")
    case = Case([], "out.mkv", before=look(tmp_path))
    (tmp_path / "clip.mkv").write_bytes(b"other")
    sound = Outcome(0, timed_out=False, seconds=1, out="", err="")
    assert list(judge(case, tmp_path, sound)) == ["clip.mkv was changed or removed"]


def test_refusal_without_a_sentence_is_a_fault(tmp_path: Path) -> None:
    assert faults(lambda: 2, tmp_path) == ["exit status 2 without a sentence"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({}, []),
        ({"pts": (0, 40, 80)}, ["the output has 3 frames, 8 are in the clip"]),
        ({"pixel_format": "gray"}, []),
        ({"width": 98}, ["the luma of 8 of 8 frames is not the clip's, or misplaced"]),
    ],
)
def test_a_wrong_film_is_a_fault(tmp_path: Path, change: dict, told: list[str]) -> None:
    write_clip(tmp_path / "clip.mkv")
    write_clip(tmp_path / "out.mkv", **change)
    count = len(change.get("pts", range(8)))
    confidence = ", ".join(["1"] * count)
    (tmp_path / "out.mkv.vidcolor.json").write_text(f'{{"confidence": [{confidence}]}}')
    sound = Outcome(0, timed_out=False, seconds=1, out="", err="")
    check = checks.film("out.mkv", "clip.mkv", exact=True)
    assert list(check(tmp_path, sound)) == told


def test_what_ends_a_batch_s_child_costs_no_other_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that crashes it is run once more, alone; the others have a new child."""
    (tmp_path / "place").mkdir()

    def make(numbers: random.Random, material: Material, folder: Path) -> Case:
        return Case([], what=str(folder))

    def main_of(case: Case):
        def run() -> int:
            if "/keys-2-" in case.what:
                os.kill(os.getpid(), signal.SIGSEGV)
            return 0

        return run

    monkeypatch.setattr("tests.attack.run.KINDS", {"keys": Kind(make, 100)})
    monkeypatch.setattr("tests.attack.run.main_of", main_of)
    batch = [Input("keys", number, 1) for number in range(1, 5)]
    results = run_batch(batch, Material(tmp_path), tmp_path / "place", tmp_path / "kept")
    assert [result.input.number for result in results] == [1, 2, 3, 4]
    assert [bool(result.faults) for result in results] == [False, True, False, False]
    assert results[1].faults[0] == "signal 11"


def test_the_same_seed_gives_the_same_inputs() -> None:
    assert inputs(Attack(inputs=50)) == inputs(Attack(inputs=50))
    found = inputs(Attack(inputs=1000))
    assert {each.kind for each in found} >= set(KINDS) - {"checkpoints"}
    assert 1000 <= len(found) < 1000 + len(KINDS)
    only = inputs(Attack(kind=("films",), only=(17,), seed=3))
    assert only == [Input("films", 17, 3)]
    assert "--seed 3 --kind films --only 17" in only[0].repeat()


def test_the_table_counts() -> None:
    each = Input("keys", 0, 1)
    rows = table([Result(each, 0, 1.0), Result(each, 2, 3.0), Result(each, -6, 2.0, ("signal",))])
    assert "| keys | 3 | 1 | 1 | 1 | 1 | 2.00 | 3.0 |" in rows
