"""Arrows only down: export -> training -> evaluation -> vidcolor; vsvidcolor -> vidcolor."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = frozenset(
    {"vidcolor", "vsvidcolor", "evaluation", "training", "export", "tests", "benchmarks"}
)
FOLDERS = {
    "vidcolor": ROOT / "runtime" / "vidcolor",
    "vsvidcolor": ROOT / "vapoursynth_plugin" / "vsvidcolor",
    "evaluation": ROOT / "evaluation",
    "training": ROOT / "training",
    "export": ROOT / "export",
}
LAW = {
    "vidcolor": {"vidcolor"},
    "vsvidcolor": {"vsvidcolor", "vidcolor"},
    "evaluation": {"evaluation", "vidcolor"},
    "training": {"training", "evaluation", "vidcolor"},
    "export": {"export", "training", "evaluation", "vidcolor"},
}
SHIPPED = ("vidcolor", "vsvidcolor")
NOT_SHIPPED = {
    "torch",
    "torchvision",
    "onnx",
    "onnxscript",
    "lightning",
    "kornia",
    "skimage",
    "scipy",
}
ALONE = ("inference/contract", "planes", "errors", "timeline")
"""Modules of the runtime that import nothing of ours."""


def imports(path: Path) -> set[str]:
    """Full names of all that a file imports, wherever in it; relative ones are refused.

    ``from a import b`` names both ``a`` and ``a.b``: b may be a module.
    """
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def packages(path: Path) -> set[str]:
    return {name.partition(".")[0] for name in imports(path)}


def files(package: str) -> list[Path]:
    found = sorted(FOLDERS[package].rglob("*.py"))
    assert found, f"{package} has no files"
    return found


@pytest.mark.parametrize("package", LAW)
def test_who_imports_whom(package: str) -> None:
    for path in files(package):
        wrong = (packages(path) & OURS) - LAW[package]
        assert not wrong, f"{path.relative_to(ROOT)} imports {sorted(wrong)}"


@pytest.mark.parametrize("package", SHIPPED)
def test_what_ships_needs_nothing_of_the_trainers(package: str) -> None:
    for path in files(package):
        wrong = packages(path) & NOT_SHIPPED
        assert not wrong, f"{path.relative_to(ROOT)} imports {sorted(wrong)}"


@pytest.mark.parametrize("module", ALONE)
def test_these_stand_alone(module: str) -> None:
    path = FOLDERS["vidcolor"] / f"{module}.py"
    assert not packages(path) & OURS


@pytest.mark.parametrize("package", LAW)
def test_no_package_has_a_circle(package: str) -> None:
    """Imports under `TYPE_CHECKING` count too: a reader follows them like the others."""
    root = FOLDERS[package].parent
    modules = {
        ".".join(path.relative_to(root).with_suffix("").parts): path for path in files(package)
    }
    uses = {name: imports(path) & modules.keys() for name, path in modules.items()}
    while free := {name for name, needs in uses.items() if not needs}:
        uses = {name: needs - free for name, needs in uses.items() if name not in free}
    assert not uses, f"these import each other: {sorted(uses)}"


def test_importing_the_runtime_pulls_in_neither_torch_nor_onnxruntime() -> None:
    root = FOLDERS["vidcolor"].parent
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
