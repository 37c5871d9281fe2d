from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

from tests.support import need

TOY = Path(__file__).parent / "toy"

# How long an example takes depends on how busy the machine is.
settings.register_profile("vidcolor", deadline=None)
settings.load_profile("vidcolor")


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("cuda"):
        need.cuda()


@pytest.fixture(scope="session")
def toy_bundle() -> Path:
    return TOY / "bundle"


@pytest.fixture(scope="session")
def flow_bundle() -> Path:
    return TOY / "flow"
