"""Work in a process of its own: how long it takes and how much memory it needs at most."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

_PAUSE = 0.02
"""Seconds from one look at a process to the next."""


class Outcome(NamedTuple):
    """Of a process that ended well."""

    seconds: float
    peak_mib: float | None
    """Most memory that was resident at a time, where the system tells it while a process runs."""
    errors: str
    """What it wrote to stderr."""


def run(command: Sequence[str | Path]) -> Outcome:
    """Run a command to its end; RuntimeError with what it wrote if it fails."""
    scripts = str(Path(sys.executable).parent)
    environment = os.environ | {"PATH": scripts + os.pathsep + os.environ["PATH"]}
    peak = None
    with tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603  (our own commands)
            command, env=environment, stdout=subprocess.DEVNULL, stderr=errors
        )
        while process.poll() is None:
            peak = _peak(process.pid) or peak
            time.sleep(_PAUSE)
        seconds = time.perf_counter() - start
        errors.seek(0)
        text = errors.read().decode(errors="replace")
    if process.returncode:
        raise RuntimeError(f"{command[0]} failed: {text[-2000:]}")
    return Outcome(seconds, peak, text)


def _peak(process: int) -> float | None:
    """MiB. Not what wait4 tells of it, which begins with what this process had when it forked."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return None
    line = next((line for line in status.splitlines() if line.startswith("VmHWM")), None)
    return None if line is None else int(line.split()[1]) / 1024
