"""One job for each output: a lock of the operating system, which ends with the job's process."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from vidcolor.errors import BusyError, MediaError
from vidcolor.film.named_files import NamedFiles

_LOCKS = ("lock", *(f"lock.{number}" for number in range(1, 100)))
"""Names in the work folder of the file that is locked; the later ones where an earlier one is of
something else: a folder, a link."""

_OWNER = "owner.json"
"""Name in the work folder of the file that says who holds the lock."""

_LONGEST = 10_000
"""Bytes of that file."""

_ATTEMPTS = 10
"""Another job may remove the work folder just as it is to be locked: then it is made anew."""

_PATIENCE = 0.2
"""Seconds to wait for a job that is about to end."""


def was_locked(folder: Path) -> bool:
    """Whether a job has left its lock in a folder."""
    with suppress(OSError):  # another job may remove it just now
        return _place(folder).stat().st_size == 0
    return False


@contextmanager
def lock_output(folder: Path, output: Path) -> Iterator[None]:
    """Hold the lock on an output.

    Args:
        folder: The output's work folder. It is made, and removed again if nothing is left in it.
            Where no work is left, the lock's own file goes in any case.
        output: The output.

    Raises:
        BusyError: Another job holds the lock.
        MediaError: The folder cannot be written.
    """
    place = _place(folder)
    is_ours = not place.exists() or was_locked(folder)
    lock = FileLock(place, fallback_to_soft=False, thread_local=False)
    try:
        _acquire(lock, folder, output)
        _sign(folder)
        yield
    finally:
        # An interrupt may have come before it was held: then it is free, and so is the folder.
        with suppress(OSError):
            lock.acquire(timeout=0)
            (folder / _OWNER).unlink(missing_ok=True)
            if is_ours and not NamedFiles(folder).names:
                place.unlink()
        lock.release(force=True)
        with suppress(OSError):
            folder.rmdir()


def _place(folder: Path) -> Path:
    """The file to lock."""
    places = (folder / name for name in _LOCKS)
    with suppress(OSError):
        for place in places:
            if not os.path.lexists(place) or (place.is_file() and not place.is_symlink()):
                return place
    return folder / _LOCKS[0]


def _acquire(lock: FileLock, folder: Path, output: Path) -> None:
    for attempt in range(_ATTEMPTS):
        try:
            folder.mkdir(exist_ok=True)
            lock.acquire(timeout=_PATIENCE)
        except Timeout:
            raise BusyError(
                f"output: {output} is being written by {_owner(folder)}; wait for it, or stop it"
            ) from None
        except OSError as error:
            gone = isinstance(error, FileExistsError | FileNotFoundError)
            if gone and attempt < _ATTEMPTS - 1:
                continue
            raise MediaError(
                f"output: {folder} cannot be locked ({error.strerror or error}); write the output "
                "to another folder"
            ) from error
        else:
            return


def _sign(folder: Path) -> None:
    """Say who holds the lock. Nothing but words depends on it."""
    owner = {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    path = folder / _OWNER
    with suppress(OSError):
        path.unlink(missing_ok=True)
        with path.open("x", encoding="utf-8") as file:
            json.dump(owner, file)


def _owner(folder: Path) -> str:
    path = folder / _OWNER
    try:
        if not path.is_file() or path.stat().st_size > _LONGEST:  # a pipe would be waited for
            return "another process"
        owner = json.loads(path.read_text(encoding="utf-8"))
        pid, host = int(owner["pid"]), str(owner["host"])
        since = datetime.fromisoformat(owner["since"]).astimezone()
    except (OSError, ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return "another process"
    elsewhere = host != socket.gethostname() and host.isprintable()
    where = f" on {host}" if elsewhere else ""
    return f"process {pid}{where} since {since:%Y-%m-%d %H:%M:%S}"
