"""Imports that take seconds."""

from __future__ import annotations

import gc
from importlib import import_module
from types import ModuleType


def import_at_once(name: str) -> ModuleType:
    """Import a module that needs PyTorch.

    Python's collector of garbage stands still meanwhile: it would go through what was imported
    again and again, and take a fifth of the time.

    Args:
        name: Of the module, with its packages.

    Returns:
        The module.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        return import_module(name)
    finally:
        if was_on:
            gc.enable()
