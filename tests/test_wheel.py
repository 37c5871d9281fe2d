"""The built wheel, in an environment of its own that has what the wheel asks for and no torch."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from packaging.requirements import Requirement

from tests.support import need, videos

ROOT = Path(__file__).parents[1]
EXTRAS = ("cpu", "vapoursynth")
SCRIPTS = "Scripts" if os.name == "nt" else "bin"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    need.vapoursynth()
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", ROOT, "--no-deps", "--no-build-isolation", "--wheel-dir", folder)
    (path,) = folder.glob("vidcolor-*.whl")
    return path


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory):
    """The folder of a virtual environment with the wheel installed."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    paths = {"base": str(folder), "platbase": str(folder)}
    packages = Path(sysconfig.get_path("purelib", "venv", paths))
    for distribution in required_by(wheel):
        lend(distribution, packages)
    add_program(folder, "vapoursynth", "vapoursynth._cli:main")  # vspipe asks it for Python's place
    pip("--python", folder, "install", "--no-deps", "--no-index", wheel)
    return folder


@pytest.fixture(scope="module")
def footage(tmp_path_factory):
    folder = tmp_path_factory.mktemp("footage")
    videos.write_clip(folder / "clip.mkv")
    videos.write_key(folder / "key.png")
    return folder


def pip(*arguments):
    """Run pip as in an activated environment: what builds wheels looks for programs on the PATH."""
    paths = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    command = [sys.executable, "-m", "pip", "--quiet", *map(str, arguments)]
    subprocess.run(command, env=os.environ | {"PATH": paths}, check=True)


def required_by(wheel):
    """The installed distributions that the wheel with `EXTRAS` needs, and those they need."""
    (info,) = metadata.distributions(name="vidcolor", path=[str(wheel)])
    waiting = [(info, extra) for extra in ("", *EXTRAS)]
    found = {}
    while waiting:
        distribution, extra = waiting.pop()
        for requirement in map(Requirement, distribution.requires or ()):
            if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
                continue
            if requirement.name not in found:
                found[requirement.name] = metadata.distribution(requirement.name)
                waiting += [(found[requirement.name], e) for e in ("", *requirement.extras)]
    return found.values()


def lend(distribution, packages):
    """Put an installed distribution into another environment.

    By links, but for VapourSynth: it loads the plugins that lie beside it, and only those.
    """
    for file in distribution.files:
        top, source = file.parts[0], Path(distribution.locate_file(file))
        if top == "vapoursynth":
            target = packages / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
        elif top not in ("..", "__pycache__") and not (packages / top).exists():
            (packages / top).symlink_to(distribution.locate_file(top))


def add_program(environment, name, entry):
    """What pip makes of an entry point."""
    module, function = entry.split(":")
    program = environment / SCRIPTS / name
    program.write_text(
        f"#!{environment / SCRIPTS / 'python'}\n"
        f"import sys\nfrom {module} import {function}\nsys.exit({function}())\n"
    )
    program.chmod(0o755)


def run(environment, program, *arguments, cwd):
    """Run one of the environment's programs, with nothing else of Python's to find."""
    paths = os.pathsep.join((str(environment / SCRIPTS), os.environ["PATH"]))
    variables = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    variables |= {"PATH": paths, "PWD": str(cwd), "XDG_CONFIG_HOME": str(environment)}
    return subprocess.run(
        [program, *map(str, arguments)], cwd=cwd, env=variables, capture_output=True, check=True
    ).stdout


