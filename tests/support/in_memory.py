"""Temporary files in memory, where that has room: what is written there waits for no disk."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - of names of our own
ROOM = 4 * 2**30
"""Bytes that must be free there. The tests need less than one GiB."""


def memory_folder(folder: Path = SHARED_MEMORY, *, room: int = ROOM) -> Path | None:
    """A folder whose files are in memory.

    Args:
        folder: Where the system has such a one.
        room: Bytes that must be free in it.

    Returns:
        The folder. None if there is none, if it has less room, if this user may not write in it, or
        if programs in it cannot be started, as in a container.
    """
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        return None
    told = os.statvfs(folder)
    if told.f_bavail * told.f_frsize < room or told.f_flag & os.ST_NOEXEC:
        return None
    return folder


def use_memory_for_temporary_files() -> None:
    """Let `tempfile`, pytest and the programs they start put temporary files in memory.

    Where there is a `memory_folder`, and the environment does not name a folder in `TMPDIR`.
    """
    folder = None if "TMPDIR" in os.environ else memory_folder()
    if folder:
        os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
