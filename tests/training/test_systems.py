from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from training import __main__ as command
from training.checks import check_fit
from training.fit import build_generator
from training.models import GENERATORS
from training.options import FitOptions
from training.systems import SYSTEMS, named
from vidcolor.errors import ArgumentError


@pytest.fixture
def read(monkeypatch):
    """The options that the command line makes of these arguments of `fit`, which does nothing."""

    def read(*arguments: str) -> FitOptions:
        told = []
        monkeypatch.setattr(command, "run", told.append)
        monkeypatch.setattr("sys.argv", ["training", "fit", *arguments])
        assert command.main() == 0
        return told[0]

    return read


def facts(options: FitOptions) -> tuple[object, ...]:
    rollout, objective = options.rollout, options.objective
    return (
        options.model,
        rollout.dt,
        objective.alpha,
        objective.beta,
        rollout.frames,
        rollout.own_output,
    )


def test_the_reports_systems_are_theirs():
    """DESIGN.md, section 2: supervised is alpha = 0, hybrid alpha = 1 and beta = 100, dt 1 or 5."""
    assert {name: facts(SYSTEMS[name]) for name in list(SYSTEMS)[:4]} == {
        "supervised": ("seeds", (1, 1), 0, 100.0, 1, False),
        "cgan-dt1": ("seeds", (1, 1), 1, 100.0, 1, False),
        "cgan-dt5": ("seeds", (5, 5), 1, 100.0, 1, False),
        "extended": ("extended", (5, 5), 1, 100.0, 1, False),
    }
    for name in list(SYSTEMS)[:4]:
        options = SYSTEMS[name]
        assert (options.batch, options.steps) == (8, 10 * 7000 / 8)
        assert (options.beta1, options.discriminator_every) == (0.0, 2)
        assert options.rollout.crop == 256
        assert not options.arguments


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_system_can_be_trained(name, tmp_path):
    options = replace(named(name), videos=(tmp_path,), out=tmp_path)
    with torch.device("meta"):
        generator, _ = build_generator(options)
    check_fit(options, size_multiple=generator.size_multiple)
    assert options.system == name
    assert isinstance(generator, GENERATORS[options.model])


def test_what_carries_state_is_trained_on_its_own_output():
    for name in ("convlstm", "similarity", "flagship"):
        assert SYSTEMS[name].rollout.own_output
        assert SYSTEMS[name].rollout.frames > 1


def test_a_systems_values_are_defaults(read):
    options = read("videos", "-o", "out", "--system", "cgan-dt5")
    assert options == replace(named("cgan-dt5"), videos=(Path("videos"),), out=Path("out"))


@pytest.mark.parametrize("spelling", [["--system", "extended"], ["--system=extended"]])
def test_which_the_command_line_overrides(read, spelling):
    options = read(
        "videos", "-o", "out", *spelling, "--dt", "2", "3", "--alpha", "0", "--steps", "7"
    )
    assert facts(options)[:3] == ("extended", (2, 3), 0)
    assert options.steps == 7
    assert options.objective.beta == 100.0


def test_without_a_system_nothing_changes(read):
    options = read("videos", "-o", "out", "--steps", "3")
    assert options == FitOptions(videos=(Path("videos"),), out=Path("out"), steps=3)


def test_an_unknown_system_is_one_sentence(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["training", "fit", "v", "-o", "out", "--system", "cgan"])
    assert command.main() == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "system is 'cgan', accepted are supervised, cgan-dt1, " in said
    with pytest.raises(ArgumentError):
        named("")


def test_help_shows_the_systems_own_defaults(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr("sys.argv", ["training", "fit", "--system", "cgan-dt5", "--help"])
    with pytest.raises(SystemExit) as exit_:
        command.main()
    assert exit_.value.code == 0
    text = re.sub(r"[\s│]+", " ", capsys.readouterr().out)
    assert "(default: 5 5)" in text
    assert all(name in text for name in SYSTEMS)
