from __future__ import annotations

import pytest

from vidcolor.propagate import Propagator


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each step of the model from now on."""
    made, step = [], Propagator.step

    def counted(self, luma, state):
        made.append(1)
        return step(self, luma, state)

    monkeypatch.setattr(Propagator, "step", counted)
    return made
