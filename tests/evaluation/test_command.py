"""The command `python -m evaluation` as a process: what it imports, and what it says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from evaluation.__main__ import main
from evaluation.options import EvaluateOptions, TuringOptions, clips_folder
from tests.support.manual import check_manual
from vidcolor.errors import ArgumentError

ROOT = Path(__file__).parents[2]
WITHOUT_TORCH = """
import importlib.abc, pkgutil, sys

blocked = {"torch", "lightning_fabric", "kornia", "onnx", "training", "export"}

class Blocked(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in blocked:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocked())
"""
HEAVY = ("torch", "onnxruntime", "scipy", "skimage", "matplotlib", "av")


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT
    )


def test_every_module_imports_where_there_is_no_pytorch():
    done = run(
        WITHOUT_TORCH
        + "import evaluation\n"
        + "names = [m.name for m in pkgutil.iter_modules(evaluation.__path__)]\n"
        + "for name in names: importlib.import_module(f'evaluation.{name}')\n"
        + "print(len(names), 'scipy.stats' in sys.modules)"
    )
    assert done.returncode == 0, done.stderr
    count, slow = done.stdout.split()
    assert int(count) >= 13
    assert slow == "False"  # a training, which ranks nothing, does not import it


def test_it_measures_a_baseline_where_there_is_no_pytorch(tmp_path):
    from tests.support.footage import write_video
    from tests.support.scenes import render

    write_video(tmp_path / "clips" / "one.mkv", render(4, 64, 96, seed=1).rgb("bt601"))
    arguments = [
        "evaluation", "--clips", str(tmp_path / "clips"), "-o", str(tmp_path / "out"),
        "--methods", "gray", "hold", "--size", "64", "--pictures", "0",
        "--cache", str(tmp_path / "cache"),
    ]  # fmt: skip
    done = run(
        f"{WITHOUT_TORCH}import evaluation.__main__ as command\nsys.argv = {arguments}\n"
        "sys.exit(command.main())"
    )
    assert done.returncode == 0, done.stderr
    assert "| hold |" in done.stdout
    assert str(tmp_path / "out" / "report.html") in done.stdout


@pytest.mark.parametrize("arguments", [["--help"], ["turing", "--help"]])
def test_help_imports_nothing_that_takes_long(arguments):
    done = run(
        f"import sys\nsys.argv = ['evaluation', *{arguments}]\n"
        "import evaluation.__main__ as command\n"
        "try: command.main()\n"
        "finally: print('IMPORTED', *sorted({n.partition('.')[0] for n in sys.modules}))"
    )
    assert done.returncode == 0, done.stderr
    assert "--clips" in done.stdout
    imported = done.stdout.split("IMPORTED")[1].split()
    assert not set(HEAVY) & set(imported)


@pytest.mark.parametrize(
    ("arguments", "options", "joined"),
    [
        ([], EvaluateOptions, "the folder `dev` of the one that the environment variable"),
        (["turing"], TuringOptions, "with a seed of its own that is saved with the answers."),
    ],
)
def test_help_is_a_manual(capsys, monkeypatch, arguments, options, joined):
    monkeypatch.setattr("sys.argv", ["evaluation", *arguments, "--help"])
    monkeypatch.setenv("COLUMNS", "100")
    with pytest.raises(SystemExit) as exit_:
        main()
    assert exit_.value.code == 0
    check_manual(capsys.readouterr().out, options, joined=joined, positional="bundles")


def test_clips_come_from_the_option_or_the_environment(monkeypatch):
    monkeypatch.setenv("VIDCOLOR_CLIPS", "footage")
    assert clips_folder(EvaluateOptions()) == Path("footage/dev")
    assert clips_folder(EvaluateOptions(clips=Path("other"))) == Path("other")
    monkeypatch.delenv("VIDCOLOR_CLIPS")
    with pytest.raises(ArgumentError, match=r"--clips names one, or .* VIDCOLOR_CLIPS"):
        clips_folder(EvaluateOptions())
