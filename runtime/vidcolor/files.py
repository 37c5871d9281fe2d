"""Files: written whole or not at all, and what the system says of them told in a sentence."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile

from vidcolor.errors import MediaError, VidcolorError

_LONGEST_STEM = 40
"""Characters of a file's name that its temporary name keeps: a name may have 255 bytes."""


_FULL = {errno.ENOSPC, errno.EDQUOT}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


def write_whole(path: Path, data: bytes, *, argument: str = "output") -> None:
    """Write a file whole or not at all.

    Args:
        path: The file. One that is there already is replaced at the end.
        data: All of its content.
        argument: What the error calls the file, such as an option's name.

    Raises:
        MediaError: It cannot be written. A file that was there before is unchanged.
    """
    with whole_file(path, argument=argument) as partial:
        partial.write_bytes(data)


@contextmanager
def whole_file(path: Path, *, argument: str = "output") -> Iterator[Path]:
    """Write a file under a temporary name that becomes its own name when all went well.

    The temporary file is new: no other process has its name, and no link is followed. It ends like
    `path`. The data is on the disk before the name changes, so a power cut leaves no half file.

    Args:
        path: The file. One that is there already is replaced at the end.
        argument: What the error calls the file, such as an option's name.

    Yields:
        The temporary file, empty, in the folder of `path`. It is removed if the block fails.

    Raises:
        MediaError: The file cannot be written, or the block raised an OSError.
    """
    name = f".{path.stem[:_LONGEST_STEM]}.{secrets.token_hex(4)}.partial{path.suffix}"
    partial = path.with_name(name)
    with write_errors(path, argument=argument):
        os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
        try:
            yield partial
            _sync(partial)
            partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise


def check_writable(path: Path, *, argument: str = "output") -> None:
    """Check, before the work, that a file can be written where it belongs.

    Args:
        path: The file to write, in a folder that exists.
        argument: What the error calls the file, such as an option's name.

    Raises:
        MediaError: It cannot be written: there is no right to, no space, or a folder of its name.
    """
    with write_errors(path, argument=argument):
        if path.is_dir():
            raise MediaError(f"{argument}: {path} is a folder, the name of a file is needed")
        TemporaryFile(dir=path.parent).close()


@contextmanager
def write_errors(path: Path, *, argument: str = "output") -> Iterator[None]:
    """Turn errors of the system, while a file is written, into a sentence with the remedy.

    Args:
        path: The file.
        argument: What the error calls it, such as an option's name.

    Raises:
        MediaError: For an OSError of the block. Those that are sentences already stay as they are.
    """
    try:
        yield
    except VidcolorError:
        raise
    except OSError as error:
        raise cannot_write(path, error, argument=argument) from error


def cannot_write(path: Path, error: Exception, *, argument: str = "output") -> MediaError:
    """The sentence for a file that cannot be written.

    Args:
        path: The file.
        error: What the system, or FFmpeg, says.
        argument: What the sentence calls the file, such as an option's name.
    """
    number, remedy = getattr(error, "errno", None), ""
    if number in _FULL:
        remedy = "; free some space on its disk, or write it to another folder"
    elif number in _FORBIDDEN:
        remedy = "; write it to another folder"
    reason = getattr(error, "strerror", None) or error
    return MediaError(f"{argument}: {path} cannot be written ({reason}){remedy}")


@contextmanager
def named_errors(sentence: str, kind: type[VidcolorError] = MediaError) -> Iterator[None]:
    """Turn errors of the system into a sentence.

    Args:
        sentence: What cannot be done, beginning with the argument that it is about.
        kind: The class of the error to raise.

    Raises:
        VidcolorError: Of class `kind`, for an OSError of the block, with the system's own words.
            Those that are sentences already stay as they are.
    """
    try:
        yield
    except VidcolorError:
        raise
    except OSError as error:
        raise kind(f"{sentence} ({error.strerror or error})") from error


def _sync(path: Path) -> None:
    """Wait until the content of a file is on the disk."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
