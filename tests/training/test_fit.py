from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from evaluation.provenance import provenance
from tests.support.shallow import shallow_unets
from tests.training.small_fit import EXAMPLES, losses, small_fit
from training import validation
from training.checkpoint import CheckpointError, load_generator
from training.fit import fit
from training.models.base import Generator, Propagated, Remembered, Tensors
from training.options import FitOptions, ObjectiveOptions
from training.progress import Progress
from training.run_log import RunLog
from training.validation import WholeClips
from vidcolor.errors import ArgumentError

CROP = 64
"""Pixels, of which shallow U-Nets need fewer than the reports'; a discriminator needs as many."""


@pytest.fixture(scope="module", autouse=True)
def _small() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch, shallow_unets():
        patch.setattr(validation, "EXAMPLES", EXAMPLES)
        yield


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> FitOptions:
    small = small_fit(tmp_path_factory.mktemp("fit"))
    clips, rollout = replace(small.clips, size=CROP), replace(small.rollout, crop=CROP)
    return replace(small, clips=clips, rollout=rollout)


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
        keep = RunLog.step

        def until_the_power_fails(self, step, losses):
            if step == 5:
                raise KeyboardInterrupt
            keep(self, step, losses)

        patch.setattr(RunLog, "step", until_the_power_fails)
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
    with pytest.raises(ArgumentError, match=r"^alpha is 0, .* begun with 1.0$"):
        fit(replace(straight, resume=True, objective=ObjectiveOptions(alpha=0)))
    assert losses(straight.out) == before


def test_supervised_training_learns(options, tmp_path):
    supervised = replace(
        options,
        out=tmp_path / "run",
        objective=ObjectiveOptions(alpha=0),
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
    shares = iter([0.0, 0.6, *[1.2] * 99])
    monkeypatch.setattr(Progress, "share", lambda self, step: next(shares))
    fit(replace(options, out=tmp_path / "run", steps=None, minutes=1.0, checkpoint_steps=99))
    assert [line["step"] for line in losses(tmp_path / "run") if "l1" in line] == [1, 2]
    assert load_generator(tmp_path / "run" / "checkpoint")[1].step == 2


def test_workers_and_pauses_change_nothing(straight, tmp_path):
    """Six steps with two processes that make the examples, to the bit as with a thread."""
    other = replace(straight, out=tmp_path / "run", workers=2)
    fit(other)
    assert losses(other.out) == losses(straight.out)


def test_the_best_weights_are_kept(options, tmp_path, monkeypatch):
    """Of three checkpoints the second is the best; resumed, only a better one replaces it."""
    figures = iter([20.0, 30.0, 25.0, 29.0, 31.0])
    monkeypatch.setattr(WholeClips, "measure", lambda *_: {"whole_psnr": next(figures)})
    run = replace(options, out=tmp_path / "run", steps=3, checkpoint_steps=1)
    fit(run)
    assert load_generator(run.out / "best")[1].step == 2
    assert load_generator(run.out / "checkpoint")[1].step == 3
    fit(replace(run, resume=True, steps=4))
    assert load_generator(run.out / "best")[1].step == 2
    fit(replace(run, resume=True, steps=5))
    network, config = load_generator(run.out / "best")
    assert (config.step, config.metrics["whole_psnr"]) == (5, 31.0)
    latest, _ = load_generator(run.out / "checkpoint")
    for name, tensor in latest.state_dict().items():
        assert torch.equal(tensor, network.state_dict()[name])


def test_a_run_notes_what_it_depends_on(straight):
    noted = load_generator(straight.out / "checkpoint")[1]
    assert (noted.step, noted.training["seed"]) == (6, 0)
    assert re.fullmatch(r"[0-9a-f]{40}\+?|unknown", noted.training["commit"])
    assert noted.training["footage_sha256"] == provenance()["footage_sha256"]
    assert noted.training["torch"] == torch.__version__


def test_it_says_how_long_it_takes_and_where_the_result_lies(options, tmp_path, capsys):
    run = replace(options, out=tmp_path / "my run", steps=2)
    fit(run)
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "3 clips to train on, 1 held out"  # of four
    assert re.match(r"first update, step 1: l1 0\.\d+, \d+\.\d min, \d+\.\d left", said[1])
    assert said[-1] == f"next: python -m export '{run.out / 'best'}' -o '{run.out / 'bundle'}'"
    assert any(line.startswith(f"best weights:   {run.out / 'best'} (whole_psnr") for line in said)


def test_minutes_count_from_the_start_of_the_program(options, tmp_path):
    """The program began two minutes ago and has one: it saves what it has and ends."""
    run = replace(options, out=tmp_path / "run", steps=None, minutes=1.0)
    fit(replace(run, steps=1), started=time.monotonic())
    fit(replace(run, resume=True), started=time.monotonic() - 120)
    assert load_generator(run.out / "checkpoint")[1].step == 1


class Scaling(Generator):
    """The previous frame's chroma times a strength that is learned: quickly compiled."""

    size_multiple = 8
    color_space = "YCbCr"

    def __init__(self) -> None:
        super().__init__()
        self.strength = torch.nn.Parameter(torch.tensor(0.5))

    def remember(self, luma: Tensor, chroma: Tensor) -> Remembered:
        return Remembered({"chroma": chroma.unsqueeze(1)}, {"chroma": chroma})

    def propagate(
        self, luma: Tensor, state: Tensors, memory: Tensors, flows: Tensors
    ) -> Propagated:
        chroma = state["chroma"] * self.strength
        return Propagated(chroma, torch.ones_like(luma), {"chroma": chroma})


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_compiled_generator_learns_the_same(options, tmp_path, monkeypatch):
    compiled_once = []
    build = torch.compile
    monkeypatch.setattr(torch, "compile", lambda *a, **k: compiled_once.append(a) or build(*a, **k))
    runs = [
        replace(
            options, out=tmp_path / name, compile=name == "compiled", steps=4, arguments=(),
            model="tests.training.test_fit:Scaling", objective=ObjectiveOptions(alpha=0),
            rollout=replace(options.rollout, frames=2, own_output=True), learning_rate=0.05,
        )
        for name in ("plain", "compiled")
    ]  # fmt: skip
    for run in runs:
        fit(run)
    assert len(compiled_once) == 1
    plain, compiled = (losses(run.out) for run in runs)
    for one, other in zip(plain, compiled, strict=True):
        assert one == pytest.approx(other, rel=1e-4)
    assert plain[0]["l1"] != plain[-2]["l1"]


def test_a_device_that_is_not_there_is_told(options, tmp_path):
    missing = next(
        name
        for name, there in (
            ("cuda", torch.cuda.is_available()),
            ("mps", torch.backends.mps.is_available()),
        )
        if not there
    )
    with pytest.raises(ArgumentError, match=f"accelerator is {missing}, devices 1, which cannot"):
        fit(replace(options, out=tmp_path / "run", accelerator=missing))
    assert not (tmp_path / "run").exists()
