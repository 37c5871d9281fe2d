from __future__ import annotations

from pathlib import Path

import pytest

from tests import need
from vidcolor.session import Session

need.vapoursynth()


@pytest.fixture(scope="session")
def session(toy_bundle: Path) -> Session:
    return Session.load(toy_bundle, provider="cpu")


@pytest.fixture(scope="session")
def flow_session(flow_bundle: Path) -> Session:
    return Session.load(flow_bundle, provider="cpu")
