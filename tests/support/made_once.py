"""What takes long to make, made once for all processes that share a run of the tests."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder of this run of the tests.

    Args:
        factory: Of the process's temporary folders; with pytest-xdist they lie in one of the run.
        name: Of the folder.
        make: Fills it. Called by the first process that asks; the others wait for it.

    Returns:
        The folder, filled. No test may change what is in it.
    """
    root = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent
    folder, made = root / "made-once" / name, root / "made-once" / f"{name}.made"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(root / "made-once" / f"{name}.lock"):
        if not made.exists():
            make(folder)
            made.touch()
    return folder
