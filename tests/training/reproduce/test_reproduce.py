from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evaluation.clips import Clip
from tests.support.footage import SIZE, scene_clip, write_video
from tests.support.scenes import render
from tests.support.shallow import shallow_python
from tests.support.waiting import DEADLINE
from training import __main__ as command
from training.__main__ import _parse as parse
from training.checkpoint import read_config
from training.checks import check_run
from training.options import FitOptions
from training.reproduce.options import TRAINED, ReproduceOptions
from training.reproduce.reproduce import (
    FULL,
    QUICK,
    Material,
    Scale,
    choose,
    gather,
    measure,
    plan,
    reproduce,
)
from training.reproduce.runs import DONE, LOG, RunError, TrainingRun, TrainingRuns
from training.state import TRAINING
from training.systems import REPORTS
from vidcolor.errors import ArgumentError

ROOT = Path(__file__).parents[3]
FRAMES = 14
STEPS = 60
"""A run saves after the first and then every few: it is stopped long before the last."""

EXPORT = ["tracing", "converting", "comparing", "float32:", "float16:", "wrote", "try"]
"""First words of what `python -m export` says."""


@pytest.fixture(scope="module")
def videos(tmp_path_factory) -> tuple[Path, Path]:
    """Folders of videos to train on and to measure on."""
    folder = tmp_path_factory.mktemp("reproduce")
    for seed in range(5):
        part = "videos" if seed < 3 else "held-out"
        scene = render(FRAMES, SIZE, 160, seed=seed)
        write_video(folder / part / f"scene-{seed}.mkv", scene.rgb("bt601"))
    return folder / "videos", folder / "held-out"


def arguments(videos: tuple[Path, Path], out: Path) -> list[str]:
    """The miniature: one system of tiny width."""
    return [
        *("reproduce", str(videos[0]), "--test", str(videos[1]), "-o", str(out), "--quick"),
        *("--systems", "supervised", "--width", "0.03125", "--crop", "64"),
        *("--steps", str(STEPS), "--checkpoint-minutes", "0.01", "--clips", "1"),
        *("--frames", str(FRAMES), "--figures", "1", "--cache", str(out.parent / "cache")),
    ]


