from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.runtime.commands.conftest import steps
from vidcolor.film import segments

__all__ = ["steps"]
PART = 4
"""Most frames of a part in `short_parts`."""


@contextmanager
def short_parts(folder: Path) -> Iterator[None]:
    """Within it the current folder is this one, and parts are short."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(segments, "PART", PART)
        yield


@pytest.fixture
def place(tmp_path: Path, material: Path) -> Iterator[None]:
    """A folder with the module's material, in which the test runs; parts are short there."""
    shutil.copytree(material, tmp_path, dirs_exist_ok=True)
    with short_parts(tmp_path):
        yield
