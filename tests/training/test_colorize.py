from __future__ import annotations

import math
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import pytest
import torch

from evaluation.options import ClipOptions
from tests.support.footage import SIZE, scene_clip, write_scenes
from tests.support.scenes import render
from training import __main__ as command
from training.checkpoint import CheckpointError, load_colorizer, load_generator
from training.colorize import ColorizerTraining, fit_colorizer
from training.colorizer_losses import RegressionLoss
from training.data.stills import Stills, StillSource
from training.models.bins import soft_encode
from training.models.exemplar import ExemplarColorizer
from training.models.zhang import Zhang
from training.options import ColorizerOptions
from training.progress import Progress
from training.run_log import read_losses
from vidcolor.errors import ArgumentError


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> ColorizerOptions:
    folder = tmp_path_factory.mktemp("colorize")
    return ColorizerOptions(
        videos=(write_scenes(folder / "videos", 3),),
        out=folder / "run",
        model="zhang",
        width=0.125,
        clips=ClipOptions(size=SIZE, cache=folder / "cache"),
        crop=64,
        film=0.5,
        batch=2,
        steps=6,
        log_every=1,
        checkpoint_steps=3,
        accelerator="cpu",
        threads=1,
    )


@pytest.fixture(scope="module")
def straight(options: ColorizerOptions) -> ColorizerOptions:
    """A run of six steps."""
    fit_colorizer(options)
    return options


def losses(out: Path) -> list[dict[str, float]]:
    return [{k: v for k, v in line.items() if k != "minutes"} for line in read_losses(out)]


def test_a_run_leaves_what_it_promises(straight):
    figures = losses(straight.out)
    assert [line["step"] for line in figures if "cross_entropy" in line] == [1, 2, 3, 4, 5, 6]
    assert [line["step"] for line in figures if "psnr" in line] == [3, 6]
    sheets = sorted(path.name for path in (straight.out / "samples").iterdir())
    assert sheets == ["0000003.png", "0000006.png"]
    assert any((straight.out / "events").iterdir())
    network, config = load_colorizer(straight.out / "checkpoint")
    assert (config.name, config.model, config.step) == ("run", "zhang", 6)
    assert config.metrics == {k: v for k, v in figures[-1].items() if k != "step"}
    assert not network.training
    with pytest.raises(CheckpointError, match="model is 'zhang', known are seeds"):
        load_generator(straight.out / "checkpoint")


