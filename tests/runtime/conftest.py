from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest


@pytest.fixture
def heeded_interrupts() -> Iterator[None]:
    """Processes started meanwhile heed Ctrl-C, also where the tests run in the background, whose
    processes a shell makes deaf to it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
