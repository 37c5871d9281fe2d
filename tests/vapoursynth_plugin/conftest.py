from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import need
from tests.vapoursynth_plugin.example_footage import write_films, write_footage
from vidcolor.inference.session import Session

need.vapoursynth()


@pytest.fixture(scope="session")
def session(toy_bundle: Path) -> Session:
    return Session.load(toy_bundle, provider="cpu")


@pytest.fixture(scope="session")
def flow_session(flow_bundle: Path) -> Session:
    return Session.load(flow_bundle, provider="cpu")


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that the examples are given."""
    folder = tmp_path_factory.mktemp("footage")
    write_footage(folder)
    return folder


@pytest.fixture
def films(footage: Path, tmp_path: Path) -> Path:
    """A folder of films for the example that colours many."""
    write_films(tmp_path / "films", footage)
    return tmp_path / "films"
