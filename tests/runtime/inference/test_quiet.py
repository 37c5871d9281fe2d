"""Nothing is on stderr but vidcolor's own sentences: what onnxruntime writes there is held back."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import onnxruntime
import pytest

from vidcolor.inference.session import Session

_COLOUR = """
import sys
import numpy as np
from vidcolor import Key, Propagator, Session
luma = np.linspace(0, 1, 48 * 64, dtype=np.float32).reshape(48, 64)
propagator = Propagator(Session.load(sys.argv[1], provider="cpu"))
state = propagator.init_state(Key(luma=luma, chroma=np.zeros((2, 48, 64), np.float32)))
propagator.step(luma, state)
"""


def test_a_session_writes_nothing_to_stderr(flow_bundle: Path) -> None:
    line = [sys.executable, "-c", _COLOUR, str(flow_bundle)]
    assert subprocess.run(line, capture_output=True, check=True).stderr == b""


@pytest.mark.parametrize("verbosity", [3, 0])
def test_what_the_process_says_is_as_loud_as_the_session(
    flow_bundle: Path, monkeypatch: pytest.MonkeyPatch, verbosity: int
) -> None:
    """'No registered plugin EP device found' is none of a session's messages."""
    told: list[Any] = []
    monkeypatch.setattr(onnxruntime, "set_default_logger_severity", told.append)
    Session.load(flow_bundle, provider="cpu", verbosity=verbosity)
    assert told
    assert set(told) == {verbosity}
