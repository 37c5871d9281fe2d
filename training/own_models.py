"""Generators of your own: a class that is named as `package.module:Class` and lies anywhere."""

from __future__ import annotations

import importlib
import inspect

from training.models import GENERATORS
from training.models.base import Generator
from vidcolor.errors import ArgumentError


def is_own(name: str) -> bool:
    """Whether a generator's name is that of a class outside `training.models`."""
    return ":" in name


def learn(name: str) -> None:
    """Import a generator of somebody's own and add it to `GENERATORS` under this name.

    A checkpoint names its generator, and loading it looks that name up in `GENERATORS`. So only
    code that the user named runs, and never what a checkpoint from elsewhere names.

    Args:
        name: ``package.module:Class``. One of ours is known already: nothing happens.

    Raises:
        ArgumentError: There is no such module or class, or it is not a complete generator.
    """
    if not is_own(name) or name in GENERATORS:
        return
    module, _, attribute = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise ArgumentError(f"model is {name!r}, which cannot be imported: {error}") from error
    if not (inspect.isclass(found) and issubclass(found, Generator)):
        raise ArgumentError(
            f"model is {name!r}, which is no subclass of "
            f"{Generator.__module__}.{Generator.__name__}"
        )
    if missing := sorted(found.__abstractmethods__):
        raise ArgumentError(f"model is {name!r}, which does not define {', '.join(missing)}")
    GENERATORS[name] = found
