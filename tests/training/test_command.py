"""The command `python -m training` as a process: what it imports before it parses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from evaluation import __main__ as evaluation_command
from training import __main__ as command
from training.models.bins import UNIFORM
from training.options import ColorizerOptions

ROOT = Path(__file__).parents[2]
HEAVY = {
    "torch", "lightning_fabric", "kornia", "onnxruntime", "scipy", "skimage", "matplotlib", "av",
}  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--help"], "fit-colorizer"),
        (["fit", "--help"], "--checkpoint-minutes"),
        (["fit", "--system", "flagship", "--help"], "--checkpoint-minutes"),
        (["fit-matcher", "--help"], "--other-shots"),
        (["fit-colorizer", "--help"], "--uniform"),
        (["prepare", "--help"], "--least-chroma"),
        (["reproduce", "--help"], "--quick"),
    ],
)
def test_help_imports_nothing_that_takes_long(arguments, said):
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import sys\nsys.argv = ['training', *{arguments}]\n"
            "import training.__main__ as command\n"
            "try: command.main()\n"
            "finally: print('IMPORTED', *sorted({n.partition('.')[0] for n in sys.modules}))",
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    assert said in done.stdout
    imported = done.stdout.split("IMPORTED")[1].split()
    assert not HEAVY & set(imported)


@pytest.mark.parametrize(
    ("words", "kept", "said"),
    [
        (["fit", "videos", "-o", "run", "--steps", "1"], False, "no checkpoint yet"),
        (["fit", "videos", "-o", "run", "--steps", "1"], True, "--resume goes on from run"),
        (["fit-matcher", "videos", "-o", "run", "--steps", "1"], True, "--resume goes on from run"),
        (["prepare", "videos", "-o", "data"], False, "the same command goes on with what is left"),
    ],
)
def test_ctrl_c_says_how_to_go_on(words, kept, said, tmp_path, monkeypatch, capsys):
    def interrupted(*_: object, **__: object) -> None:
        if kept:
            (tmp_path / "run" / "checkpoint").mkdir(parents=True)
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    module = SimpleNamespace(fit=interrupted, fit_matcher=interrupted, prepare=interrupted)
    monkeypatch.setattr(command, "import_at_once", lambda _: module)
    monkeypatch.setattr(sys, "argv", ["training", *words])
    assert command.main() == 130
    assert said in capsys.readouterr().err


def test_a_default_that_stands_in_two_places_is_the_same():
    """`training.options` imports no PyTorch, so it cannot take it from the network's module."""
    assert ColorizerOptions.uniform == UNIFORM


@pytest.mark.parametrize("main", [command.main, evaluation_command.main])
def test_a_folder_that_cannot_be_written_is_told_in_a_sentence(main, monkeypatch, capsys):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "runs/mine")

    monkeypatch.setattr(command, "run", full)
    monkeypatch.setattr(evaluation_command, "_run", full)
    words = ["fit", "videos", "-o", "runs/mine", "--steps", "1"] if main is command.main else []
    monkeypatch.setattr(sys, "argv", ["program", *words])
    assert main() == 2
    said = capsys.readouterr().err
    assert "No space left on device" in said
    assert said.count("\n") == 1
