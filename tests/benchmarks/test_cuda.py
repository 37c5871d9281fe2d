"""The script for a graphics card, here on the CPU with a toy: that it says everything, in time."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import cuda, speed

TINY = {"480p": (64, 96), "1080p": (96, 144)}
ROWS = (speed.GRAPH, speed.SEEN, speed.STEP, speed.RUN, speed.CHAIN)


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (cuda, speed):
        monkeypatch.setattr(module, "CLIPS", TINY)
    monkeypatch.setattr(cuda, "_SUITE", ("--version",))


def options(bundle: Path, minutes: float) -> cuda.Options:
    return cuda.Options(
        model=str(bundle),
        provider="cpu",
        precision="float32",
        sizes=(48,),
        frames=3,
        rounds=1,
        minutes=minutes,
    )


def test_it_says_everything(flow_bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cuda.main(options(flow_bundle, 4))
    printed = capsys.readouterr().out
    assert "memory that planes are copied to the device from: ordinary" in printed
    assert "tests of CUDA: pytest" in printed
    assert re.search(r"operators of a step, 96x48, float32: \d+, of sizes on the CPU: 0", printed)
    for row in (*ROWS, *(f"{what}, {clip}" for clip in TINY for what in ("plain loop",))):
        assert f"cpu float32, short side 48: {row}: " in printed
    assert printed.count("vidcolor color, ") == 2
    assert "left out" not in printed


def test_what_has_no_time_left_is_named(
    flow_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cuda.main(options(flow_bundle, 0))
    assert "left out, for want of time: tests, operators, short side 48" in capsys.readouterr().out


def test_it_needs_no_vapoursynth() -> None:
    without = "import sys; sys.modules['vapoursynth'] = None; import benchmarks.__main__"
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", without], cwd=root, check=True)
