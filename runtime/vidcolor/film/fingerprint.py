"""Short digests of all that the colours of a film depend on: the same digest, the same colours."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from vidcolor import __version__
from vidcolor.inference import contract
from vidcolor.inference.bundle import find_bundle
from vidcolor.inference.providers import onnxruntime
from vidcolor.inference.session import Session
from vidcolor.media.sequence import find_pictures
from vidcolor.planes import Key

_END_BYTES = 1 << 20
"""How much of a film is read at its beginning and end: all of it would take minutes."""


def digest(*parts: object) -> str:
    """Digest of values whose `repr` says all there is to know of them."""
    return hashlib.blake2b(repr(parts).encode(), digest_size=10).hexdigest()


def fingerprint_film(path: Path) -> str:
    """Digest of a film's size, time of change, beginning and end.

    Of numbered pictures: of the name, the size and the time of change of each.

    Raises:
        OSError: The film cannot be read.
    """
    if pictures := find_pictures(path):
        statuses = {picture.name: picture.stat() for picture in pictures.values()}
        return digest([(name, s.st_size, s.st_mtime_ns) for name, s in statuses.items()])
    status = path.stat()
    with path.open("rb") as film:
        ends = [film.read(_END_BYTES)]
        film.seek(max(0, status.st_size - _END_BYTES))
        ends.append(film.read())
    return digest(status.st_size, status.st_mtime_ns, digest_bytes(ends))


def fingerprint_model(model: str | Path, session: Session) -> str:
    """Digest of a loaded model's files and of the software that runs it."""
    bundle = find_bundle(model)
    graphs = contract.graph_paths(bundle, session.precision).values()
    content = digest_bytes(path.read_bytes() for path in graphs)
    return digest(software_versions(), session.provider, content)


def software_versions() -> str:
    """Names and versions of what computes colours."""
    return f"vidcolor {__version__} with onnxruntime {onnxruntime().__version__}"


def fingerprint_key(key: Key) -> str:
    """Digest of a key's chroma and weight. Its luma is not used."""
    weight = b"" if key.weight is None else key.weight.tobytes()
    return digest(key.chroma.shape, digest_bytes([key.chroma.tobytes(), weight]))


def fingerprint_reference(reference: Key) -> str:
    """Digest of a reference: of its luma, too, by which it is compared."""
    return digest(fingerprint_key(reference), digest_bytes([reference.luma.tobytes()]))


def digest_bytes(pieces: Iterable[bytes]) -> str:
    """Digest of bytes that come in pieces."""
    state = hashlib.blake2b(digest_size=16)
    for piece in pieces:
        state.update(piece)
    return state.hexdigest()
