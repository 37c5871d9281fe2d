"""Arrows only down: export -> training -> evaluation -> vidcolor; vsvidcolor -> vidcolor."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.modules import LAW, OURS, ROOT, Graph, files, folder_of, packages

SHIPPED = ("vidcolor", "vsvidcolor")
NOT_SHIPPED = {
    "torch",
    "torchvision",
    "onnx",
    "onnxscript",
    "lightning_fabric",
    "kornia",
    "skimage",
    "scipy",
}
ALONE = ("inference/contract", "planes", "errors", "timeline")
"""Modules of the runtime that import nothing of ours."""


@pytest.mark.parametrize("package", LAW)
def test_who_imports_whom(package: str) -> None:
    assert not Graph.of(package).upward


@pytest.mark.parametrize("package", LAW)
def test_no_package_has_a_circle(package: str) -> None:
    assert not Graph.of(package).circle()


def test_the_graph_sees_arrows_circles_and_what_is_not_allowed(tmp_path: Path) -> None:
    folder = tmp_path / "evaluation"
    folder.mkdir()
    for name, text in {
        "top": "from evaluation import left",
        "left": "from evaluation.right import x",
        "right": "import evaluation.left\nimport evaluation.below",
        "below": "import training.fit",
    }.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    graph = Graph.of("evaluation", tmp_path)
    assert graph.arrows == 4
    assert graph.circle() == {"evaluation.left", "evaluation.right"}
    assert graph.floors() == [{"evaluation.below"}]
    assert graph.upward == {"evaluation.below": {"training"}}


@pytest.mark.parametrize("package", SHIPPED)
def test_what_ships_needs_nothing_of_the_trainers(package: str) -> None:
    for path in files(package):
        wrong = packages(path) & NOT_SHIPPED
        assert not wrong, f"{path.relative_to(ROOT)} imports {sorted(wrong)}"


def test_training_takes_fabric_alone_of_lightning() -> None:
    """The whole of it imports torchmetrics and with that Matplotlib and SciPy: two more seconds."""
    taken = set().union(*(packages(path) for path in files("training")))
    assert "lightning_fabric" in taken
    assert not taken & {"lightning", "pytorch_lightning", "torchmetrics"}


@pytest.mark.parametrize("module", ALONE)
def test_these_stand_alone(module: str) -> None:
    path = folder_of("vidcolor") / f"{module}.py"
    assert not packages(path) & OURS


def test_importing_the_runtime_pulls_in_neither_torch_nor_onnxruntime() -> None:
    root = folder_of("vidcolor").parent
    modules = [
        ".".join(path.relative_to(root).with_suffix("").parts)
        for path in files("vidcolor")
        if not path.stem.startswith("__")
    ]
    code = (
        "import importlib, sys\n"
        f"for name in {modules}: importlib.import_module(name)\n"
        f"wrong = {{*{sorted(NOT_SHIPPED)}, 'onnxruntime', 'vapoursynth'}} & sys.modules.keys()\n"
        "sys.exit(f'imported {sorted(wrong)}' if wrong else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
