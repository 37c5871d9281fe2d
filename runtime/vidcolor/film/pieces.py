"""What is asked for of a film, divided into the pieces in which it is coloured and stored."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice, pairwise
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
    offset: int
    """How many frames the store has of that name in front of them: it may be stored with others."""
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

    def of_stored[T](self, items: Iterable[T]) -> Iterator[T]:
        """Of what the store has for each frame of that name, that of its own frames."""
        return islice(items, self.offset, self.offset + len(self.part))

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
    stored = stored_parts(store)
    return [
        piece
        for segment in film.segments
        for piece in _plan_segment(film, store, stored, segment, is_hidden=film.is_hidden(segment))
    ]


def plan_ranges(film: Film, store: Store) -> list[Piece]:
    """The frames of the part that keys with a range hold for, coloured or to be coloured."""
    stored = stored_parts(store)
    return [
        piece
        for segment in film.range_segments
        for piece in _plan_segment(film, store, stored, segment, is_hidden=False)
    ]


def batches(pieces: Sequence[Piece]) -> list[Batch]:
    """The same in batches, in order."""
    alike = groupby(pieces, lambda piece: (piece.segment, piece.is_stored, piece.is_found))
    return [Batch(tuple(of_one)) for _, of_one in alike]


@dataclass
class _Draft:
    """A piece while it is planned."""

    part: range
    fingerprint: str
    whole: range
    """The frames that the store has it with."""
    is_stored: bool
    is_found: bool
    reach: range
    steps: int = 0

    @property
    def name(self) -> str:
        return _name(self.whole, self.fingerprint)

    @property
    def is_missing(self) -> bool:
        """Whether the model has to find its colours."""
        return not (self.is_stored or self.is_found)

    def lose(self) -> None:
        """Have it coloured once more."""
        self.whole, self.is_stored, self.is_found = self.part, False, False


def _plan_segment(
    film: Film, store: Store, stored: StoredParts, segment: Segment, *, is_hidden: bool
) -> Iterator[Piece]:
    fingerprint = film.fingerprint_of(segment)
    drafts = [
        _draft(part, fingerprint, store, stored.get(fingerprint, ()))
        for part in segment.parts(film.part)
    ]
    is_gray = film.is_gray(segment)
    is_at_hand = not any(draft.is_missing for draft in drafts)
    if not (segment.is_key or is_gray or is_hidden or is_at_hand):
        states = KeptStates(store, fingerprint, segment)
        if not segment.is_only_backward:
            _reach_forward(drafts, states)
        if segment.has_backward_pass:
            _reach_backward(drafts, states, store, alone=segment.is_only_backward)
        if not segment.is_only_backward:
            for draft in drafts:
                draft.steps += draft.part.stop - draft.reach.start if draft.is_missing else 0
    for draft in drafts:
        yield Piece(
            segment,
            draft.part,
            draft.name,
            offset=draft.part.start - draft.whole.start,
            is_stored=draft.is_stored,
            is_found=draft.is_found,
            is_gray=is_gray,
            is_hidden=is_hidden,
            reach=draft.reach,
            steps=draft.steps,
        )


def _draft(part: range, fingerprint: str, store: Store, stored: Iterable[range]) -> _Draft:
    """A part as the store has it, alone or with other frames."""
    holders = (part, *(each for each in stored if each != part and _holds(each, part)))
    whole = next((each for each in holders if _name(each, fingerprint) in store), None)
    is_found = whole is None and store.has_array(_found(_name(part, fingerprint)))
    return _Draft(part, fingerprint, whole or part, whole is not None, is_found, reach=part)


def _holds(whole: range, part: range) -> bool:
    return whole.start <= part.start and part.stop <= whole.stop


def _reach_forward(drafts: Sequence[_Draft], states: KeptStates) -> None:
    """Where there is no state to begin a piece from, the one before it is coloured, too."""
    for before, draft in reversed(list(pairwise(drafts))):
        if draft.is_missing and not states.has(FORWARD, draft.part.start):
            before.lose()
    first = drafts[0]
    if first.is_missing:
        first.reach = range(states.nearest(FORWARD, first.part.start), first.part.stop)


def _reach_backward(
    drafts: Sequence[_Draft], states: KeptStates, store: Store, *, alone: bool
) -> None:
    """What the backward pass goes over: from the state behind those that lack what it finds.

    Where there is no such state, the piece behind is coloured, too. Where the pass is not alone,
    the forward one goes over all from the first missing one on.
    """
    is_passed = False
    for draft, after in pairwise(drafts):
        if draft.is_missing and not alone:
            after.lose()
        is_passed = draft.is_missing and (is_passed or _lacks_behind(draft, store))
        is_passed = is_passed and not states.has(BACKWARD, draft.part.stop)
        if is_passed:
            after.lose()
    for is_missing, found in groupby(drafts, lambda draft: draft.is_missing):
        run = list(found)
        lacking = [draft for draft in run if _lacks_behind(draft, store)]
        if not is_missing or not lacking:
            continue
        last, border = run[-1], states.nearest(BACKWARD, lacking[-1].part.stop)
        last.reach = range(last.reach.start, max(last.part.stop, border))
        for draft in run:
            draft.steps += max(0, min(border, draft.reach.stop) - draft.part.start)


def _lacks_behind(draft: _Draft, store: Store) -> bool:
    return not store.has_array(_behind(draft.name))


def _name(part: range, fingerprint: str) -> str:
    return f"{part.start:07}-{part.stop - 1:07}.{fingerprint}"


StoredParts = Mapping[str, Sequence[range]]
"""Fingerprint of a segment -> the frames of which there are parts."""

_PART_NAME = re.compile(r"(\d+)-(\d+)\.([0-9a-f]+)")


def stored_parts(store: Store) -> StoredParts:
    """The parts that a store has by their names, sound or not."""
    found: dict[str, list[range]] = {}
    for name, kind in sorted(store.names):
        if kind == "nut" and (match := _PART_NAME.fullmatch(name)):
            found.setdefault(match[3], []).append(range(int(match[1]), int(match[2]) + 1))
    return found


def _behind(name: str) -> str:
    return f"behind.{name}"


def _found(name: str) -> str:
    return f"found.{name}"
