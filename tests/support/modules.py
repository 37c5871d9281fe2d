"""The module graph of each package, read from its imports: `python -m tests.support.modules`.

Prints, for each package, its modules, the arrows (imports of one of its modules by another), the
floors (length of the longest chain of arrows), the arrows that run up (imports that `LAW` forbids)
and the modules that stand in a circle. A path of another checkout may be given.
"""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

ROOT = Path(__file__).parents[2]
HOMES = MappingProxyType({"vidcolor": "runtime", "vsvidcolor": "vapoursynth_plugin"})
"""The folder that a package lies in, where it is not the checkout itself."""
LAW = MappingProxyType(
    {
        "vidcolor": {"vidcolor"},
        "vsvidcolor": {"vsvidcolor", "vidcolor"},
        "evaluation": {"evaluation", "vidcolor"},
        "training": {"training", "evaluation", "vidcolor"},
        "export": {"export", "training", "evaluation", "vidcolor"},
    }
)
"""Which of our packages each package may import."""
OURS = frozenset({*LAW, "tests", "benchmarks"})


def folder_of(package: str, root: Path = ROOT) -> Path:
    """Where a package lies in a checkout."""
    return root / HOMES.get(package, "") / package


def files(package: str, root: Path = ROOT) -> list[Path]:
    """The Python files of a package; at least one."""
    found = sorted(folder_of(package, root).rglob("*.py"))
    assert found, f"{package} has no files"
    return found


def imports(path: Path) -> set[str]:
    """Full names of all that a file imports, wherever in it; relative ones are refused.

    ``from a import b`` names both ``a`` and ``a.b``: b may be a module. What is imported for types
    alone counts too: a reader follows it like the rest.
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
    """The top-level packages that a file imports."""
    return {name.partition(".")[0] for name in imports(path)}


@dataclass(frozen=True)
class Graph:
    """Who imports whom within a package, and what of it is not allowed."""

    uses: dict[str, set[str]]
    """By module's full name: the modules of the same package that it imports."""
    upward: dict[str, set[str]]
    """By module's full name: our packages that it imports and must not."""

    @classmethod
    def of(cls, package: str, root: Path = ROOT) -> Graph:
        """Read the graph of a package from its files."""
        top = folder_of(package, root).parent
        modules = {
            ".".join(path.relative_to(top).with_suffix("").parts): path
            for path in files(package, root)
        }
        wrong = {name: (packages(path) & OURS) - LAW[package] for name, path in modules.items()}
        return cls(
            uses={name: imports(path) & modules.keys() for name, path in modules.items()},
            upward={name: found for name, found in wrong.items() if found},
        )

    @property
    def arrows(self) -> int:
        """How many imports there are within the package."""
        return sum(map(len, self.uses.values()))

    def floors(self) -> list[set[str]]:
        """Modules by the longest chain of imports below them; those in or above a circle lack."""
        left, floors = dict(self.uses), []
        while free := {name for name, needs in left.items() if not needs}:
            left = {name: needs - free for name, needs in left.items() if name not in free}
            floors.append(free)
        return floors

    def circle(self) -> set[str]:
        """The modules that import each other in a circle; none if all is well."""
        left = dict(self.uses)
        while free := {
            name
            for name, needs in left.items()
            if not needs or not any(name in other for other in left.values())
        }:
            left = {name: needs - free for name, needs in left.items() if name not in free}
        return set(left)


def main() -> None:
    """Print a line for each package."""
    root = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT
    print(_row("package", "modules", "arrows", "floors", "upward", "circle"))
    for package in LAW:
        if folder_of(package, root).is_dir():
            graph = Graph.of(package, root)
            counted = (graph.uses, graph.floors(), graph.upward, graph.circle())
            modules, floors, upward, circle = map(len, counted)
            print(_row(package, modules, graph.arrows, floors, upward, circle))


def _row(name: str, *cells: object) -> str:
    return f"{name:12}" + "".join(f"{cell!s:>8}" for cell in cells)


if __name__ == "__main__":
    main()
