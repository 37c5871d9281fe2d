from __future__ import annotations

from tests.runtime.commands.conftest import steps

__all__ = ["steps"]
