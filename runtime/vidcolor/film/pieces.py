"""What is asked for of a film, divided into the pieces in which it is coloured and stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import NamedTuple

from vidcolor.film.job import Film
from vidcolor.film.kept_states import KeptStates
from vidcolor.film.segments import Segment
from vidcolor.film.store import Store
from vidcolor.timeline import BACKWARD, FORWARD


class Piece(NamedTuple):
    """Frames of a segment that are stored together."""

    segment: Segment
    part: range
    """Those frames."""
    name: str
    """What the store knows their chroma by: a fingerprint of all that it depends on."""
    is_stored: bool
    """Whether the store has it, and nothing behind it needs it to be coloured once more."""
    is_found: bool
    """Whether the store has its colours at working size, as workers leave them."""
    is_gray: bool
    """Whether it has no key and stays gray."""
    is_hidden: bool
    """Whether none of its segment's frames shows: all are in the ranges of keys."""
    reach: range
    """The frames that have to be read for it, after the piece before it."""
    steps: int
    """Of the model that it takes."""

    @property
    def needs_model(self) -> bool:
        """Whether its colours are yet to be found by the model."""
        at_hand = self.is_stored or self.is_found
        return not (at_hand or self.is_gray or self.is_hidden or self.segment.is_key)

    @property
    def behind(self) -> str:
        """What the store knows by what the backward pass has found for it."""
        return _behind(self.name)

    @property
    def found(self) -> str:
        """What the store knows its colours at working size by."""
        return _found(self.name)


class Batch(NamedTuple):
    """Pieces of a segment in a row that are at hand, or that are coloured together."""

    pieces: tuple[Piece, ...]

    @property
    def segment(self) -> Segment:
        """That they are of."""
        return self.pieces[0].segment

    @property
    def part(self) -> range:
        """Their frames."""
        return range(self.pieces[0].part.start, self.pieces[-1].part.stop)

    @property
    def reach(self) -> range:
        """The frames that have to be read for them."""
        return range(self.pieces[0].reach.start, self.pieces[-1].reach.stop)

    @property
    def needs_model(self) -> bool:
        """As in `Piece`."""
        return self.pieces[0].needs_model

    @property
    def is_stored(self) -> bool:
        """As in `Piece`."""
        return self.pieces[0].is_stored

    @property
    def is_found(self) -> bool:
        """As in `Piece`."""
        return self.pieces[0].is_found


def plan_pieces(film: Film, store: Store) -> list[Piece]:
    """All frames of the part, coloured or to be coloured from the keys without a range."""
    return [
        piece
        for segment in film.segments
        for piece in _plan_segment(film, store, segment, is_hidden=film.is_hidden(segment))
    ]


def plan_ranges(film: Film, store: Store) -> list[Piece]:
    """The frames of the part that keys with a range hold for, coloured or to be coloured."""
    return [
        piece
        for segment in film.range_segments
        for piece in _plan_segment(film, store, segment, is_hidden=False)
    ]


def batches(pieces: Sequence[Piece]) -> list[Batch]:
    """The same in batches, in order."""
    alike = groupby(pieces, lambda piece: (piece.segment, piece.is_stored, piece.is_found))
    return [Batch(tuple(of_one)) for _, of_one in alike]


@dataclass
class _Draft:
    """A piece while it is planned."""

    part: range
    name: str
    is_stored: bool
    is_found: bool
    reach: range
    steps: int = 0

    @property
    def is_missing(self) -> bool:
        """Whether the model has to find its colours."""
        return not (self.is_stored or self.is_found)

    def lose(self) -> None:
        """Have it coloured once more."""
        self.is_stored = self.is_found = False


def _plan_segment(
    film: Film, store: Store, segment: Segment, *, is_hidden: bool
) -> Iterator[Piece]:
    fingerprint = film.fingerprint_of(segment)
    drafts = []
    for part in segment.parts(film.part):
        name = f"{part.start:07}-{part.stop - 1:07}.{fingerprint}"
        is_stored = name in store
        is_found = not is_stored and store.has_array(_found(name))
        drafts.append(_Draft(part, name, is_stored, is_found, reach=part))
    is_gray = film.is_gray(segment)
    is_at_hand = not any(draft.is_missing for draft in drafts)
    if not (segment.is_key or is_gray or is_hidden or is_at_hand):
        states = KeptStates(store, fingerprint, segment)
        directions = {pass_.direction for pass_ in segment.passes}
        if FORWARD in directions:
            _reach_forward(drafts, states)
        if BACKWARD in directions:
            _reach_backward(drafts, states, store)
        if FORWARD in directions:
            for draft in drafts:
                draft.steps += draft.part.stop - draft.reach.start if draft.is_missing else 0
    for draft in drafts:
        yield Piece(
            segment,
            draft.part,
            draft.name,
            is_stored=draft.is_stored,
            is_found=draft.is_found,
            is_gray=is_gray,
            is_hidden=is_hidden,
            reach=draft.reach,
            steps=draft.steps,
        )


def _reach_forward(drafts: Sequence[_Draft], states: KeptStates) -> None:
    """Where there is no state to begin a piece from, the one before it is coloured, too."""
    for before, draft in reversed(list(pairwise(drafts))):
        if draft.is_missing and not states.has(FORWARD, draft.part.start):
            before.lose()
    first = drafts[0]
    if first.is_missing:
        first.reach = range(states.nearest(FORWARD, first.part.start), first.part.stop)


def _reach_backward(drafts: Sequence[_Draft], states: KeptStates, store: Store) -> None:
    """All from the first missing one on are coloured, from the state behind those that lack what
    the backward pass finds.
    """
    missing = drafts[[draft.is_missing for draft in drafts].index(True) :]
    for draft in missing:
        draft.lose()
    lacking = [draft for draft in missing if not store.has_array(_behind(draft.name))]
    if not lacking:
        return
    last, border = missing[-1], states.nearest(BACKWARD, lacking[-1].part.stop)
    last.reach = range(last.reach.start, max(last.part.stop, border))
    for draft in missing:
        draft.steps += max(0, min(border, draft.reach.stop) - draft.part.start)


def _behind(name: str) -> str:
    return f"behind.{name}"


def _found(name: str) -> str:
    return f"found.{name}"