def wait_for(path: Path, *, by: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + DEADLINE
    while not path.exists():
        assert by.poll() is None
        assert time.monotonic() < end
        time.sleep(0.02)


def test_killed_and_begun_again_it_ends_with_the_report(videos, tmp_path, monkeypatch, capsys):
    out = tmp_path / "out"
    run = out / "supervised"
    python = shallow_python(tmp_path / "python")
    process = subprocess.Popen(
        [python, "-m", "training", *arguments(videos, out)],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        start_new_session=True,
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_for(run / "checkpoint" / TRAINING, by=process)
    finally:
        process.terminate()
        status = process.wait(DEADLINE)
    assert status == 128 + signal.SIGTERM
    with pytest.raises(ProcessLookupError):  # its training has ended with it
        os.killpg(process.pid, 0)
    assert not (run / DONE).exists()
    assert read_config(run / "checkpoint").step < STEPS

    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("sys.executable", str(python))
    monkeypatch.setattr("sys.argv", ["training", *arguments(videos, out)])
    monkeypatch.setattr("sys.orig_argv", ["python", "-m", "training", *arguments(videos, out)])
    assert command.main() == 0
    log = (run / LOG).read_text()
    steps = [int(step) for step in re.findall(r"^step (\d+),", log, re.M)]
    assert steps == sorted(set(steps))  # the second process did not begin again
    assert steps[-1] == STEPS
    _, *exported = log.rpartition("\nnext: ")[2].splitlines()
    assert [line.split()[0] for line in exported] == EXPORT  # and nothing of PyTorch's
    said = capsys.readouterr().out
    assert f"supervised: {STEPS} updates" in said
    held_to_what_it_promises(out, said)

    trained = (run / "checkpoint" / TRAINING).stat().st_mtime_ns
    assert not list(TrainingRuns(1).finish([made(videos, out)]))  # nothing is done twice
    assert (run / "checkpoint" / TRAINING).stat().st_mtime_ns == trained
    other = replace(made(videos, out), arguments=("other",))
    with pytest.raises(ArgumentError, match="was trained by another command"):
        other.is_done()


def made(videos: tuple[Path, Path], out: Path) -> TrainingRun:
    """The miniature's run."""
    command = json.loads((out / "supervised" / DONE).read_text())
    return TrainingRun("supervised", out / "supervised", tuple(command[4:-2]))


def held_to_what_it_promises(out: Path, said: str) -> None:
    table = (out / "table.md").read_text()
    assert table in said
    assert str(out / "report.html") in said
    row = rf"^\| supervised \| CS230 \| 94 % \| 78 % \| {STEPS} \| 1 \| [\d.]+% \|"
    assert re.search(row, table, re.MULTILINE)
    assert "--system supervised" in table
    page = (out / "report.html").read_text()
    assert page.count("<svg") == 2
    assert page.count('<img alt="') == 4  # gray, truth, per frame, and the system
    assert page.count("<video") == 1
    assert set(re.findall(r'(?:src|href)="(\w+):', page)) == {"data"}
    results = json.loads((out / "results.json").read_text())
    assert results["updates"] == {"supervised": STEPS}
    assert len(results["systems"]["supervised"]["curve"]) == FRAMES - 1
    scores = json.loads((out / "evaluation.json").read_text())["summaries"]
    assert "supervised transfer" in scores


def test_the_flagship_is_measured_as_it_ships():
    """Beside the baselines, on a clip of the size that it is."""
    clips = choose([scene_clip(frames=12)], count=1, frames=12)
    material = Material((), seen=clips, held_out=clips)
    found = measure([], material, options(systems=("flagship",)), replace(QUICK, asked=1))
    flagship = found.systems["flagship"]
    assert flagship.step > found.evaluation.summaries["gray"].accuracy + 0.3
    assert len(flagship.curve) == 11
    assert flagship.fetching.gain > 0.1
    assert found.findings[-1].claim == "With it propagation does not collapse"
    assert found.findings[-1].found
    assert not found.losses
    assert list(found.figures[0].strips) == ["gray", "truth", "per frame", "flagship"]


def test_a_training_that_fails_ends_the_others(tmp_path):
    good = TrainingRun("good", tmp_path / "good", ("--help",))
    bad = TrainingRun("bad", tmp_path / "bad", ("videos", "--system", "nothing"))
    with pytest.raises(RunError, match=r"bad: .* status 2; .*system is 'nothing', accepted are"):
        list(TrainingRuns(1).finish([bad, good]))
    assert (bad.folder / LOG).exists()
    assert not (bad.folder / DONE).exists()
    assert not (good.folder / DONE).exists()


def options(**changes: object) -> ReproduceOptions:
    return replace(ReproduceOptions(data=(Path("videos"),)), **changes)


def planned(name: str, reproduction: ReproduceOptions, scale: Scale) -> FitOptions:
    """What the command line of `fit` makes of the plan."""
    arguments = plan(name, reproduction, scale, folders=[Path("videos")]).arguments
    fit_options = parse(["fit", *arguments, "-o", "run"])
    assert isinstance(fit_options, FitOptions)
    assert fit_options.videos == (Path("videos"),)
    assert (fit_options.system, fit_options.name) == (name, name)
    return fit_options


def test_the_reports_scale_and_the_quick_one():
    full = planned("cgan-dt5", options(), FULL)
    assert full.arguments == ("width=1",)
    assert (full.rollout.crop, full.steps, full.minutes) == (256, 8750, None)
    assert full.rollout.dt == (5, 5)
    assert full.learning_rate == REPORTS.learning_rate
    quick = planned("similarity", options(quick=True), QUICK)
    assert quick.arguments == ("width=0.125", "similarity_width=8", "match_width=32")
    assert (quick.rollout.crop, quick.steps, quick.minutes) == (128, 8750, 6.5)
    assert quick.threads == 1
    own = planned("extended", options(minutes=2.0, steps=9, width=0.5, crop=192), QUICK)
    assert own.arguments == ("width=0.5",)
    assert own.discriminator_width == 0.5
    assert (own.rollout.crop, own.steps, own.minutes) == (192, 9, 2.0)


@pytest.mark.parametrize("name", TRAINED)
@pytest.mark.parametrize("scale", [FULL, QUICK])
def test_every_plan_is_a_command_line_that_fit_takes(name: str, scale: Scale) -> None:
    check_run(planned(name, options(), scale))


def test_clips_are_chosen_evenly_of_those_that_are_long_enough():
    def clip(name: str, frames: int) -> Clip:
        return Clip(name, np.zeros((frames, 2, 2), np.uint8), np.zeros((frames, 2, 2, 2), np.uint8))

    clips = [clip(f"{n:02}", 50 - n % 2) for n in range(20)]
    chosen = choose(clips, count=4, frames=50)
    assert [c.name for c in chosen] == ["00", "06", "12", "18"]
    assert {len(c) for c in chosen} == {50}
    short = [clip("a", 5), clip("b", 30), clip("c", 70)]
    assert [(c.name, len(c)) for c in choose(short, count=2, frames=50)] == [("b", 30), ("c", 50)]
    assert len(choose(clips, count=None, frames=9)) == 20
    assert choose(clips, count=0, frames=9) == []


def test_a_prepared_folder_brings_its_own_test(videos, tmp_path):
    prepared = tmp_path / "data"
    prepared.mkdir()
    (prepared / "train").symlink_to(videos[0])
    (prepared / "test").symlink_to(videos[1])
    cache = tmp_path / "cache"
    found = gather(options(data=(prepared,), cache=cache, frames=12), QUICK)
    assert found.folders == (prepared / "train",)
    assert {clip.name for clip in found.held_out} == {"test/scene-3.mkv", "test/scene-4.mkv"}
    assert not {clip.name for clip in found.seen} & {clip.name for clip in found.held_out}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": ()}, "data: no folder is given"),
        ({"systems": ("seeds",)}, "systems holds seeds, accepted are supervised, "),
        ({"jobs": 0}, "jobs is 0"),
        ({"frames": 5}, "frames is 5, whole numbers from 12"),
        ({"data": (Path("nowhere"),)}, "nowhere is not a folder"),
    ],
)
def test_what_cannot_be_done_is_said_before_any_work(changes, message, tmp_path):
    with pytest.raises(ArgumentError, match=message):
        reproduce(options(out=tmp_path / "out", **changes))
    assert not (tmp_path / "out").exists()


def test_nothing_to_hold_out(videos, tmp_path):
    with pytest.raises(ArgumentError, match="test: no video is left to hold out"):
        gather(options(data=(videos[0],), cache=tmp_path / "cache"), QUICK)
