"""A new user's first hour: what README and the quick start tell to type, in a fresh checkout.

Each Python has a virtual environment of its own, and libraries come from the package index, so it
takes minutes: `make test-long`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import films, need
from tests.support.pages import commands

ROOT = Path(__file__).parents[1]
pytestmark = [pytest.mark.long, pytest.mark.timeout(1500)]


def interpreter(version: str) -> Path:
    """The folder of `python3` of a version, from pyenv, uv or the PATH."""
    home = Path.home()
    folders = [
        *sorted((home / ".pyenv" / "versions").glob(f"{version}.*/bin")),
        *sorted((home / ".local/share/uv/python").glob(f"cpython-{version}.*/bin")),
        *(Path(path).parent for path in [shutil.which(f"python{version}")] if path),
    ]
    found = [folder for folder in folders if (folder / "python3").exists()]
    if not found:
        need.lacking("PYTHONS", f"there is no Python {version}")
    return found[0]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The files of this repository alone, as somebody clones them."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            target = tmp_path / "vidcolor" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
    return tmp_path / "vidcolor"


def shell(
    lines: list[str], *, folder: Path, python: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Type lines into one bash, which ends at the first that fails."""
    paths = [str(python)] if python else []
    environment = {k: v for k, v in os.environ.items() if k not in ("VIRTUAL_ENV", "PYTHONPATH")}
    environment["PATH"] = os.pathsep.join([*paths, os.environ["PATH"]])
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(lines)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def written(page: str, pattern: str) -> list[str]:
    """Commands of a page, as they stand there."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"^ {{4}}((?:{pattern}).*)$", text, re.MULTILINE)


INSTALL = written("README.md", r"python3 -m venv|source|pip install")[:3]
UVX = written("README.md", "uvx ")
QUICK = written("docs/quick-start.md", "vidcolor ")


def test_the_pages_have_what_is_played_here() -> None:
    assert [line.split()[0] for line in INSTALL] == ["python3", "source", "pip"]
    assert len(UVX) == 1
    assert len(QUICK) == len(commands(ROOT / "docs" / "quick-start.md")) >= 5


@pytest.mark.parametrize("version", ["3.12", "3.13"])
def test_install_and_quick_start(checkout: Path, version: str) -> None:
    python = interpreter(version)
    done = shell(INSTALL, folder=checkout, python=python)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]

    scene = films.scenes((10,), height=96, width=128)
    films.write_film(checkout / "clip.mp4", scene)
    enter = INSTALL[1]
    advise, *rest = QUICK
    done = shell([enter, advise], folder=checkout, python=python)
    assert done.returncode == 0, done.stderr[-3000:]
    numbers = [int(path.stem) for path in (checkout / "keys").glob("0*.png")]
    assert numbers
    films.write_keys(checkout / "keys", scene, numbers)
    films.write_keys(checkout / "first", scene, [0])
    (checkout / "first" / "000000.png").rename(checkout / "first.png")
    done = shell([enter, *rest], folder=checkout, python=python)
    assert done.returncode == 0, done.stderr[-3000:]
    for name in ("out.mp4", "first-only.mp4", "review.html", "auto.mp4"):
        assert (checkout / name).stat().st_size > 1000

    # A library of an extra that is not there is told with a command that brings it.
    strokes = "vidcolor key first.png --paint first.png -o key.png"
    done = shell([enter, strokes], folder=checkout, python=python)
    assert done.returncode == 2
    (command,) = re.findall(r"`(pip install .+?)`", done.stderr)
    done = shell([enter, command, "python -c 'import scipy'"], folder=checkout, python=python)
    assert done.returncode == 0, done.stderr[-3000:]


def test_an_older_python_is_refused_in_one_sentence(checkout: Path) -> None:
    done = shell(INSTALL, folder=checkout, python=interpreter("3.11"))
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert said.count("vidcolor needs Python 3.12 or newer") == 1
    assert re.search(r"\[1 lines of output\]\s+vidcolor needs Python 3.12 or newer\s+\[end", said)
    assert "Traceback" not in said


def test_with_uv_nothing_needs_to_be_installed(checkout: Path) -> None:
    uv = shutil.which("uvx") or str(Path(sys.executable).with_name("uvx"))
    if not Path(uv).exists():
        need.lacking("UV", "uv is not installed")
    python = interpreter("3.12")
    line = UVX[0].replace("uvx", f"'{uv}'", 1)
    done = shell([line], folder=checkout, python=python)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "vidcolor" in done.stdout
    assert "review" in done.stdout
