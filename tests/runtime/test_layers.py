"""Arrows only down inside vidcolor: commands -> advise -> film -> key -> media -> the core.

So the core can be read, and the VapourSynth filter understood, without any of the folders above.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.modules import files, folder_of, imports

LAYERS = ("core", "media", "key", "film", "advise", "commands", "front")
"""From the bottom: each may import itself and those before it."""
FRONT = ("__init__", "cli", "__main__")
"""The modules at the top of the folder that are not of the core: the public names, all of them
imported on first use, and what starts the commands."""
RUNTIME = folder_of("vidcolor")


def layer(parts: tuple[str, ...]) -> str:
    """Of a module by its name's parts below vidcolor; inference and motion are of the core."""
    if parts and parts[0] in FRONT:
        return "front"
    return parts[0] if parts and parts[0] in LAYERS else "core"


def layer_of(path: Path) -> str:
    return layer(path.relative_to(RUNTIME).with_suffix("").parts)


def imported(path: Path) -> set[str]:
    """The layers of vidcolor that a file imports."""
    names = (name.split(".") for name in imports(path))
    return {layer(tuple(below)) for top, *below in names if top == "vidcolor"}


def test_every_folder_with_modules_has_its_layer() -> None:
    folders = {path.parent for path in files("vidcolor")} - {RUNTIME}
    found = {folder.relative_to(RUNTIME).as_posix() for folder in folders}
    assert found == {"inference", "motion", *LAYERS[1:-1]}


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_imports_only_what_lies_below(name: str) -> None:
    paths = [path for path in files("vidcolor") if layer_of(path) == name]
    assert paths
    above = set(LAYERS[LAYERS.index(name) + 1 :])
    for path in paths:
        wrong = imported(path) & above
        assert not wrong, f"{path.relative_to(RUNTIME)} imports {sorted(wrong)}"


def test_the_filter_needs_the_core_and_keys() -> None:
    for path in files("vsvidcolor"):
        wrong = imported(path) - {"core", "key"}
        assert not wrong, f"{path.name} imports {sorted(wrong)}"
