"""Damaged films of many kinds end in an output or in a sentence."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
HANGS = 60
"""Seconds without a word after which a film counts as one that hangs."""
FEW, MANY = 45, 3000
"""Films; the 15 pairs of container and codec take turns."""


def faults(folder: Path, films: range) -> list[str]:
    """What is wrong with any of some films; a process that dies is told, and started again."""
    found: list[str] = []
    number = films.start
    while number < films.stop:
        command = [sys.executable, "-m", "tests.support.fuzz"]
        process = subprocess.Popen(
            [*command, str(folder), str(number), str(films.stop)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=_read, args=(process, lines), daemon=True).start()
        number = _follow(process, lines, number, films, found)
        process.kill()
        process.communicate()
    return found


def _read(process: subprocess.Popen[str], lines: queue.Queue[str]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        lines.put(line)
    lines.put("")


def _follow(
    process: subprocess.Popen[str],
    lines: queue.Queue[str],
    number: int,
    films: range,
    found: list[str],
) -> int:
    """Note what a process says; returns the number of the film to go on with."""
    while number < films.stop:
        try:
            line = lines.get(timeout=HANGS)
        except queue.Empty:
            found.append(f"film {number} hangs")
            return number + 1
        if not line:
            status = process.wait(HANGS)
            assert process.stderr is not None
            found.append(f"film {number}: the process died, {status}: {process.stderr.read()}")
            return number + 1
        said = json.loads(line)
        if "begin" in said:
            number = said["begin"]
            continue
        if said["wrong"]:
            found.append(f"film {said['number']}: {said['wrong']}")
        number = said["number"] + 1
    return number


def test_a_few_damaged_films(tmp_path: Path) -> None:
    assert faults(tmp_path, range(FEW)) == []


@pytest.mark.long
@pytest.mark.parametrize("first", range(FEW, MANY, 200))
def test_many_damaged_films(tmp_path: Path, first: int) -> None:
    assert faults(tmp_path, range(first, first + 200)) == []
