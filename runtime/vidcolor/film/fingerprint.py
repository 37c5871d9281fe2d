"""What the colours of a film depend on, as short digests: the same digest, the same colours."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from vidcolor import __version__
from vidcolor.inference import contract
from vidcolor.inference.bundle import find_bundle
from vidcolor.inference.providers import onnxruntime
from vidcolor.inference.session import Session
from vidcolor.planes import Key

_LOOK = 1 << 20
"""Bytes at each end of a film that are looked at: reading all of a film would take minutes."""


def digest(*parts: object) -> str:
    """Of values whose `repr` says all there is to know of them."""
    return hashlib.blake2b(repr(parts).encode(), digest_size=10).hexdigest()


def of_film(path: Path) -> str:
    """Of a film's size, age, beginning and end."""
    status = path.stat()
    with path.open("rb") as film:
        ends = [film.read(_LOOK)]
        film.seek(max(0, status.st_size - _LOOK))
        ends.append(film.read())
    return digest(status.st_size, status.st_mtime_ns, _of_bytes(ends))


def of_model(model: str | Path, session: Session) -> str:
    """Of a loaded model and of what runs it."""
    bundle = find_bundle(model)
    graphs = [contract.graph_path(bundle, name, session.precision) for name in contract.GRAPHS]
    return digest(of_software(), session.provider, _of_bytes(path.read_bytes() for path in graphs))


def of_software() -> str:
    """Of what computes colours, in words."""
    return f"vidcolor {__version__} with onnxruntime {onnxruntime().__version__}"


def of_key(key: Key) -> str:
    """Of a key's colours and where it is painted; its luma is of no account."""
    weight = b"" if key.weight is None else key.weight.tobytes()
    return digest(key.chroma.shape, _of_bytes([key.chroma.tobytes(), weight]))


def _of_bytes(pieces: Iterable[bytes]) -> str:
    state = hashlib.blake2b(digest_size=16)
    for piece in pieces:
        state.update(piece)
    return state.hexdigest()
