"""`vidcolor color` in a terminal that is closed: what is finished is kept, as after Ctrl-C."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.films import scenes, write_film, write_keys
from tests.support.waiting import DEADLINE
from vidcolor.cli import main
from vidcolor.film import segments

if sys.platform == "win32" and not TYPE_CHECKING:
    pytest.skip("Windows has no terminals of this kind", allow_module_level=True)

import fcntl
import pty
import termios

TOY = Path(__file__).parents[2] / "toy" / "bundle"
LENGTH = 10 * segments.PART


def words(output: str) -> list[str]:
    options = ["--keys", "keys", "--scenes", "none", "--codec", "ffv1", "-o", output]
    return ["color", "film.mkv", *options, "--model", str(TOY), "--provider", "cpu"]


def take_terminal() -> None:
    """Make standard input the terminal of this session."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@pytest.mark.usefixtures("heeded_signals")
def test_in_a_terminal_that_is_closed_nothing_finished_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: list[int]
) -> None:
    monkeypatch.chdir(tmp_path)
    film = scenes([LENGTH])
    write_film(Path("film.mkv"), film)
    write_keys(Path("keys"), film, (0,))
    ours, its = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "vidcolor", *words("out.mkv")],
        stdin=its,
        stdout=its,
        stderr=its,
        start_new_session=True,
        preexec_fn=take_terminal,  # noqa: PLW1509
    )
    os.close(its)
    work, end = Path("out.mkv.vidcolor"), time.monotonic() + DEADLINE
    while not list(work.glob(f"0000001-{segments.PART:07}.*.nut")):
        assert process.poll() is None, "it was done before the terminal was closed"
        assert time.monotonic() < end
        time.sleep(0.01)
    os.close(ours)
    assert process.wait(DEADLINE) == 129
    assert not Path("out.mkv").exists()
    assert all(path.is_file() for path in work.iterdir()), "as after kill -9"
    assert main(words("out.mkv")) == 0
    assert len(steps) < LENGTH - segments.PART // 2, "a few are made to time them"
    assert main(words("fresh.mkv")) == 0
    assert Path("out.mkv").read_bytes() == Path("fresh.mkv").read_bytes()