def test_top_level_names(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
    tops = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert tops == {"vidcolor", "vsvidcolor", "vapoursynth"}
    (native,) = [name for name in names if name.startswith("vapoursynth/")]
    assert Path(native).parent == Path("vapoursynth/plugins")
    assert "vidcolor" in Path(native).name
    assert wheel.name.split("-")[2:4] == ["py3", "none"]


def test_every_file_of_the_packages_is_in_the_wheel(wheel):
    """Sources, stubs, and the shipped models."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for folder in (ROOT / "runtime", ROOT / "vapoursynth_plugin"):
        files = [path for path in folder.glob("*vidcolor/**/*") if path.is_file()]
        wanted = {p.relative_to(folder).as_posix() for p in files if "__pycache__" not in p.parts}
        assert len(wanted) > 5
        assert wanted <= names


@pytest.mark.skipif(sys.platform != "linux", reason="manylinux is for Linux")
def test_on_linux_the_wheel_says_which_systems_it_is_for(wheel):
    assert re.fullmatch(r"manylinux_2_\d+_\w+", wheel.stem.split("-")[4].split(".")[0])


def test_licences_and_notices_are_in_the_wheel(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = {name.partition(".dist-info/licenses/")[2] for name in archive.namelist()}
        (metadata_name,) = [n for n in archive.namelist() if n.endswith(".dist-info/METADATA")]
        text = archive.read(metadata_name).decode()
    assert {"LICENSE", "NOTICE", "LICENSES/Apache-2.0.txt"} <= names
    for line in ("License-Expression: MIT", "Author: The vidcolor authors"):
        assert line in text


def test_no_file_is_in_the_wheel_twice(wheel):
    """Neither weights nor anything else of more than a line or two."""
    with zipfile.ZipFile(wheel) as archive:
        large = [(i.CRC, i.file_size) for i in archive.infolist() if i.file_size > 100]
    assert len(set(large)) == len(large)


def test_a_missing_extra_is_installed_without_an_index_that_knows_vidcolor(environment):
    """As the errors say: pip takes the vidcolor that is there. Its libraries come from an index."""
    sources = [path.read_text("utf-8") for path in (ROOT / "runtime" / "vidcolor").rglob("*.py")]
    told = set(re.findall(r'"vidcolor\[(\w+)\]"|extra="(\w+)"', "\n".join(sources)))
    named = {one or other for one, other in told}
    assert {"cpu", "cuda", "film", "scribbles", "cluster"} <= named <= set(extras(environment))
    requirements = [f"vidcolor[{extra}]" for extra in sorted(named)]
    pip("--python", environment, "install", "--no-deps", "--no-index", *requirements)


def extras(environment):
    """The extras that the installed vidcolor declares."""
    paths = {"base": str(environment), "platbase": str(environment)}
    packages = sysconfig.get_path("purelib", "venv", paths)
    (info,) = metadata.distributions(name="vidcolor", path=[packages])
    return info.metadata.get_all("Provides-Extra")


def test_without_torch_the_wheel_colours_a_clip_in_both_ways(environment, footage, toy_bundle):
    """The command line and vspipe agree, to the last bit of a lossless file."""
    python = environment / SCRIPTS / "python"
    code = (
        "import sys, importlib.util as u, vidcolor; print(u.find_spec('torch'), vidcolor.__file__)"
    )
    torch, _, path = run(environment, python, "-c", code, cwd=footage).decode().partition(" ")
    assert torch == "None"
    assert Path(path).is_relative_to(environment)

    arguments = ("--model", toy_bundle, "--provider", "cpu", "--codec", "ffv1", "--quiet")
    command = environment / SCRIPTS / "vidcolor"
    run(
        environment,
        command,
        "color",
        "clip.mkv",
        "--key",
        "key.png",
        "-o",
        "out.mkv",
        *arguments,
        cwd=footage,
    )
    coloured = [
        b"".join(np.ascontiguousarray(videos.plane(frame, i)).tobytes() for i in range(3))
        for frame in videos.frames(footage / "out.mkv")
    ]
    assert len(coloured) == len(videos.STEADY)

    files = (f"clip={footage / 'clip.mkv'}", f"key={footage / 'key.png'}")
    given = (*files, f"model={toy_bundle}", "provider=cpu")
    arguments = [part for value in given for part in ("--arg", value)]
    vspipe = next(environment.glob("**/vapoursynth/vspipe*"))
    script = ROOT / "examples" / "propagate.vpy"
    assert run(environment, vspipe, *arguments, script, "-", cwd=footage) == b"".join(coloured)
