from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from evaluation.options import ClipOptions
from tests.support.manual import check_manual
from training.__main__ import main
from training.checks import check_fit
from training.data.prepare.options import PrepareOptions
from training.fit import build_generator
from training.models.unet import UNet
from training.options import FitOptions, check_same, to_json
from vidcolor.errors import ArgumentError

PLAIN = FitOptions(videos=(Path("videos"),), out=Path("out"), steps=1)


def test_the_generators_arguments_are_given_by_name():
    generator, arguments = build_generator(replace(PLAIN, arguments=("width=0.0625",)))
    assert isinstance(generator, UNet)
    assert arguments == {"width": 0.0625}
    assert generator.head.in_channels == 8


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": "unknown"}, "model is 'unknown', accepted are seeds, extended"),
        ({"arguments": ("depth=3",)}, "'depth=3'; seeds takes width=VALUE"),
        ({"arguments": ("width=wide",)}, "width=wide make no seeds: width is 'wide', a number"),
        ({"arguments": ("width=0",)}, "width is 0, a number above 0 is needed"),
        ({"arguments": ("width=-1",)}, "width is -1, a number above 0 is needed"),
        ({"arguments": ("width=NaN",)}, "width is nan, a number above 0 is needed"),
    ],
)
def test_generators_that_cannot_be(changes, message):
    with pytest.raises(ArgumentError, match=message):
        build_generator(replace(PLAIN, **changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"videos": ()}, "videos: no folder is given"),
        ({"steps": None}, "neither steps nor minutes"),
        ({"batch": 0}, "batch is 0"),
        ({"steps": 0}, "steps is 0, at least 1 is needed"),
        ({"threads": 0}, "threads is 0, at least 1 is needed"),
        ({"checkpoint_steps": 0}, "checkpoint_steps is 0, at least 1 is needed"),
        ({"seed": -1}, "seed is -1, 0 to 4294967295 is accepted"),
        ({"seed": 2**64}, "seed is 18446744073709551616, 0 to"),
        ({"clips": ClipOptions(split_seed=-1)}, "split_seed is -1, 0 to"),
        ({"clips": ClipOptions(size=0)}, "^size is 0, at least 16 is needed"),
        ({"clips": ClipOptions(max_frames=0)}, "max_frames is 0, at least 2 is needed"),
        ({"clips": ClipOptions(split=(math.nan, 0.1, 0.1))}, r"split is \(nan, 0.1, 0.1\); shares"),
        ({"clips": ClipOptions(split=(2.0, 0.1, 0.1))}, r"split is \(2.0, .*up to a sum of 1"),
        ({"minutes": 0.0}, "minutes is 0.0, a number above 0 is needed"),
        ({"minutes": math.nan}, "minutes is nan, a number above 0"),
        ({"checkpoint_minutes": -1.0}, "checkpoint_minutes is -1.0, a number above 0"),
        ({"clip_gradients": 0.0}, "clip_gradients is 0.0, a number above 0"),
        ({"learning_rate": math.inf}, "learning_rate is inf, 0 or more is accepted"),
        ({"weight_decay": math.nan}, "weight_decay is nan, 0 or more is accepted"),
        ({"objective": replace(PLAIN.objective, beta=math.nan)}, "beta is nan, 0 or more"),
        ({"rollout": replace(PLAIN.rollout, saturation=math.nan)}, "saturation is nan"),
        ({"discriminator_width": 0.0}, "discriminator_width is 0.0, a number above 0 is needed"),
        ({"average": 1.0}, "average is 1.0, 0 to below 1 is accepted"),
        ({"rollout": replace(PLAIN.rollout, crop=100)}, "crop is 100.* multiple of 128"),
        (
            {"rollout": replace(PLAIN.rollout, crop=384)},
            "crop is 384, a multiple of 128",
        ),
    ],
)
def test_options_that_cannot_be(changes, message):
    with pytest.raises(ArgumentError, match=message):
        check_fit(replace(PLAIN, **changes), size_multiple=128)


def test_a_resumed_run_may_be_longer_but_not_another():
    before = to_json(PLAIN)
    check_same(replace(PLAIN, steps=9, resume=True, threads=1, out=Path("moved")), before)
    with pytest.raises(ArgumentError, match=r"learning_rate is .*, but the run"):
        check_same(replace(PLAIN, learning_rate=0.1), before)
    with pytest.raises(ArgumentError, match=r"^dt is \[5, 5\], .* begun with \[1, 1\]$"):
        check_same(replace(PLAIN, rollout=replace(PLAIN.rollout, dt=(5, 5))), before)
    older = {**before, "rollout": {"dt": [1, 1]}}
    check_same(PLAIN, older)  # options of a group that are newer than the run, too


@pytest.mark.parametrize(
    ("command", "options", "joined"),
    [
        ("fit", FitOptions, "The reports' models: 1 1 and 5 5."),
        ("prepare", PrepareOptions, "one number, the short side, which keeps the aspect"),
    ],
)
def test_help_is_a_manual(capsys, monkeypatch, command, options, joined):
    monkeypatch.setattr("sys.argv", ["training", command, "--help"])
    monkeypatch.setenv("COLUMNS", "100")
    with pytest.raises(SystemExit) as exit_:
        main()
    assert exit_.value.code == 0
    check_manual(capsys.readouterr().out, options, joined=joined)


@pytest.mark.parametrize("out", ["taken", "taken/run"])
def test_a_file_is_no_runs_folder(tmp_path, capsys, monkeypatch, out):
    (tmp_path / "empty").mkdir()
    (tmp_path / "taken").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["training", "fit", "empty", "--steps", "1", "-o", out])
    assert main() == 2
    assert (
        capsys.readouterr().err == "python -m training: out: taken is a file, a folder is needed\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing", "--steps", "1"], "missing is not a folder"),
        (["empty", "--steps", "1"], "empty holds no video"),
        (["empty", "--steps", "1", "--resume"], "holds no run"),
        (["empty"], "neither steps nor minutes"),
        (["empty", "--steps", "1", "--seed", str(2**64)], "seed is 18446744073709551616, 0 to"),
    ],
)
def test_bad_input_is_one_sentence_and_status_2(tmp_path, capsys, monkeypatch, arguments, message):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["training", "fit", *arguments, "-o", "out"])
    assert main() == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("python -m training: ")
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert not (tmp_path / "out").exists()
