"""The work folder of a film: chroma of finished segments, cached on disk.

What is stored is the chroma of the output, code by code, compressed without loss. So a job that
goes on after a stop, or colours the film again with one more key, produces identical bytes.

A file's name says what it holds and proves it: first a fingerprint of all that its content depends
on, then a digest of the content itself. A file is written in a folder with a random name, is synced
to the disk, and only then gets its name. A file whose content does not fit its name is not used.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from itertools import chain
from math import prod
from pathlib import Path
from tempfile import TemporaryFile, mkdtemp
from typing import IO, Any

import av
import numpy as np
from numpy.typing import NDArray

from vidcolor.color import Codes
from vidcolor.errors import MediaError, VidcolorError
from vidcolor.film.chroma_file import ChromaWriter, read_chroma
from vidcolor.film.confidence_map import Cells

_PARTIAL = ".partial."
"""What the names of folders begin with in which files are being written."""

_NAME = re.compile(r"(?P<name>[\w.-]+?)\.(?P<digest>[0-9a-f]{32})(\.\d+)?\.(?P<kind>nut|npy|npz)")
"""Of the files that a job writes: what it holds, the digest of its content, a number where a name
was taken, and the file's kind."""

_KINDS = ("nut", "npy", "npz")

_NUMBERS = tuple(f".{number}" for number in range(1, 100))
"""For names that are taken by folders."""

_CHUNK = 1 << 20
"""Bytes of a file that are read at a time."""


class Store:
    """Files in a work folder, which is made when the first is written.

    Args:
        folder: The work folder.
        bits: Of a code of the chroma that is written.

    Raises:
        MediaError: A file cannot be written or read.
    """

    def __init__(self, folder: Path, bits: int = 8) -> None:
        self.folder, self.bits = folder, bits
        self._temporary: Path | None = None
        self._found: dict[str, dict[str, Path]] = {}
        self.damaged: list[Path] = []
        """Files that were looked for and whose content does not fit their names."""

    def __contains__(self, name: str) -> bool:
        """Whether the chroma of a segment is there, whole and undamaged."""
        if name not in self._found:
            files = {kind: self._find(name, kind) for kind in ("nut", "npy")}
            whole = {kind: path for kind, path in files.items() if path is not None}
            if len(whole) < len(files):
                return False
            self._found[name] = whole
        return True

    @property
    def has_chroma(self) -> bool:
        """Whether there is the chroma of any segment."""
        return any(kind == "nut" for _, kind in self._files)

    @property
    def size(self) -> int:
        """Bytes that the files in the folder take."""
        total = 0
        for path in chain.from_iterable(self._files.values()):
            with suppress(OSError):
                total += path.lstat().st_size
        return total

    @contextmanager
    def writing(self, name: str) -> Iterator[ChromaWriter]:
        """Write the chroma of a segment. It is there once this ends without an exception."""
        partial = self.temporary() / f"{name}.nut"
        confidences = partial.with_suffix(".npy")
        try:
            with ChromaWriter(partial, self.bits) as writer:
                yield writer
            np.save(confidences, writer.confidence_table())
            self._found[name] = {
                "npy": self._publish(confidences, name),
                "nut": self._publish(partial, name),
            }
        except (VidcolorError, MemoryError):
            raise
        except (av.FFmpegError, OSError) as error:
            raise self.unwritable(error) from error
        finally:
            for path in (partial, confidences):
                path.unlink(missing_ok=True)

    def read(self, name: str) -> Iterator[tuple[Codes, Codes]]:
        """Both chroma planes [h, w] of each frame of a segment that is there."""
        path = self._found[name]["nut"]
        try:
            yield from read_chroma(path)
        except MemoryError:
            raise
        except (av.FFmpegError, OSError) as error:
            raise self._unreadable(path, error) from error

    def confidences(self, name: str) -> list[float]:
        """Mean confidence, in [0, 1], of each frame of a segment that is there."""
        table = self._confidence_table(name)
        means = table["mean"] if table.dtype.names else table
        return [float(value) for value in means]

    def confidence_maps(self, name: str) -> Cells | None:
        """The maps [n, h, w] of a segment that is there; None if it was stored without them."""
        table = self._confidence_table(name)
        return np.ascontiguousarray(table["map"]) if table.dtype.names else None

    def _confidence_table(self, name: str) -> NDArray[Any]:
        path = self._found[name]["npy"]
        try:
            table: NDArray[Any] = np.load(path)
        except (OSError, ValueError) as error:
            raise self._unreadable(path, error) from error
        return table

    def save_arrays(self, name: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Cache some arrays under a name."""
        partial = self.temporary() / f"{name}.npz"
        try:
            np.savez(partial, **arrays)  # type: ignore[arg-type]
            self._publish(partial, name)
        except OSError as error:
            raise self.unwritable(error) from error
        finally:
            partial.unlink(missing_ok=True)

    def load_arrays(self, name: str) -> dict[str, NDArray[Any]] | None:
        """The arrays cached under a name; None if there are none, or they are damaged."""
        path = self._find(name, "npz")
        if path is None:
            return None
        with np.load(path) as cached:
            return dict(cached)

    def allocate(self, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """A float32 array in a file that nobody else sees and that goes when the array goes."""
        with self.temporary_file() as file:
            try:
                # Or a full disk would end the process by a signal, as the array is written to.
                if hasattr(os, "posix_fallocate"):
                    os.posix_fallocate(file.fileno(), 0, 4 * prod(shape))
                return np.memmap(file, np.float32, "w+", shape=shape)
            except OSError as error:
                raise self.unwritable(error) from error

    def temporary_file(self) -> IO[bytes]:
        """A file without a name in the work folder; it goes when it is closed."""
        try:
            return TemporaryFile(dir=self.temporary())
        except OSError as error:
            raise self.unwritable(error) from error

    def temporary(self) -> Path:
        """The folder of this job for files that are being written.

        Its name is random and it is made anew, so nobody can have laid a link into it.
        """
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
            paths = [path for kind in _KINDS for path in self._files.get((name, kind), ())]
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

    @cached_property
    def _files(self) -> dict[tuple[str, str], list[Path]]:
        """The files in the folder, by what they hold and their kind."""
        files: dict[tuple[str, str], list[Path]] = {}
        with suppress(OSError):
            for path in sorted(self.folder.iterdir()):
                if match := _NAME.fullmatch(path.name):
                    files.setdefault((match["name"], match["kind"]), []).append(path)
        return files

    def _publish(self, partial: Path, name: str) -> Path:
        """Give a complete file its name, in place of older ones of that name."""
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
        return place

    def _find(self, name: str, kind: str) -> Path | None:
        """The undamaged file of a name and a kind."""
        damaged = []
        for path in self._files.get((name, kind), ()):
            match = _NAME.fullmatch(path.name)
            with suppress(OSError):
                if match is not None and path.is_file() and _digest(path) == match["digest"]:
                    os.utime(path)
                    return path
            damaged.append(path)
        self.damaged += damaged
        return None

    def unwritable(self, error: OSError | av.FFmpegError) -> MediaError:
        """The sentence for a work folder that cannot be written to."""
        return MediaError(
            f"output: {self.folder} cannot be written ({error.strerror or error}); free some space "
            "on its disk, or write the output to another folder"
        )

    def _unreadable(self, path: Path, error: Exception) -> MediaError:
        reason = getattr(error, "strerror", None) or error
        return MediaError(
            f"output: {path} was changed while it was in use ({reason}); run the command again"
        )


def _digest(path: Path) -> str:
    """Of a file's content."""
    state = hashlib.blake2b(digest_size=16)
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            state.update(piece)
    return state.hexdigest()
