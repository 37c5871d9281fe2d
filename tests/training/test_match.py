from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from lightning_fabric import Fabric

from evaluation.options import ClipOptions
from tests.support.footage import SIZE, write_scenes
from tests.training.planted import planted_batch
from tests.training.small_fit import losses
from training import __main__ as command
from training.checkpoint import CheckpointError, load_generator
from training.fit import fit
from training.match import MatcherTraining, fit_matcher
from training.models.flagship import Flagship
from training.models.similarity import SimilarityUNet
from training.options import FitOptions, MatcherOptions
from vidcolor.errors import ArgumentError

SMALL = ("width=8", "match_width=16", "trunk_width=8")


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> MatcherOptions:
    folder = tmp_path_factory.mktemp("match")
    return MatcherOptions(
        videos=(write_scenes(folder / "videos", 3),),
        out=folder / "run",
        arguments=SMALL,
        clips=ClipOptions(size=SIZE, cache=folder / "cache"),
        crop=64,
        rates=("trunk.=0",),
        batch=2,
        steps=4,
        log_every=1,
        checkpoint_steps=2,
        accelerator="cpu",
        threads=1,
    )


@pytest.fixture(scope="module")
def straight(options: MatcherOptions) -> MatcherOptions:
    """A run of four steps."""
    fit_matcher(options)
    return options


def test_it_says_how_to_go_on():
    """In words that `fit` takes."""
    options = MatcherOptions(videos=(Path("videos"),), out=Path("runs/match"), arguments=SMALL)
    words = options.following(Path("runs/match/best"))
    assert words[:3] == ["python", "-m", "training"]
    following = command._parse(words[3:])
    assert isinstance(following, FitOptions)
    assert (following.system, following.arguments) == ("flagship", SMALL)
    assert (following.initial, following.out) == (Path("runs/match/best"), Path("runs/match-joint"))
    own = replace(options, model="mine:Own").following(Path("best"))
    assert command._parse(own[3:]).model == "mine:Own"


def test_a_run_leaves_what_fit_goes_on_from(straight, tmp_path):
    figures = losses(straight.out)
    assert [line["step"] for line in figures if "found" in line] == [1, 2, 3, 4]
    assert [line["step"] for line in figures if "psnr" in line] == [2, 4]
    assert len(list((straight.out / "samples").iterdir())) == 2
    generator, config = load_generator(straight.out / "checkpoint")
    assert (config.model, config.step) == ("flagship", 4)
    assert load_generator(straight.out / "best")[1].metrics["psnr"] >= config.metrics["psnr"]
    for name, tensor in small_flagship().encoder.trunk.state_dict().items():  # of a rate of 0
        assert torch.equal(tensor, generator.encoder.trunk.state_dict()[name])
    fit(
        replace(
            FitOptions(videos=straight.videos, out=tmp_path / "joint"),
            initial=straight.out / "checkpoint",
            model="flagship",
            arguments=SMALL,
            clips=straight.clips,
            rollout=replace(FitOptions((), Path()).rollout, crop=64, own_output=True),
            objective=replace(FitOptions((), Path()).objective, alpha=0.0),
            learning_rate=0.0,
            batch=2,
            steps=1,
            validate_clips=0,
            threads=1,
        )
    )
    joint, _ = load_generator(tmp_path / "joint" / "checkpoint")
    assert torch.equal(joint.matcher.match.weight, generator.matcher.match.weight)


def test_resuming_gives_the_same_losses_and_weights(straight, tmp_path, monkeypatch):
    broken = replace(straight, out=tmp_path / "run")
    with monkeypatch.context() as patch:
        update = MatcherTraining.update

        def until_the_power_fails(self, step, batch):
            if step == 3:
                raise KeyboardInterrupt
            return update(self, step, batch)

        patch.setattr(MatcherTraining, "update", until_the_power_fails)
        with pytest.raises(KeyboardInterrupt):
            fit_matcher(broken)
    fit_matcher(replace(broken, resume=True))
    assert losses(broken.out) == losses(straight.out)
    weights = [load_generator(o.out / "checkpoint")[0].state_dict() for o in (straight, broken)]
    assert all(torch.equal(tensor, weights[1][name]) for name, tensor in weights[0].items())


def small_flagship() -> Flagship:
    generator = Flagship(8, 16, 8)
    generator.load_pretrained()
    return generator


def small_similarity() -> SimilarityUNet:
    return SimilarityUNet(width=1 / 16, similarity_width=4, match_width=8)


@pytest.mark.parametrize(
    ("build", "rates", "updates"),
    [(small_flagship, ("trunk.=0",), 25), (small_similarity, (), 50)],
)
def test_it_learns_a_planted_correspondence(build, rates, updates):
    """Two textures in colours that are drawn anew for each pair, and places that differ.

    So what is found is right only where a texture is found again: what learns nothing of them has
    the mean of both colours.
    """
    torch.manual_seed(1)
    generator, held_out = build(), planted_batch(16, seed=1000)
    options = MatcherOptions(videos=(), out=Path(), learning_rate=3e-3, rates=rates)
    training = MatcherTraining(generator, {}, options, Fabric(accelerator="cpu"), held_out=held_out)

    def wrong() -> list[float]:
        """The mean absolute error of each sub-net."""
        with torch.no_grad():
            found = generator.attend_to(
                held_out.luma, held_out.exemplar_luma, held_out.exemplar_chroma
            )
        return (found - held_out.chroma.unsqueeze(1)).abs().mean((0, 2, 3, 4)).tolist()

    before = wrong()
    for step in range(updates):
        training.update(step, planted_batch(8, seed=step))
    mean = held_out.exemplar_chroma.mean((2, 3), keepdim=True)
    of_mean = (mean - held_out.chroma).abs().mean().item()
    for one, other in zip(wrong(), before, strict=True):
        assert one < 0.5 * other
        assert one < 0.2 * of_mean


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"videos": ()}, ArgumentError, "no folder is given"),
        ({"model": "seeds", "arguments": ()}, ArgumentError, "'seeds', which has no sub-net"),
        ({"scale": 0.5}, ArgumentError, "scale is 0.5, a factor from 1 on is accepted"),
        ({"film": 1.5}, ArgumentError, "film is 1.5, a share of 0 to 1 is needed"),
        ({"other_shots": -1}, ArgumentError, "other_shots is -1, a share of 0 to 1 is needed"),
        ({"crop": 72}, ArgumentError, r"crop is 72, a multiple of 16 up to size \(128\)"),
        ({"pictures": (Path("missing"),)}, ArgumentError, "pictures: missing is not a folder"),
        ({"rates": ("body=1",)}, ArgumentError, "rates names 'body'"),
        ({"initial": Path("missing")}, CheckpointError, "missing"),
        ({"resume": True}, ArgumentError, "holds no run with a checkpoint"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said_before_any_work(options, tmp_path, change, error, message):
    with pytest.raises(error, match=message):
        fit_matcher(replace(options, out=tmp_path / "run", **change))
    assert not (tmp_path / "run").exists()


def test_the_command_line(options, tmp_path, monkeypatch, capsys):
    words = ["fit-matcher", str(options.videos[0]), "-o", str(tmp_path / "run"), "--scale", "0"]
    monkeypatch.setattr(sys, "argv", ["training", *words, "--steps", "1"])
    assert command.main() == 2
    assert "python -m training: scale is 0" in capsys.readouterr().err
