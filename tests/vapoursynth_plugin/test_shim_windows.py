"""The native part, built for Windows by a compiler that runs here."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import vapoursynth as vs

SOURCE = Path(__file__).parents[2] / "vapoursynth_plugin"
COMPILER, DUMP = (f"x86_64-w64-mingw32-{tool}" for tool in ("gcc", "objdump"))

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, (COMPILER, DUMP, "cmake"))),
    reason=f"needs {COMPILER}, {DUMP} and cmake; in Debian: gcc-mingw-w64-x86-64, cmake",
)


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """The DLL, built without a warning."""
    folder = tmp_path_factory.mktemp("windows")
    target = {
        "CMAKE_SYSTEM_NAME": "Windows",
        "CMAKE_C_COMPILER": COMPILER,
        "CMAKE_C_FLAGS": "-Werror",
        "CMAKE_BUILD_TYPE": "Release",
        "VAPOURSYNTH_INCLUDE": Path(vs.__file__).with_name("include"),
    }
    given = [f"-D{name}={value}" for name, value in target.items()]
    for command in (["-S", SOURCE, "-B", folder, *given], ["--build", folder]):
        done = subprocess.run(["cmake", *command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    (path,) = folder.glob("*.dll")
    return path


@pytest.fixture(scope="module")
def headers(library):
    command = [DUMP, "--private-headers", library]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_vapoursynth_finds_its_entry_and_nothing_else(headers):
    _, _, exported = headers.partition("[Ordinal/Name Pointer] Table")
    assert re.findall(r"^\s*\[ *\d+\] (\S+)$", exported, re.MULTILINE) == ["VapourSynthPluginInit2"]


def test_it_links_only_what_is_part_of_windows(headers):
    needed = {name.lower() for name in re.findall(r"DLL Name: (\S+)", headers)}
    assert "kernel32.dll" in needed
    beyond = {
        name for name in needed if not name.startswith(("kernel32.", "msvcrt.", "api-ms-win-"))
    }
    assert not beyond
