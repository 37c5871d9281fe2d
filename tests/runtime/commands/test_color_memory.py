"""`vidcolor color` where there is not enough memory: a sentence, and nothing half-written."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.videos import write_clip, write_key

TOY = Path(__file__).parents[2] / "toy" / "bundle"
SIZE = {"width": 1280, "height": 720}
LIMITED = """
import resource, sys
import cv2, onnxruntime
import vidcolor.commands.color_films
from vidcolor.cli import main
cv2.setNumThreads(1)
more = int(sys.argv[1])
if more:
    pages = int(open("/proc/self/statm").read().split()[0])
    room = pages * resource.getpagesize() + (more << 20)
    resource.setrlimit(resource.RLIMIT_AS, (room, room))
sys.exit(main(sys.argv[2:]))
"""
"""Runs the command in MiB of addresses more than it takes to begin; 0 is as many as it likes."""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are Linux's")


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film, its keys, and what comes of it where there is memory enough."""
    folder = tmp_path_factory.mktemp("material")
    write_clip(folder / "film.mkv", pts=[40 * n for n in range(18)], **SIZE)
    (folder / "keys").mkdir()
    for frame in (0, 6, 12):
        write_key(folder / "keys" / f"{frame:06}.png", frame=frame, **SIZE)
    (folder / "cuts.txt").write_text("0\n6\n12\n")
    assert color(folder, "fresh.mkv", 0).returncode == 0
    return folder


@pytest.fixture
def folder(material: Path, tmp_path: Path) -> Path:
    """A folder with links to the same."""
    for name in ("film.mkv", "keys", "cuts.txt", "fresh.mkv"):
        (tmp_path / name).symlink_to(material / name)
    return tmp_path


def color(folder: Path, output: str, more: int) -> subprocess.CompletedProcess[str]:
    options = ["--keys", "keys", "--scenes", "cuts.txt", "--any-key", "--codec", "ffv1"]
    options += ["--model", str(TOY), "--provider", "cpu", "--size", "128", "--quiet"]
    return subprocess.run(
        [sys.executable, "-c", LIMITED, str(more), "color", "film.mkv", "-o", output, *options],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def check(folder: Path, more: int) -> None:
    """One sentence and no output; what was finished is kept, and serves the next run."""
    limited = color(folder, "out.mkv", more)
    if limited.returncode:
        assert limited.returncode in (1, 2), limited.stderr
        told = [line for line in limited.stderr.splitlines() if line.startswith("vidcolor: ")]
        assert len(told) == 1, limited.stderr
        assert "Traceback" not in limited.stderr
        assert not (folder / "out.mkv").exists()
        assert not list((folder / "out.mkv.vidcolor").glob(".partial*"))
        assert color(folder, "out.mkv", 0).returncode == 0
    assert (folder / "out.mkv").read_bytes() == (folder / "fresh.mkv").read_bytes()


@pytest.mark.parametrize("more", [32, 416])
def test_little_memory(folder: Path, more: int) -> None:
    """At the beginning, and where the encoder of a part was once asked for more all the same."""
    check(folder, more)


@pytest.mark.long
@pytest.mark.parametrize("more", range(0, 640, 16))
def test_any_memory(folder: Path, more: int) -> None:
    check(folder, more)
