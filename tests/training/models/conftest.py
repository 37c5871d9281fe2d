from __future__ import annotations

import pytest

from tests.training.models.stills import small_flagship
from training.models.flagship import Flagship


@pytest.fixture(scope="session")
def flagship() -> Flagship:
    return small_flagship()
