"""The command is timed while it works, not while it finds that all is done."""

from __future__ import annotations

from pathlib import Path

from benchmarks import command
from benchmarks.machine import Model

TOY = Path(__file__).parents[1] / "toy" / "bundle"


def test_a_lap_leaves_no_finished_work_to_the_next(tmp_path: Path) -> None:
    video = command.render(tmp_path / "clips", (64, 96), 6)
    command.lap(Model(str(TOY), "cpu", "float32"), video, size=32)
    assert video.whole.with_name("whole-coloured.mp4").is_file()
    assert not list(video.whole.parent.glob("*.vidcolor"))
