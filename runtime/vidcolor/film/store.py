"""What a job caches in a film's work folder: chroma of finished parts, and what leads on from them.

What is stored of a part is the chroma of the output, code by code, compressed without loss. So a
job that goes on after a stop, or colours the film again with one more key, makes identical bytes.
`vidcolor.film.named_files` proves each file before it is used.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import prod
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, Literal
from zipfile import BadZipFile

import av
import numpy as np
from numpy.typing import NDArray

from vidcolor.color import Codes
from vidcolor.errors import MediaError, VidcolorError
from vidcolor.film.chroma_file import ChromaWriter, read_chroma
from vidcolor.film.confidence_map import Cells
from vidcolor.film.named_files import NamedFiles

STATE = "state."
"""What the names of arrays begin with that a pass goes on from."""


class Store(NamedFiles):
    """Chroma and arrays in a work folder, which is made when the first is written.

    Args:
        folder: The work folder.
        bits: Of a code of the chroma that is written.

    Raises:
        MediaError: A file cannot be written or read.
    """

    def __init__(self, folder: Path, bits: int = 8) -> None:
        super().__init__(folder)
        self.bits = bits

    def __contains__(self, name: str) -> bool:
        """Whether the chroma of a part is there, whole and undamaged."""
        found = [self.find(name, kind) for kind in ("nut", "npy")]
        return None not in found

    @property
    def has_work(self) -> bool:
        """Whether there is anything that a job goes on from."""
        return any(kind != "npz" or name.startswith(STATE) for name, kind in self.names)

    @contextmanager
    def writing(self, name: str) -> Iterator[ChromaWriter]:
        """Write the chroma of a part. It is there once this ends without an exception."""
        partial = self.temporary() / f"{name}.nut"
        confidences = partial.with_suffix(".npy")
        try:
            with ChromaWriter(partial, self.bits) as writer:
                yield writer
            np.save(confidences, writer.confidence_table())
            self.publish(confidences, name)
            self.publish(partial, name)
        except (VidcolorError, MemoryError):
            raise
        except (av.FFmpegError, OSError) as error:
            raise self.unwritable(error) from error
        finally:
            for path in (partial, confidences):
                path.unlink(missing_ok=True)

    def read(self, name: str) -> Iterator[tuple[Codes, Codes]]:
        """Both chroma planes [h, w] of each frame of a part that is there."""
        path = self._sure(name, "nut")
        try:
            yield from read_chroma(path)
        except MemoryError:
            raise
        except (av.FFmpegError, OSError) as error:
            raise self._unreadable(path, error) from error

    def confidences(self, name: str) -> list[float]:
        """Mean confidence, in [0, 1], of each frame of a part that is there."""
        table = self._load(name)
        means = table["mean"] if table.dtype.names else table
        return [float(value) for value in means]

    def confidence_maps(self, name: str) -> Cells | None:
        """The maps [n, h, w] of a part that is there; None if it was stored without them."""
        table = self._load(name)
        return np.ascontiguousarray(table["map"]) if table.dtype.names else None

    def save_array(self, name: str, array: NDArray[Any]) -> None:
        """Cache one array, which may be large, under a name."""
        partial = self.temporary() / f"{name}.npy"
        with self._being_written(partial):
            np.save(partial, array)
            self.publish(partial, name, sync=False)  # it is large, and soon removed again

    def has_array(self, name: str) -> bool:
        """Whether `load_array` has an undamaged one."""
        return self.find(name, "npy") is not None

    def load_array(self, name: str) -> NDArray[Any]:
        """The array cached under a name, which is there; it stays on the disk, to be read only."""
        return self._load(name, mmap_mode="r")

    def save_arrays(self, name: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Cache some arrays under a name."""
        partial = self.temporary() / f"{name}.npz"
        with self._being_written(partial):
            np.savez(partial, **arrays)  # type: ignore[arg-type]
            self.publish(partial, name)

    def has_arrays(self, name: str) -> bool:
        """Whether `load_arrays` has undamaged ones."""
        return self.find(name, "npz") is not None

    def load_arrays(self, name: str) -> dict[str, NDArray[Any]] | None:
        """The arrays cached under a name; None if there are none, or they are damaged."""
        path = self.find(name, "npz")
        if path is None:
            return None
        try:
            with np.load(path) as cached:
                return dict(cached)
        except (OSError, ValueError, BadZipFile) as error:
            raise self._unreadable(path, error) from error

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

    @contextmanager
    def _being_written(self, partial: Path) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self.unwritable(error) from error
        finally:
            partial.unlink(missing_ok=True)

    def _load(self, name: str, *, mmap_mode: Literal["r"] | None = None) -> NDArray[Any]:
        path = self._sure(name, "npy")
        try:
            array: NDArray[Any] = np.load(path, mmap_mode=mmap_mode)
        except (OSError, ValueError) as error:
            raise self._unreadable(path, error) from error
        return array

    def _sure(self, name: str, kind: str) -> Path:
        """A file that was found before."""
        path = self.find(name, kind)
        if path is None:
            raise self._unreadable(self.folder / name, FileNotFoundError("it is gone"))
        return path

    def _unreadable(self, path: Path, error: Exception) -> MediaError:
        reason = getattr(error, "strerror", None) or error
        return MediaError(
            f"output: {path} was changed while it was in use ({reason}); run the command again"
        )
