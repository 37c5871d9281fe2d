"""The frames of a film as they are read to be coloured, each with the planes that this takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from vidcolor.color import Codes
from vidcolor.errors import MediaError
from vidcolor.film.job import Film
from vidcolor.film.pieces import Batch, Piece
from vidcolor.film.store import Store
from vidcolor.media.info import CopiedPacket, Frame
from vidcolor.media.reader import Reader
from vidcolor.planes import Plane

TAIL = 10
"""Seconds that a file's sound may lie behind its pictures."""


@dataclass(frozen=True, eq=False)
class LoadedFrame:
    """A frame of the film."""

    number: int
    codes: Codes
    """Luma [h, w] as the file has it."""
    pts: int
    duration: int
    """As in `Frame`."""
    packets: tuple[CopiedPacket, ...]
    """Sound and subtitles that the file has between the frame before and this one."""
    small: Plane | None = None
    """Luma at working size, where the frame takes part in a pass."""


class FilmFrames:
    """Iterate it once: the film's frames, up to what sounds after the last one to colour.

    Luma at working size is made here, for the frames that are to be coloured.

    Args:
        film: The film.
        reader: The film's file, open.
        pieces: What is to be coloured.

    Raises:
        MediaError: The file has fewer frames than it had when it was scanned.
    """

    def __init__(self, film: Film, reader: Reader, pieces: Sequence[Piece]) -> None:
        self._film, self._reader = film, reader
        self._pieces = [
            piece for piece in pieces if not (piece.is_stored or piece.is_gray or piece.is_hidden)
        ]
        self._stop = max((film.part.stop, *(piece.reach.stop for piece in self._pieces)))
        """The frame after the last one that is needed."""
        self.trailing: list[CopiedPacket] = []
        """Packets behind the last frame, once all frames have been given."""

    def __iter__(self) -> Iterator[LoadedFrame]:
        film = self._film
        end = film.index.times[film.part.stop] + round(TAIL / film.info.time_base)
        number, packets = 0, self.trailing
        for item in self._reader:
            if not isinstance(item, Frame):
                packets.append(item)
                continue
            if number >= self._stop and item.pts > end:
                break
            yield self._load(number, item, tuple(packets))
            packets.clear()
            number += 1
        if number < self._stop:
            raise MediaError(
                f"clip: {film.path} gives {number} frames now, where it gave {film.index.length} "
                "when it was scanned; colour it again when nothing changes it"
            )

    def _load(self, number: int, frame: Frame, packets: tuple[CopiedPacket, ...]) -> LoadedFrame:
        loaded = LoadedFrame(number, frame.planes[0], frame.pts, frame.duration, packets)
        while self._pieces and number >= self._pieces[0].reach.stop:
            self._pieces.pop(0)
        if not self._pieces or number not in self._pieces[0].reach:
            return loaded
        if self._pieces[0].segment.is_key:
            return loaded
        small = self._film.working_size.downsample_codes(loaded.codes, self._film.coding)
        return replace(loaded, small=small)


class Spool:
    """The frames of a batch, kept on disk until their colours are there.

    Codes are kept, and luma at working size.
    """

    def __init__(self, film: Film, batch: Batch, store: Store) -> None:
        self._part, self._store = batch.part, store
        self._file = store.temporary_file()
        self.lumas = store.allocate((len(batch.reach), *film.working_size.working.shape))
        """Luma at working size, [n, h, w], of the frames of `batch.reach`."""
        self._frames: list[LoadedFrame] = []
        self._layout = _NO_CODES

    def add(self, frame: LoadedFrame) -> None:
        """Keep the next frame of the batch's reach."""
        if frame.small is not None:
            self.lumas[len(self._frames)] = frame.small
        if frame.number in self._part:
            self._layout = np.empty_like(frame.codes)
            try:
                self._file.write(np.ascontiguousarray(frame.codes).data)
            except OSError as error:
                raise self._store.unwritable(error) from error
        self._frames.append(replace(frame, codes=_NO_CODES, small=None))

    def __iter__(self) -> Iterator[LoadedFrame]:
        """The frames that were added, in order; those outside of the part have no planes."""
        try:
            self._file.seek(0)
        except OSError as error:
            raise self._store.unwritable(error) from error
        for luma, frame in zip(self.lumas, self._frames, strict=True):
            if frame.number in self._part:
                codes = np.empty_like(self._layout)
                self._file.readinto(codes.data)  # type: ignore[attr-defined]
                yield replace(frame, codes=codes, small=luma)
            else:
                yield frame

    def close(self) -> None:
        """Give the room on the disk back."""
        self._file.close()


_NO_CODES: Codes = np.empty((0, 0), np.uint8)
