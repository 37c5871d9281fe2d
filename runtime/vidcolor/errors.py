"""One error class per cause. Each is also the builtin error that Python users expect.

A message is one sentence: the argument, its value, and what is accepted.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class VidcolorError(Exception):
    """Base of all errors that vidcolor raises on purpose; front ends print them in one sentence."""


class ArgumentError(VidcolorError, ValueError):
    """An argument has a value that is not accepted."""


class KeyFrameError(ArgumentError):
    """A key frame does not fit the clip it should colour."""


class BundleNotFoundError(VidcolorError, FileNotFoundError):
    """No model bundle, or no image colorizer, has this name or lies at this path."""


class BundleError(VidcolorError, ValueError):
    """A model is damaged, incomplete, breaks its contract, or gives values that mean nothing.

    Model bundles have the contract of `vidcolor.inference.contract`, image colorizers that of
    `vidcolor.inference.colorizer`.
    """


class ProviderError(VidcolorError, RuntimeError):
    """The requested execution provider is not available on this machine."""


class ProviderWarning(RuntimeWarning):
    """An execution provider is not used as it could be; colours are right all the same."""


class PictureWarning(RuntimeWarning):
    """An image file is damaged, and its pixels are not all what they were."""


class MediaError(VidcolorError, OSError):
    """A video or image cannot be read or written."""


class BusyError(VidcolorError, BlockingIOError):
    """Another process is at work on what was asked for."""


class ClusterError(VidcolorError, ConnectionError):
    """Other machines cannot be reached, or failed."""


class MissingLibraryError(VidcolorError, ImportError):
    """An optional library that this part of vidcolor needs is not installed."""


@contextmanager
def renamed_argument(name: str, *, of: str = "clip") -> Iterator[None]:
    """Have errors name the argument that was given, where a function calls it something else.

    Args:
        name: Its name for whoever gave it.
        of: What sentences of errors in the block begin with instead.

    Raises:
        VidcolorError: As the block does, of the same class.
    """
    try:
        yield
    except VidcolorError as error:
        begin, colon, sentence = str(error).partition(": ")
        if begin != of or not colon:
            raise
        raise type(error)(f"{name}: {sentence}") from error


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that there is not enough memory, in a library's own way."""
    if isinstance(error, MemoryError):
        return True
    library, text = type(error).__module__.partition(".")[0], str(error)
    if library == "cv2":
        return "Insufficient memory" in text
    if library == "onnxruntime":
        return "bad_alloc" in text or "Failed to allocate memory" in text
    return isinstance(error, RuntimeError) and "can't start new thread" in text
