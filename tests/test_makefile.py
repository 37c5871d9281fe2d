"""What the Makefile hands to the programs that it runs."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.skipif(not shutil.which("make"), reason="make is not on the PATH")


def test_compiled_modules_are_kept_whatever_the_surroundings_say() -> None:
    done = subprocess.run(
        ["make", "--no-print-directory", "--file", "-", "shown"],
        input='include Makefile\nshown:\n\t@echo "[$$PYTHONDONTWRITEBYTECODE]"\n',
        cwd=ROOT,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "[]\n", done.stderr
