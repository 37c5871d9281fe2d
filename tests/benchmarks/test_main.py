"""The whole of it, on a small clip and a toy: that every row is measured, not what it says."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from benchmarks import __main__ as benchmarks_main
from benchmarks import length, report, seek, speed
from benchmarks.__main__ import Options, main, run
from tests.support import need

need.vapoursynth()
TINY = {"480p": (64, 96), "1080p": (96, 144)}


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (length, seek, speed):
        monkeypatch.setattr(module, "CLIPS", TINY)
    monkeypatch.setattr(seek, "DISTANCES", (1, 5))
    monkeypatch.chdir(Path(__file__).parents[2])  # where the command is given, and its children's


def test_every_part_is_measured_told_and_written(
    flow_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(
        Options(
            model=str(flow_bundle),
            sizes=(48,),
            frames=3,
            rounds=1,
            lengths=(4, 8),
            long_size=48,
            out=tmp_path / "out",
        )
    )
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert (tmp_path / "out" / "results.png").stat().st_size > 10_000
    on_cpu = [row for row in results["speed"] if row["place"] == "cpu float32"]
    assert {row["what"] for row in on_cpu} == set(speed.LIMITS)
    assert sum(row["clip"] == "1080p" for row in on_cpu) == 3
    assert all(row["timing"]["milliseconds"] > 0 for row in on_cpu if row["what"] != speed.COMMAND)
    if sys.platform.startswith("linux"):
        outside = [row for row in on_cpu if row["what"] in (speed.FILTER, speed.COMMAND)]
        assert all(20 < row["timing"]["peak_mib"] < 2000 for row in outside)
    lengths = [(row["what"], row["frames"]) for row in results["length"]]
    assert lengths[:4] == [(what, n) for n in (4, 8) for what in (speed.RUN, speed.FILTER)]
    assert [row["distance"] for row in results["seek"][:4]] == [1, 5, 1, 5]
    assert {(row["threads"], row["spin"]) for row in results["threads"]} >= {(1, "1")}
    printed = capsys.readouterr().out
    assert printed.count("| session.run alone |") >= 2
    assert "| filter, vspipe | 1080p |" in printed


def test_ctrl_c_ends_it_in_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(options: Options) -> None:
        assert options.sizes == (64,)
        raise KeyboardInterrupt

    monkeypatch.setattr(benchmarks_main, "main", interrupted)
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--sizes", "64"])
    assert run() == 130
    told = "python -m benchmarks: interrupted; the same command begins anew\n"
    assert capsys.readouterr().err == told


def test_a_wrong_option_is_told_before_anything_is_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--model", "absent"])
    assert run() == 2
    assert "model is 'absent', accepted are a shipped model's name" in capsys.readouterr().err


def test_ratios_are_to_the_bare_graph() -> None:
    timings = {speed.GRAPH: 40.0, speed.RUN: 50.0}
    rows = [
        speed.Row("cpu float32", 256, "", what, speed.Timing(ms, ms + 1, 2 * ms, None))
        for what, ms in timings.items()
    ]
    results = report.Results({"processor": "2 cores"}, "toy", {}, rows, [], [], [])
    line = next(line for line in report.markdown(results).splitlines() if speed.RUN in line)
    assert line.split("|")[3:9] == [" 50.0 ", " 51.0 ", " 20.0 ", " 1.25 ", " 100 ", "  "]


def test_a_film_takes_its_frames_times_and_machines_share_it() -> None:
    timing = speed.Timing(48.0, 60.0, None, None)
    row = speed.Row("cpu float32", 256, "1080p", speed.FILTER, timing)
    graph = row._replace(clip="", what=speed.GRAPH)
    text = report.markdown(report.Results({"a": "b"}, "toy", {}, [graph, row], [], [], []))
    line = text[text.index("### A film of 150,000 frames") :].splitlines()[4]
    assert line.split("|")[3:6] == [" 2.0 ", " 0.5 ", " 0.1 "]
