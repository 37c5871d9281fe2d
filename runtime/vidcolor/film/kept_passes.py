"""The passes of a segment, kept on the way, so that a job that was stopped goes on from there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vidcolor.film.job import Film
from vidcolor.film.kept_states import Arrays, KeptStates
from vidcolor.film.pieces import Batch, Piece
from vidcolor.film.propagate import Colors, Passes, Planes, pack, unpack
from vidcolor.planes import Key
from vidcolor.propagate import Propagator, State
from vidcolor.timeline import BACKWARD, FORWARD


class KeptPasses(Passes):
    """Passes that go on from what a store has of them, and give it more.

    It is given the state at each border between pieces, and what the backward pass finds for each
    piece.

    Args:
        propagator: The model.
        batch: What is to be coloured.
        fingerprint: Of its segment, as `Film.fingerprint_of` makes it.
        keys: Frame -> key at working size, of those in `segment.keys` at least.
        references: At working size, those that the segment is coloured from.
        store: What keeps it.
    """

    def __init__(
        self,
        propagator: Propagator,
        batch: Batch,
        fingerprint: str,
        *,
        keys: Mapping[int, Key],
        references: Sequence[Key],
        store: Arrays,
    ) -> None:
        super().__init__(
            propagator,
            batch.segment,
            batch.part,
            keys=keys,
            references=references,
            allocate=store.allocate,
        )
        self._store, self._batch = store, batch
        self._states = KeptStates(store, fingerprint, batch.segment)
        self._piece = batch.pieces[0]
        self._planes: Planes | None = None
        """What the backward pass finds, or has found, for `_piece`."""

    def begin(self, direction: int) -> tuple[State, range]:
        """As in `Passes`, but from the nearest state that the store has."""
        first = self.first_state(direction)
        border = first_border(direction, self._batch, self._states, self._store)
        if border is None:
            return first, range(0)
        if direction == FORWARD:
            frames = range(border, self.part.stop)
        else:
            frames = range(border - 1, self.part.start - 1, -1)
        session = self.propagator.session
        return self._states.load(direction, border, like=first, session=session), frames

    def passed(self, direction: int, frame: int, state: State) -> None:
        """Gives the store what the work can go on from."""
        is_forward = direction == FORWARD
        border = frame + 1 if is_forward else frame
        if not is_forward and self._planes is not None and border == self._piece.part.start:
            self._store.save_array(self._piece.behind, self._planes)
            self._planes = None
        if border != (self.part.stop if is_forward else self.part.start):
            self._states.save(direction, border, state, session=self.propagator.session)

    def keep_behind(self, frame: int, colors: Colors) -> None:
        """As in `Passes`; until a whole piece is passed, which the store gets."""
        piece = self._piece_of(frame)
        if self._store.has_array(piece.behind):
            return
        if self._planes is None:
            shape = len(piece.part), 3, *colors.confidence.shape
            self._planes = self.allocate(shape)
        pack(colors, self._planes[frame - piece.part.start])

    def behind(self, frame: int) -> Colors:
        """As in `Passes`."""
        before, piece = self._piece, self._piece_of(frame)
        if self._planes is None or piece is not before:
            self._planes = self._store.load_array(piece.behind)
        return unpack(self._planes[frame - piece.part.start])

    def _piece_of(self, frame: int) -> Piece:
        if frame not in self._piece.part:
            [self._piece] = [piece for piece in self._batch.pieces if frame in piece.part]
        return self._piece


def first_border(direction: int, batch: Batch, states: KeptStates, store: Arrays) -> int | None:
    """The border at which a pass over a batch begins, or the segment's edge.

    Args:
        direction: Of the pass.
        batch: What is to be coloured.
        states: Those that there are of its segment.
        store: Where they are.

    Returns:
        None where the backward pass has found all that it can find.
    """
    if direction == FORWARD:
        return batch.reach.start
    lacking = [piece for piece in batch.pieces if not store.has_array(piece.behind)]
    return states.nearest(BACKWARD, lacking[-1].part.stop) if lacking else None


def discard(film: Film, store: Arrays, pieces: Sequence[Piece], index: int) -> None:
    """Remove what has led to a piece that is stored now.

    With the last one of its segment, the segment's states go. Where it has one pass, the last one
    is left: when a cut is moved, the pass goes on from there.

    Args:
        film: The film.
        store: Where it is.
        pieces: All pieces of the film.
        index: Of the one.
    """
    piece, segment = pieces[index], pieces[index].segment
    store.remove(piece.behind)
    store.remove(piece.found)
    if index + 1 < len(pieces) and pieces[index + 1].segment == segment:
        return
    last = None
    if segment.is_only_backward:
        last = next(each.part.stop for each in pieces if each.segment == segment)
    elif len(segment.passes) == 1:
        last = piece.part.start
    KeptStates(store, film.fingerprint_of(segment), segment).clear(but=last)
