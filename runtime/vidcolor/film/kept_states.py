"""The states of a segment's passes at the borders of its parts, kept so that a pass can go on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from numpy.typing import NDArray

from vidcolor.film.segments import Segment
from vidcolor.film.states import state_from_arrays, state_to_arrays
from vidcolor.film.store import STATE
from vidcolor.inference.session import Session
from vidcolor.propagate import State
from vidcolor.timeline import FORWARD


class Arrays(Protocol):
    """What keeps arrays by their names, as `Store` does."""

    def allocate(self, shape: tuple[int, ...]) -> NDArray[Any]:
        """An array of a shape, for the time being."""
        ...

    def has_array(self, name: str) -> bool:
        """Whether there is one, undamaged."""
        ...

    def load_array(self, name: str) -> NDArray[Any]:
        """The one of a name, which is there."""
        ...

    def save_array(self, name: str, array: NDArray[Any]) -> None:
        """Keep one array."""
        ...

    def has_arrays(self, name: str) -> bool:
        """Whether there are several under a name, undamaged."""
        ...

    def load_arrays(self, name: str) -> dict[str, NDArray[Any]] | None:
        """The several of a name; None if there are none."""
        ...

    def save_arrays(self, name: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Keep several arrays under a name."""
        ...

    def remove(self, name: str) -> None:
        """Keep nothing under a name."""
        ...


class KeptStates:
    """The states that a store has. A border is the frame before which a pass crosses it.

    Args:
        store: Where they are.
        fingerprint: Of the segment, as `Film.fingerprint_of` makes it.
        segment: The segment.
    """

    def __init__(self, store: Arrays, fingerprint: str, segment: Segment) -> None:
        self._store, self._fingerprint, self._segment = store, fingerprint, segment

    def has(self, direction: int, border: int) -> bool:
        """Whether there is one, undamaged."""
        return self._store.has_arrays(self.name(direction, border))

    def nearest(self, direction: int, at: int) -> int:
        """The border from which a pass leads to the border `at` by the fewest steps.

        Where there is none with a state, it is the segment's edge.
        """
        borders = self._segment.borders
        if direction == FORWARD:
            here = (border for border in reversed(borders) if border <= at)
            edge = self._segment.start
        else:
            here = (border for border in borders if border >= at)
            edge = self._segment.stop
        return next((border for border in here if self.has(direction, border)), edge)

    def load(self, direction: int, border: int, *, like: State, session: Session) -> State:
        """The state at a border; at the segment's edge it is `like`, the one that the pass starts
        from.
        """
        if border in (self._segment.start, self._segment.stop):
            return like
        arrays = self._store.load_arrays(self.name(direction, border))
        if arrays is None:
            raise AssertionError(f"there is no state at {border}")
        return state_from_arrays(arrays, like=like, session=session)

    def save(self, direction: int, border: int, state: State, *, session: Session) -> None:
        """Keep a state, if this is a border."""
        if border in self._segment.borders:
            self._store.save_arrays(self.name(direction, border), state_to_arrays(state, session))

    def clear(self, but: int | None = None) -> None:
        """Remove all of them, but for those at a border."""
        for pass_ in self._segment.passes:
            for border in self._segment.borders:
                if border != but:
                    self._store.remove(self.name(pass_.direction, border))

    def name(self, direction: int, border: int) -> str:
        """What the store knows a state by."""
        way = "forward" if direction == FORWARD else "backward"
        return f"{STATE}{border:07}.{way}.{self._fingerprint}"
