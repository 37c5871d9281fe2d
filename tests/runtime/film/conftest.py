from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.runtime.commands.conftest import steps
from vidcolor.film import segments

__all__ = ["steps"]
PART = 4
"""Most frames of a part in `place`."""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, material: Path) -> None:
    """A folder with the module's material, in which the test runs; parts are short there."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(material, tmp_path, dirs_exist_ok=True)
    monkeypatch.setattr(segments, "PART", PART)
