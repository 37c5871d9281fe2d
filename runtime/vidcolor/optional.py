"""Libraries that only a part of vidcolor needs. They are imported when they are used."""

from __future__ import annotations

import importlib
from typing import Any

from vidcolor.errors import MissingLibraryError


def require(module: str, *, library: str, extra: str, purpose: str) -> Any:
    """Import a module of an optional library.

    Args:
        module: Its full name, such as 'scipy.sparse'.
        library: What the error calls the library, such as 'SciPy'.
        extra: The extra of vidcolor that installs it.
        purpose: What it is needed for, as the beginning of a sentence.

    Returns:
        The module.

    Raises:
        MissingLibraryError: The library is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingLibraryError(
            f"{purpose} needs {library}, which is not installed; "
            f'install it with `pip install "vidcolor[{extra}]"`'
        ) from error
