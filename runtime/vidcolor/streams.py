"""Standard output and standard error, whatever state the process was given them in."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from types import TracebackType
from typing import Any, Self, TextIO, cast

BROKEN_PIPE = 141
"""Exit status when nobody reads the output any more: 128 + SIGPIPE."""


class StandardStreams:
    """Makes stdout and stderr safe to write to while it is entered.

    Streams that are closed write to nowhere. Characters that a stream's encoding lacks are written
    as escapes. Output is complete when it is left: a full disk or a closed pipe raises OSError
    then, and not while Python exits. Failures of stderr are ignored, for there is nowhere to tell
    them.
    """

    def __enter__(self) -> Self:
        self._before = sys.stdout, sys.stderr
        _open_closed()
        sys.stdout = _writable(sys.stdout, 1)
        sys.stderr = cast("TextIO", _Forgiving(_writable(sys.stderr, 2)))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        stdout, stderr = sys.stdout, sys.stderr
        try:
            stdout.flush()
        except OSError as failure:
            _discard(stdout)
            if isinstance(failure, BrokenPipeError):
                raise
            print(
                f"vidcolor: standard output cannot be written to ({failure.strerror})", file=stderr
            )
            raise SystemExit(1) from None
        finally:
            try:
                self._before[1].flush()
            except (AttributeError, OSError, ValueError):
                _discard(stderr)
            sys.stdout, sys.stderr = self._before


class _Forgiving:
    """A text stream that ignores what cannot be written."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _open_closed() -> None:
    """Open the null device in place of closed descriptors, or the next file would take them."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free descriptor


def _writable(stream: TextIO | None, descriptor: int) -> TextIO:
    """The stream, or where the process has none a new one; it can write any character."""
    if stream is None:
        stream = os.fdopen(descriptor, "w", encoding="utf-8", closefd=False)
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
    return stream


def _discard(stream: TextIO) -> None:
    """Let what a stream still holds go to nowhere, so that Python does not fail at exit."""
    with contextlib.suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
