"""What is told of the work that is kept: that some of it cannot be used, and that none is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from vidcolor.film.pieces import Piece, stored_parts
from vidcolor.film.store import Store

Note = Callable[[str], None]


def tell_what_does_not_fit(store: Store, pieces: Sequence[Piece], note: Note) -> None:
    """Tell of files that are damaged, and where all that is kept is of something else.

    Args:
        store: What is kept.
        pieces: All that is to be coloured, as planned.
        note: Told.
    """
    if count := len(store.damaged):
        files = f"{count} damaged file{'s' * (count > 1)}"
        note(f"{files} in {store.folder} will not be used: those frames are coloured again")
    elif stored_parts(store) and not any(piece.is_stored or piece.is_found for piece in pieces):
        note(
            f"nothing that is kept in {store.folder} fits: the film's file, the keys, --size, the "
            "model, the output's format or vidcolor itself is another one; all is coloured anew"
        )


@contextmanager
def told_when_stopped(store: Store, pieces: Sequence[Piece], note: Note) -> Iterator[None]:
    """Says what is not lost, to somebody who stops the work.

    Args:
        store: What is kept.
        pieces: Those of the film.
        note: Told.
    """
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        if store.has_work:
            finished = sum(
                len(piece.part)
                for piece in pieces
                if piece.name in store or store.has_array(piece.found)
            )
            note(
                f"{finished} of {sum(len(piece.part) for piece in pieces)} frames are finished; "
                f"what is done is kept in {store.folder}, and the same command goes on from there"
            )
        raise
