"""Files that `vidcolor advise` wrote and that nobody has changed since: it replaces no others.

A digest of the file's own bytes is part of it, in a place that its format has for text. Whatever
changes the picture, or saves it anew, leaves a file that is no longer vidcolor's own.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from pathlib import Path

_PROGRAM = b"vidcolor advise "
_DIGEST = 32
"""Letters of a digest."""
_PNG, _PNG_END = b"\x89PNG\r\n\x1a\n", struct.pack(">I4sI", 0, b"IEND", zlib.crc32(b"IEND"))
_JPEG, _JPEG_END = b"\xff\xd8\xff", b"\xff\xd9"


def sign(data: bytes) -> bytes:
    """Put the digest into a file.

    Args:
        data: A PNG or a JPEG, whole.

    Returns:
        The same picture.
    """
    end = _PNG_END if data.startswith(_PNG) else _JPEG_END
    body = data.removesuffix(end)
    digest = hashlib.blake2b(body, digest_size=_DIGEST // 2).hexdigest().encode()
    return body + _comment(digest, end) + end


def is_own(path: Path) -> bool:
    """Whether a file is as `sign` left it. Raises OSError if it cannot be read."""
    data = path.read_bytes()
    ends = {_PNG: _PNG_END, _JPEG: _JPEG_END}
    end = next((end for start, end in ends.items() if data.startswith(start)), b"")
    size = len(_comment(b"0" * _DIGEST, end) + end)
    return bool(end) and sign(data[:-size] + end) == data


def _comment(digest: bytes, end: bytes) -> bytes:
    """What goes before a file's end."""
    text = _PROGRAM + digest
    if end == _JPEG_END:
        return b"\xff\xfe" + struct.pack(">H", 2 + len(text)) + text
    chunk = b"tEXt" + b"Software\0" + text
    return struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
