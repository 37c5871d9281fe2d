"""The work folder of a film being coloured: chroma of finished stretches, kept on disk.

What is kept is chroma as the output will have it, code by code, compressed without loss, so that
what is left to do, if a job is stopped, gives the very bytes that it would have given. A file is
named by all that its colours depend on: a job with another key or option finds none of its own.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from vidcolor.color import Codes
from vidcolor.errors import MediaError, VidcolorError
from vidcolor.media.reader import plane_codes

Notes = dict[str, NDArray[Any]]

_PARTIAL = ".partial"


@dataclass(frozen=True)
class Store:
    """Files of chroma codes in `folder`, which is made when the first is written.

    Raises MediaError when one cannot be written or read.
    """

    folder: Path
    bits: int
    """Of a code."""

    def __contains__(self, name: str) -> bool:
        return self._place(name).is_file()

    @contextmanager
    def writing(self, name: str) -> Iterator[Sheets]:
        """What takes the frames of the file `name`; it is there when all went well."""
        place = self._place(name)
        partial = self.partial(place.name)
        self._make()
        try:
            sheets = Sheets(partial, self.bits)
            try:
                yield sheets
            finally:
                sheets.close()
            np.save(self._trusts(name), np.array(sheets.trusts))
            partial.replace(place)
        except VidcolorError:
            raise
        except (av.FFmpegError, OSError) as error:
            raise _unwritable(self.folder, error) from error
        finally:
            partial.unlink(missing_ok=True)

    def read(self, name: str) -> Iterator[tuple[Codes, Codes]]:
        """Both chroma planes of each frame of the file `name`."""
        try:
            with av.open(self._place(name), format="matroska") as container:
                for frame in container.decode(video=0):
                    codes = plane_codes(frame, 0)
                    half = len(codes) // 2
                    yield codes[:half], codes[half:]
        except (av.FFmpegError, OSError) as error:
            raise MediaError(
                f"output: {self._place(name)} is damaged ({error.strerror or error}); remove the "
                "folder to begin anew"
            ) from error

    def room(self, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """A float32 array in a file that nobody else sees and that goes when the array goes."""
        self._make()
        try:
            with TemporaryFile(dir=self.folder) as file:
                # Or a disk that runs full would be told by a signal, as the array is written to.
                if hasattr(os, "posix_fallocate"):
                    os.posix_fallocate(file.fileno(), 0, 4 * prod(shape))
                return np.memmap(file, np.float32, "w+", shape=shape)
        except OSError as error:
            raise _unwritable(self.folder, error) from error

    def note(self, name: str, notes: Notes) -> None:
        """Keep some arrays."""
        place = self.folder / f"{name}.npz"
        partial = self.partial(place.name)
        self._make()
        try:
            np.savez(partial, **notes)  # type: ignore[arg-type]
            partial.replace(place)
        except OSError as error:
            raise _unwritable(self.folder, error) from error
        finally:
            partial.unlink(missing_ok=True)

    def notes(self, name: str) -> Notes | None:
        """The arrays kept under that name, if any."""
        place = self.folder / f"{name}.npz"
        if not place.is_file():
            return None
        with np.load(place) as kept:
            return dict(kept)

    def partial(self, name: str) -> Path:
        """Where to write a file that is to be moved out of the folder when it is complete."""
        return self.folder / f"{_PARTIAL}.{name}"

    def trusts(self, name: str) -> list[float]:
        """Mean confidence of each frame of the file `name`."""
        return [float(trust) for trust in np.load(self._trusts(name))]

    def tidy(self) -> None:
        """Remove what was being written when a job was killed, and the folder if it is empty."""
        for left in self.folder.glob(f"{_PARTIAL}*"):
            left.unlink()
        if not any(self.folder.glob("*.mkv")):
            self.remove()

    def remove(self) -> None:
        """Remove the folder with all that is in it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _make(self) -> None:
        try:
            self.folder.mkdir(exist_ok=True)
        except OSError as error:
            raise _unwritable(self.folder, error) from error

    def _place(self, name: str) -> Path:
        return self.folder / f"{name}.mkv"

    def _trusts(self, name: str) -> Path:
        return self.folder / f"{name}.npy"


class Sheets:
    """Frames being written: both chroma planes of each, one above the other in a gray picture."""

    def __init__(self, path: Path, bits: int) -> None:
        self._form = "gray" if bits == 8 else "gray16le"
        self._container = av.open(path, "w", format="matroska")
        self._stream = self._container.add_stream("ffv1", rate=25, options={"slicecrc": "1"})
        self._stream.codec_context.thread_type = "AUTO"
        self._stream.pix_fmt = self._form
        self.trusts: list[float] = []

    def add(self, u: Codes, v: Codes, trust: float) -> None:
        """Write a frame. trust: the mean of its confidence."""
        height, width = u.shape
        if not self.trusts:
            self._stream.height, self._stream.width = 2 * height, width
        frame = av.VideoFrame(width, 2 * height, self._form)
        codes: NDArray[np.generic] = plane_codes(frame, 0)
        codes[:height], codes[height:] = u, v
        frame.pts, frame.time_base = len(self.trusts), Fraction(1, 25)
        self.trusts.append(trust)
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Complete the file."""
        if self.trusts:
            self._container.mux(self._stream.encode())
        self._container.close()


def _unwritable(folder: Path, error: OSError | av.FFmpegError) -> MediaError:
    """The sentence for a work folder that cannot be written to."""
    return MediaError(f"output: {folder} cannot be written ({error.strerror or error})")
