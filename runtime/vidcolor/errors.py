"""One error class per cause. Each is also the builtin error a Python user would expect to catch.

A message is one sentence that names the argument, what was got, and what is accepted.
"""


class VidcolorError(Exception):
    """Root of every error vidcolor raises on purpose; front ends print it without a traceback."""


class ArgumentError(VidcolorError, ValueError):
    """An argument has a value that is not accepted."""


class KeyFrameError(ArgumentError):
    """A key frame does not fit the clip it should colour."""


class BundleNotFoundError(VidcolorError, FileNotFoundError):
    """No model bundle, or no image colorizer, has this name or lies at this path."""


class BundleError(VidcolorError, ValueError):
    """A model bundle is damaged, incomplete, or breaks the contract of `vidcolor.contract`; or a
    file is no image colorizer as `vidcolor.inference.colorizer` knows them.
    """


class ProviderError(VidcolorError, RuntimeError):
    """The execution provider that was asked for is not available on this machine."""


class MediaError(VidcolorError, OSError):
    """A video or image cannot be read or written."""


class ClusterError(VidcolorError, ConnectionError):
    """Other machines cannot be reached, or do not do what they should."""


class MissingLibraryError(VidcolorError, ImportError):
    """A library that this part of vidcolor needs, one of its extras, is not installed."""
