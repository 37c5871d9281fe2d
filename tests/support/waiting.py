"""How long a test waits for what should happen at once.

A test passes as soon as it has happened, however busy the machine is. Only one that fails waits so
long.
"""

from __future__ import annotations

DEADLINE = 300
"""Seconds."""
