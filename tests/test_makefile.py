"""What `make test` runs, and what the Makefile hands to the programs that it runs."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.skipif(not shutil.which("make"), reason="make is not on the PATH")


def make(*words: str, given: str = "", **environment: str) -> str:
    """What make says, as if no other make had started the tests."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("M")}
    done = subprocess.run(
        ["make", "--no-print-directory", *words],
        input=given,
        cwd=ROOT,
        env=own | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_compiled_modules_are_kept_whatever_the_surroundings_say() -> None:
    shown = 'include Makefile\nshown:\n\t@echo "[$$PYTHONDONTWRITEBYTECODE]"\n'
    said = make("--file", "-", "shown", given=shown, PYTHONDONTWRITEBYTECODE="1")
    assert said == "[]\n"


def test_make_test_checks_all_that_there_is() -> None:
    """The linters, in a process beside the tests, and every test."""
    lines = [line.strip() for line in make("--dry-run", "test").splitlines()]
    assert any(line.endswith("--jobs 2 lint all-tests") for line in lines)
    assert {"ruff check .", "ruff format --check ."} <= set(lines)
    [tests] = [line for line in lines if " pytest " in line]
    assert tests.endswith("pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder")
