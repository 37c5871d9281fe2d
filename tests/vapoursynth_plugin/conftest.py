from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import need
from vidcolor.inference.session import Session

need.vapoursynth()


@pytest.fixture(scope="session")
def session(toy_bundle: Path) -> Session:
    return Session.load(toy_bundle, provider="cpu")


@pytest.fixture(scope="session")
def flow_session(flow_bundle: Path) -> Session:
    return Session.load(flow_bundle, provider="cpu")
