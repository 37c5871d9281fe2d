"""Files in a work folder whose names prove what they hold.

A file's name says what it holds and proves it: first a fingerprint of all that its content depends
on, then a digest of the content itself. A file is written in a folder with a random name, is synced
to the disk, and only then gets its name. A file whose content does not fit its name is not used.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from contextlib import suppress
from functools import cached_property
from itertools import chain
from pathlib import Path
from tempfile import mkdtemp
from threading import Lock

from vidcolor.errors import MediaError

_PARTIAL = ".partial."
"""What the names of folders begin with in which files are being written."""

KINDS = ("nut", "npy", "npz")
"""Endings of the files."""

_NAME = re.compile(
    rf"(?P<name>[\w.-]+?)\.(?P<digest>[0-9a-f]{{32}})(\.\d+)?\.(?P<kind>{'|'.join(KINDS)})"
)
"""Of the files that a job writes: what it holds, the digest of its content, a number where a name
was taken, and the file's kind."""

_NUMBERS = tuple(f".{number}" for number in range(1, 100))
"""For names that are taken by folders."""


class NamedFiles:
    """The files of a work folder, which is made when the first is written.

    Threads may share it, as long as each writes files of other names.

    Raises:
        MediaError: The folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._temporary: Path | None = None
        self._making = Lock()
        """Of the temporary folder."""
        self._found: dict[tuple[str, str], Path] = {}
        """Files that were proved sound."""
        self.damaged: list[Path] = []
        """Files that were looked for and whose content does not fit their names."""

    @property
    def names(self) -> set[tuple[str, str]]:
        """Names and kinds of the files that are there, sound or not."""
        return set(self._files)

    @property
    def is_used(self) -> bool:
        """Whether a job has left anything here, be it half-written."""
        with suppress(OSError):
            return bool(self._files) or any(self.folder.glob(f"{_PARTIAL}*"))
        return False

    @property
    def size(self) -> int:
        """Bytes that the files take."""
        total = 0
        for path in chain.from_iterable(self._files.values()):
            with suppress(OSError):
                total += path.lstat().st_size
        return total

    def find(self, name: str, kind: str) -> Path | None:
        """The undamaged file of a name and a kind."""
        if (name, kind) in self._found:
            return self._found[name, kind]
        for path in self._files.get((name, kind), ()):
            match = _NAME.fullmatch(path.name)
            with suppress(OSError):
                if match is not None and path.is_file() and _digest(path) == match["digest"]:
                    os.utime(path)
                    self._found[name, kind] = path
                    return path
            if path not in self.damaged:
                self.damaged.append(path)
        return None

    def publish(self, partial: Path, name: str, *, sync: bool = True) -> None:
        """Give a complete file its name, in place of older ones of that name.

        Args:
            partial: The file.
            name: What it holds.
            sync: Whether it has to be on the disk first. Without, a loss of power may damage it,
                which is seen when it is looked for.

        Raises:
            OSError: It cannot be done.
        """
        if sync:
            with partial.open("rb+") as file:
                os.fsync(file.fileno())
        kind, digest = partial.suffix[1:], _digest(partial)
        places = (f"{name}.{digest}{number}.{kind}" for number in ("", *_NUMBERS))
        place = next(path for path in map(self.folder.joinpath, places) if not path.is_dir())
        partial.replace(place)
        for path in self._files.get((name, kind), ()):
            if path != place:
                with suppress(OSError):
                    path.unlink()
        self._files[name, kind] = [place]
        self._found[name, kind] = place

    def remove(self, name: str) -> None:
        """Remove the files of a name, if there are any."""
        for kind in KINDS:
            self._found.pop((name, kind), None)
            for path in self._files.get((name, kind), ()):
                with suppress(OSError):
                    path.unlink()
            left = [path for path in self._files.pop((name, kind), ()) if path.exists()]
            if left:  # as on Windows, where it is in use
                self._files[name, kind] = left

    def temporary(self) -> Path:
        """The folder of this job for files that are being written.

        Its name is random and it is made anew, so nobody can have laid a link into it.
        """
        with self._making:
            if self._temporary is None:
                try:
                    self.folder.mkdir(exist_ok=True)
                    self._temporary = Path(mkdtemp(prefix=_PARTIAL, dir=self.folder))
                except OSError as error:
                    raise self.unwritable(error) from error
            return self._temporary

    def trim(self, limit: int) -> None:
        """Remove the files that were used the longest time ago.

        Args:
            limit: Bytes that the files in the folder may take together.
        """
        kept: list[tuple[int, int, list[Path]]] = []
        for name in {name for name, _ in self._files}:
            paths = [path for kind in KINDS for path in self._files.get((name, kind), ())]
            with suppress(OSError):
                statuses = [path.lstat() for path in paths]
                used = max(status.st_mtime_ns for status in statuses)
                kept.append((used, sum(status.st_size for status in statuses), paths))
        total = 0
        for _, size, paths in sorted(kept, reverse=True):
            total += size
            if total > limit:
                for path in paths:
                    with suppress(OSError):
                        path.unlink()

    def clear(self) -> None:
        """Remove all that jobs have left here."""
        self.tidy()
        self.trim(-1)

    def tidy(self) -> None:
        """Remove what this job, or one that was killed, left half-written.

        Whoever calls this holds the output's lock: no other job is writing here.
        """
        self._temporary = None
        with suppress(OSError):
            for left in self.folder.glob(f"{_PARTIAL}*"):
                if left.is_dir() and not left.is_symlink():
                    shutil.rmtree(left, ignore_errors=True)
                else:
                    left.unlink()

    def unwritable(self, error: Exception) -> MediaError:
        """The sentence for a work folder that cannot be written to."""
        reason = getattr(error, "strerror", None) or error
        return MediaError(
            f"output: {self.folder} cannot be written ({reason}); free some space on its disk, or "
            "write the output to another folder"
        )

    @cached_property
    def _files(self) -> dict[tuple[str, str], list[Path]]:
        """The files in the folder, by what they hold and their kind."""
        files: dict[tuple[str, str], list[Path]] = {}
        with suppress(OSError):
            for path in sorted(self.folder.iterdir()):
                if match := _NAME.fullmatch(path.name):
                    files.setdefault((match["name"], match["kind"]), []).append(path)
        return files


def _digest(path: Path) -> str:
    """Of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
