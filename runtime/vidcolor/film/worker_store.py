"""What a worker on another machine keeps: in memory, until it is sent to the store of the film."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any, NamedTuple, Self

from numpy.typing import NDArray

from vidcolor.film.kept_passes import first_border
from vidcolor.film.kept_states import Arrays, KeptStates
from vidcolor.film.propagate import Planes, allocate_in_memory
from vidcolor.film.task import Task


class Saved(NamedTuple):
    """Something that was saved, or removed."""

    name: str
    array: NDArray[Any] | None = None
    """Where there is one of that name."""
    arrays: Mapping[str, NDArray[Any]] | None = None
    """Where there are several of that name."""

    def repeat(self, store: Arrays) -> None:
        """Do the same to a store."""
        if self.array is not None:
            store.save_array(self.name, self.array)
        elif self.arrays is not None:
            store.save_arrays(self.name, self.arrays)
        else:
            store.remove(self.name)


class WorkerStore:
    """As much of a store as a task goes on from. It notes what it is given."""

    def __init__(self) -> None:
        self._array: dict[str, NDArray[Any]] = {}
        self._arrays: dict[str, dict[str, NDArray[Any]]] = {}
        self._saved: list[Saved] = []

    @classmethod
    def of(cls, task: Task, store: Arrays) -> Self:
        """What a store has for a task."""
        copy, batch = cls(), task.batch
        for piece in batch.pieces:
            if store.has_array(piece.behind):
                copy._array[piece.behind] = store.load_array(piece.behind)
        states = KeptStates(store, task.fingerprint, batch.segment)
        for pass_ in batch.segment.passes:
            border = first_border(pass_.direction, batch, states, store)
            if border is None:
                continue
            name = states.name(pass_.direction, border)
            if arrays := store.load_arrays(name):
                copy._arrays[name] = arrays
        return copy

    def take_saved(self) -> Generator[Saved, None, None]:
        """What was saved and removed since this was last called, in order."""
        while self._saved:
            yield self._saved.pop(0)

    def allocate(self, shape: tuple[int, ...]) -> Planes:
        """As in `Arrays`."""
        return allocate_in_memory(shape)

    def has_array(self, name: str) -> bool:
        """As in `Arrays`."""
        return name in self._array

    def load_array(self, name: str) -> NDArray[Any]:
        """As in `Arrays`."""
        return self._array[name]

    def save_array(self, name: str, array: NDArray[Any]) -> None:
        """As in `Arrays`."""
        self._array[name] = array
        self._saved.append(Saved(name, array))

    def has_arrays(self, name: str) -> bool:
        """As in `Arrays`."""
        return name in self._arrays

    def load_arrays(self, name: str) -> dict[str, NDArray[Any]] | None:
        """As in `Arrays`."""
        return self._arrays.get(name)

    def save_arrays(self, name: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """As in `Arrays`."""
        self._saved.append(Saved(name, arrays=arrays))

    def remove(self, name: str) -> None:
        """As in `Arrays`."""
        self._array.pop(name, None)
        self._saved.append(Saved(name))
