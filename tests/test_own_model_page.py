"""docs/own-model.md: a generator of one's own is trained, exported, run and measured."""

from __future__ import annotations

import ast
import importlib
import re
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.support.footage import write_video
from tests.support.scenes import render
from tests.support.videos import frames, plane, write_clip
from training.checkpoint import CheckpointError, load_generator
from training.models import GENERATORS
from training.models.base import Generator
from training.own_models import learn
from vidcolor.errors import ArgumentError
from vidcolor.inference.session import Session

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "own-model.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^ {4}((?:vidcolor|python -m) .*)$", TEXT, re.MULTILINE)
NAME = "examples.own_generator:Drift"
SMALLER = {
    "fit": "--steps 1 --batch 2 --crop 64 --size 64 --cache cache"
    " --discriminator-width 0.03125 --accelerator cpu --threads 1",
    "bundle": "--size 64 --frames 3 --pictures 0 --cache cache --threads 1",
    "color": "--size 64 --codec ffv1 --quiet",
}
"""What a command is also told here, so that it takes seconds."""


@pytest.fixture(autouse=True)
def forget():
    """A generator that was learned is no longer known after a test."""
    before = dict(GENERATORS)
    yield
    GENERATORS.clear()
    GENERATORS.update(before)


def program(name: str):
    """What `vidcolor` or `python -m name` calls."""
    return importlib.import_module(
        "vidcolor.cli" if name == "vidcolor" else f"{name}.__main__"
    ).main


def test_the_commands_run_one_after_the_other(tmp_path, monkeypatch, capsys):
    assert [words.split()[:3][-1] for words in COMMANDS] == [
        "training", "export", "clip.mp4", "evaluation",
    ]  # fmt: skip
    monkeypatch.chdir(tmp_path)
    write_clip(tmp_path / "clip.mp4")
    first = frames(tmp_path / "clip.mp4")[0].to_ndarray(format="rgb24")
    first[:, :20, 0] = 255
    import cv2

    cv2.imwrite("first.png", first)
    for folder in ("path/to/videos", "path/to/held-out"):
        for seed in range(2):
            write_video(Path(folder) / f"{seed}.mkv", render(4, 64, 80, seed=seed).rgb("bt601"))
    for command in COMMANDS:
        words = shlex.split(command.removeprefix("python -m "))
        more = next((s for word, s in SMALLER.items() if word in command.split()[2:4]), "")
        if words[0] == "evaluation":
            more = SMALLER["bundle"]
        monkeypatch.setattr(sys, "argv", [*words, *shlex.split(more)])
        GENERATORS.pop(NAME, None)  # as in a process of its own
        assert program(words[0])() == 0, f"{command}\n{capsys.readouterr().err}"
    session = Session.load("runs/mine/bundle", provider="cpu", precision="float32")
    assert session.metadata.name == "mine"
    assert np.ptp(plane(frames("out.mp4")[-1], 1)) > 2
    assert "| mine" in capsys.readouterr().out

    checkpoint = Path("runs/mine/checkpoint")
    GENERATORS.pop(NAME, None)
    with pytest.raises(CheckpointError, match="Drift"):
        load_generator(checkpoint)
    learn(NAME)
    assert load_generator(checkpoint)[0].hidden.out_channels == 24

    for given, message in (
        ([], f"add --model {NAME}"),
        (["--model", "examples.own_generator:Other"], "but the checkpoint is of a generator"),
    ):
        GENERATORS.pop(NAME, None)
        monkeypatch.setattr(sys, "argv", ["export", str(checkpoint), "-o", "runs/b", *given])
        assert program("export")() == 2
        said = capsys.readouterr().err
        assert message in said
        assert said.count("\n") == 1
        assert NAME not in GENERATORS


def test_the_page_shows_the_example() -> None:
    (shown,) = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    example = (ROOT / "examples" / "own_generator.py").read_text(encoding="utf-8")
    assert statements(shown) == statements(example)


def statements(source: str) -> dict[str, str]:
    """The class's methods and constants as code, without annotations and docstrings."""
    (made,) = (node for node in ast.parse(source).body if isinstance(node, ast.ClassDef))
    plain = {}
    for node in ast.walk(made):
        if isinstance(node, ast.FunctionDef):
            node.returns = None
            for argument in node.args.args:
                argument.annotation = None
            if ast.get_docstring(node):
                node.body = node.body[1:]
            plain[node.name] = ast.unparse(node)
        elif isinstance(node, ast.Assign) and node in made.body:
            plain[ast.unparse(node.targets[0])] = ast.unparse(node.value)
    assert len(plain) >= 6
    return plain


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere.at_all:Drift", "cannot be imported: No module named 'nowhere'"),
        ("examples.own_generator:Nothing", "cannot be imported: .*no attribute 'Nothing'"),
        ("pathlib:Path", r"is no subclass of training\.models\.base\.Generator"),
        ("training.models.base:Generator", "does not define propagate, remember"),
        (":Drift", "cannot be imported"),
    ],
)
def test_what_is_no_generator_is_refused(name: str, message: str) -> None:
    with pytest.raises(ArgumentError, match=message) as error:
        learn(name)
    assert "\n" not in str(error.value)
    assert name not in GENERATORS


def test_a_generator_of_ones_own_is_known_by_its_name() -> None:
    learn(NAME)
    assert issubclass(GENERATORS[NAME], Generator)
    learn("seeds")
    assert "seeds" in GENERATORS
