from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from evaluation.clips import ClipOptions
from tests.support.footage import SIZE, write_scenes
from training import record
from training.checkpoint import CheckpointError, load_generator
from training.data.rollouts import RolloutOptions
from training.fit import fit
from training.journal import read_losses
from training.objective import Objective
from training.options import FitOptions
from training.record import Clock
from vidcolor.errors import ArgumentError

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> FitOptions:
    folder = tmp_path_factory.mktemp("fit")
    return FitOptions(
        videos=(write_scenes(folder / "videos", 4),),
        out=folder / "run",
        arguments=("width=0.03125",),
        discriminator_width=1 / 32,
        clips=ClipOptions(size=SIZE, cache=folder / "cache"),
        rollout=RolloutOptions(crop=SIZE),
        batch=2,
        steps=6,
        log_every=1,
        checkpoint_steps=3,
        accelerator="cpu",
        threads=1,
    )


def losses(out: Path) -> list[dict[str, float]]:
    return [{k: v for k, v in line.items() if k != "minutes"} for line in read_losses(out)]


@pytest.fixture(scope="module")
def straight(options: FitOptions) -> FitOptions:
    """A run of six steps, with everything on that resuming must restore."""
    whole = replace(
        options,
        average=0.9,
        # Streams of four rollouts: the checkpoint after three steps falls into the middle of one.
        rollout=replace(options.rollout, frames=2, own_output=True, dt=(1, 2), stream=(8, 8)),
    )
    fit(whole)
    return whole


def test_a_run_leaves_what_it_promises(straight):
    figures = losses(straight.out)
    steps = [line["step"] for line in figures if "l1" in line]
    assert steps == [1, 2, 3, 4, 5, 6]
    updates = [line["step"] for line in figures if "discriminator" in line]
    assert updates == [2, 4, 6]  # two updates of the generator for each
    checked = [line["step"] for line in figures if "transfer_accuracy" in line]
    assert checked == [3, 6]
    sheets = sorted(path.name for path in (straight.out / "samples").iterdir())
    assert sheets == ["0000003.png", "0000006.png"]
    assert any((straight.out / "events").iterdir())
    generator, config = load_generator(straight.out / "checkpoint")
    assert (config.name, config.model, config.step) == ("run", "seeds", 6)
    wrong = 1 - config.metrics["transfer_accuracy"]
    assert generator.eta.item() == pytest.approx(wrong, abs=1e-6)
    assert 0 < wrong < 1


def test_resuming_gives_the_same_losses_and_weights(straight, tmp_path, monkeypatch):
    broken = replace(straight, out=tmp_path / "run")

    with monkeypatch.context() as patch:
        keep = record.Record.step

        def until_the_power_fails(self, step, losses, *, clock):
            if step == 5:
                raise KeyboardInterrupt
            keep(self, step, losses, clock=clock)

        patch.setattr(record.Record, "step", until_the_power_fails)
        with pytest.raises(KeyboardInterrupt):
            fit(broken)
    assert losses(broken.out)[-1]["step"] == 4  # two steps after the checkpoint
    fit(replace(broken, resume=True))
    assert losses(broken.out) == losses(straight.out)
    weights = [load_generator(o.out / "checkpoint")[0].state_dict() for o in (straight, broken)]
    assert all(torch.equal(tensor, weights[1][name]) for name, tensor in weights[0].items())


def test_a_run_is_not_overwritten_nor_resumed_as_another(straight):
    before = losses(straight.out)
    with pytest.raises(ArgumentError, match="already holds a run"):
        fit(straight)
    with pytest.raises(ArgumentError, match="objective is"):
        fit(replace(straight, resume=True, objective=Objective(alpha=0)))
    assert losses(straight.out) == before


def test_supervised_training_learns(options, tmp_path):
    supervised = replace(
        options,
        out=tmp_path / "run",
        objective=Objective(alpha=0),
        steps=30,
        learning_rate=3e-3,
        checkpoint_steps=30,
    )
    fit(supervised)
    l1 = [line["l1"] for line in losses(supervised.out) if "l1" in line]
    assert sum(l1[-5:]) < 0.9 * sum(l1[:5])
    assert not any("discriminator" in line for line in losses(supervised.out))


def test_fine_tuning_starts_from_a_checkpoints_weights(straight, tmp_path):
    start = straight.out / "checkpoint"
    tuned = replace(straight, out=tmp_path / "run", initial=start, learning_rate=0.0, average=None)
    fit(replace(tuned, steps=1))
    before, after = (
        dict(load_generator(f)[0].named_parameters()) for f in (start, tuned.out / "checkpoint")
    )
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())
    with pytest.raises(CheckpointError, match="the same arguments is needed"):
        fit(replace(tuned, out=tmp_path / "other", arguments=("width=0.0625",)))


def test_batch_norm_needs_two_examples(options, tmp_path):
    with pytest.raises(ArgumentError, match=r"batch is 1, .* two examples"):
        fit(replace(options, out=tmp_path / "run", batch=1))


def test_minutes_end_a_run_and_its_learning_rate(options, tmp_path, monkeypatch):
    monkeypatch.setattr(Clock, "seconds", property(lambda self: 60.0 * next(minutes)))
    minutes = iter([0.0, 0.0, 0.6, 0.6, 0.6, *[1.2] * 99])
    fit(replace(options, out=tmp_path / "run", steps=None, minutes=1.0, checkpoint_steps=99))
    assert [line["step"] for line in losses(tmp_path / "run") if "l1" in line] == [1, 2]
    assert load_generator(tmp_path / "run" / "checkpoint")[1].step == 2


@pytest.mark.parametrize(
    ("steps", "minutes", "step", "seconds", "progress"),
    [(10, None, 5, 0.0, 0.5), (None, 2.0, 5, 30.0, 0.25), (10, 1.0, 1, 45.0, 0.75)],
)
def test_the_clock_takes_whichever_is_further(steps, minutes, step, seconds, progress):
    clock = Clock(steps=steps, minutes=minutes, seconds_before=seconds)
    assert clock.progress(step) == pytest.approx(progress, abs=0.01)


def test_two_processes_train_one_model(options, tmp_path):
    """torchrun with gloo: both see their half of the batch, and agree on the gradients."""
    run = subprocess.run(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"),
            *("-m", "training", "fit", str(options.videos[0]), "-o", str(tmp_path / "run")),
            *("--arguments", "width=0.03125", "--discriminator-width", "0.03125"),
            *("--size", str(SIZE), "--crop", str(SIZE), "--cache", str(options.clips.cache)),
            *("--batch", "4", "--steps", "2", "--log-every", "1", "--accelerator", "cpu"),
            *("--threads", "1", "--checkpoint-steps", "9"),
        ],
        check=False,
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    figures = losses(tmp_path / "run")
    assert [line["step"] for line in figures if "l1" in line] == [1, 2]
    assert json.loads((tmp_path / "run" / "checkpoint" / "config.json").read_text())["step"] == 2
