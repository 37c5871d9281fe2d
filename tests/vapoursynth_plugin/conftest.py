from __future__ import annotations

from pathlib import Path

import pytest

from tests import need
from vidcolor.session import Session

need.vapoursynth()


@pytest.fixture(scope="session")
def session(toy_bundle: Path) -> Session:
    return Session.load(toy_bundle, provider="cpu")