@pytest.fixture(scope="module")
def regression(options: ColorizerOptions, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the other model, on pictures too."""
    folder = tmp_path_factory.mktemp("regression")
    for seed in range(3):
        frame = render(1, 96, 96, seed=seed).rgb("bt601")[0]
        cv2.imwrite(str(folder / f"{seed}.png"), cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    changed = replace(options, model="exemplar", exemplars=0.5, pictures=(folder,))
    fit_colorizer(replace(changed, out=folder / "run", rates=("trunk=0.1",)))
    return folder / "run"


def test_a_run_of_the_other_model(regression):
    figures = losses(regression)
    assert [line["step"] for line in figures if "regression" in line] == [1, 2, 3, 4, 5, 6]
    measured = [line for line in figures if "psnr" in line]
    assert [line["step"] for line in measured] == [3, 6]
    assert measured[0]["psnr"] != measured[0]["exemplar_psnr"]
    network, config = load_colorizer(regression / "checkpoint")
    assert (config.model, config.step) == ("exemplar", 6)
    fresh = ExemplarColorizer(width=0.125)
    fresh.load_pretrained()
    trained = network.state_dict()
    moved = {
        name.partition(".")[0]: (tensor - trained[name]).abs().max().item()
        for name, tensor in fresh.state_dict().items()
        if name in ("trunk.stem.convolution.weight", "of_palette.weight")
    }
    assert 0 < moved["trunk"] < 0.01  # it began with ImageNet's weights


def test_exemplars_are_shown_in_a_share_of_the_updates():
    """The same updates, whatever came before."""
    shown = []

    def network(luma, exemplar):
        shown.append(exemplar is not None)
        return torch.zeros(len(luma), 2, 32, 32)

    stills = StillSource([scene_clip()], crop=32, exemplars=True).batch(0, [0])
    loss = RegressionLoss(share=0.25, seed=1)
    for step in range(200):
        loss(network, stills, step)
    assert 30 < sum(shown) < 70
    (before, *_), shown[:] = shown[150:], []
    loss(network, stills, 150)
    assert shown == [before]


def test_the_loss_of_regression_by_hand():
    """Off by 0.1 in one of two planes: a mean of 0.05, a mean square of 0.005."""
    stills = Stills(*(torch.zeros(2, n, 32, 32) for n in (1, 2, 1, 2)))
    off = torch.zeros(2, 2, 32, 32)
    off[:, 0] = 0.1
    loss = RegressionLoss(share=0, seed=0)(lambda *_: off, stills, 0)
    assert loss.item() == pytest.approx(5 * 0.05 + 0.5 * math.log(0.005 + 1e-5), abs=1e-5)


def test_resuming_gives_the_same_losses_and_weights(straight, tmp_path, monkeypatch):
    broken = replace(straight, out=tmp_path / "run")
    with monkeypatch.context() as patch:
        update = ColorizerTraining.update

        def until_the_power_fails(self, step, batch):
            if step == 4:
                raise KeyboardInterrupt
            return update(self, step, batch)

        patch.setattr(ColorizerTraining, "update", until_the_power_fails)
        with pytest.raises(KeyboardInterrupt):
            fit_colorizer(broken)
    assert losses(broken.out)[-1]["step"] == 4  # a step after the checkpoint
    fit_colorizer(replace(broken, resume=True))
    assert losses(broken.out) == losses(straight.out)
    weights = [load_colorizer(o.out / "checkpoint")[0].state_dict() for o in (straight, broken)]
    assert all(torch.equal(tensor, weights[1][name]) for name, tensor in weights[0].items())


@pytest.mark.parametrize(
    ("precision", "dtype"), [("32-true", torch.float32), ("bf16-mixed", torch.bfloat16)]
)
def test_the_network_computes_in_the_precision_that_is_asked_for(
    precision, dtype, options, tmp_path, monkeypatch
):
    """And the loss in float32: in bfloat16 other bins would be the nearest."""
    seen, logits = [], Zhang.logits

    def noted(self, luma):
        result = logits(self, luma)
        if torch.is_grad_enabled():  # an update, and no validation
            seen.append(result.dtype)
        return result

    def encode(ab, bins):
        assert not torch.is_autocast_enabled("cpu")
        return soft_encode(ab, bins)

    monkeypatch.setattr(Zhang, "logits", noted)
    monkeypatch.setattr("training.colorizer_losses.soft_encode", encode)
    fit_colorizer(replace(options, out=tmp_path / "run", precision=precision, steps=1))
    assert seen == [dtype]


def test_minutes_end_a_run(options, tmp_path, monkeypatch):
    shares = iter([0.0, 0.6, *[1.2] * 99])
    monkeypatch.setattr(Progress, "share", lambda self, step: next(shares))
    short = replace(options, out=tmp_path / "run", steps=None, minutes=1.0, checkpoint_steps=99)
    fit_colorizer(short)
    assert load_colorizer(short.out / "checkpoint")[1].step == 2


def test_it_learns(options, tmp_path):
    """With all pixels weighed alike, since rare colours make the loss jump from batch to batch."""
    longer = replace(options, out=tmp_path / "run", uniform=1.0, steps=40, checkpoint_steps=40)
    fit_colorizer(replace(longer, learning_rate=5e-3))
    entropy = [line["cross_entropy"] for line in losses(longer.out) if "cross_entropy" in line]
    assert sum(entropy[-5:]) < 0.9 * sum(entropy[:5])


def test_a_run_is_not_overwritten_nor_resumed_as_another(straight):
    before = losses(straight.out)
    with pytest.raises(ArgumentError, match="already holds a run"):
        fit_colorizer(straight)
    with pytest.raises(ArgumentError, match=r"uniform is 1.0, but .* begun with 0.5"):
        fit_colorizer(replace(straight, resume=True, uniform=1.0))
    assert losses(straight.out) == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"videos": ()}, "no folder is given"),
        ({"steps": None}, "neither steps nor minutes is given"),
        ({"batch": 0}, "batch is 0, at least 1 is needed"),
        ({"width": float("nan")}, "width is nan, a number above 0 is needed"),
        ({"film": 1.5}, "film is 1.5, a share of 0 to 1 is needed"),
        ({"exemplars": -0.1}, "exemplars is -0.1, a share of 0 to 1 is needed"),
        ({"pictures": (Path("missing"),)}, "pictures: missing is not a folder"),
        ({"crop": 72}, r"crop is 72, a multiple of 16 up to size \(128\)"),
        ({"crop": 256}, r"crop is 256, a multiple of 16 up to size \(128\)"),
        ({"resume": True}, "holds no run with a checkpoint"),
    ],
)
def test_what_cannot_be_done_is_said_before_any_work(options, tmp_path, change, message):
    with pytest.raises(ArgumentError, match=message):
        fit_colorizer(replace(options, out=tmp_path / "run", **change))
    assert not (tmp_path / "run").exists()


def test_the_command_line(options, tmp_path, monkeypatch, capsys):
    arguments = [
        "fit-colorizer",
        str(options.videos[0]),
        "-o",
        str(tmp_path / "run"),
        "--crop",
        "72",
    ]
    monkeypatch.setattr(sys, "argv", ["training", *arguments, "--steps", "1"])
    assert command.main() == 2
    assert "python -m training: crop is 72" in capsys.readouterr().err
