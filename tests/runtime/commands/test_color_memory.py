"""`vidcolor color` where there is not enough memory: a sentence, and nothing half-written."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from tests.support.forked import Program, Programs, run_vidcolor
from tests.support.videos import write_clip, write_key
from tests.support.waiting import DEADLINE

TOY = Path(__file__).parents[2] / "toy" / "bundle"
SIZE = {"width": 1280, "height": 720}
CUTS = (0, 3, 6)
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are Linux's")


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory, vidcolor: Programs) -> Path:
    """A film, its keys, and what comes of it where there is memory enough."""
    folder = tmp_path_factory.mktemp("material")
    write_clip(folder / "film.mkv", pts=[40 * n for n in range(9)], **SIZE)
    (folder / "keys").mkdir()
    for frame in CUTS:
        write_key(folder / "keys" / f"{frame:06}.png", frame=frame, **SIZE)
    (folder / "cuts.txt").write_text("\n".join(map(str, CUTS)))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert color(vidcolor, "fresh.mkv", 0).status == 0
    return folder


@pytest.fixture
def folder(material: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to stand in, with links to the same."""
    for name in ("film.mkv", "keys", "cuts.txt", "fresh.mkv"):
        (tmp_path / name).symlink_to(material / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run_limited(words: Sequence[str], *, more: int) -> None:
    """Call the command line in MiB of addresses more than it takes to begin; 0 is no limit."""
    import resource

    import cv2

    cv2.setNumThreads(1)
    if more:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        room = pages * resource.getpagesize() + (more << 20)
        resource.setrlimit(resource.RLIMIT_AS, (room, room))
    run_vidcolor(words)


def color(vidcolor: Programs, output: str, more: int) -> Program:
    """Run it to its end."""
    options = ["--keys", "keys", "--scenes", "cuts.txt", "--any-key", "--codec", "ffv1"]
    options += ["--model", str(TOY), "--provider", "cpu", "--size", "128", "--quiet"]
    words = ["color", "film.mkv", "-o", output, *options]
    program = vidcolor.start(words, run=partial(run_limited, more=more))
    program.wait(DEADLINE)
    return program


def check(vidcolor: Programs, folder: Path, more: int) -> None:
    """One sentence and no output; what was finished is kept, and serves the next run."""
    limited = color(vidcolor, "out.mkv", more)
    if limited.status:
        assert limited.status in (1, 2), limited.told
        told = [line for line in limited.told.splitlines() if line.startswith("vidcolor: ")]
        assert len(told) == 1, limited.told
        assert "Traceback" not in limited.told
        assert not (folder / "out.mkv").exists()
        assert not list((folder / "out.mkv.vidcolor").glob(".partial*"))
        assert color(vidcolor, "out.mkv", 0).status == 0
    assert (folder / "out.mkv").read_bytes() == (folder / "fresh.mkv").read_bytes()


@pytest.mark.parametrize("more", [32, 416])
def test_little_memory(vidcolor: Programs, folder: Path, more: int) -> None:
    """At the beginning, and where the encoder of a part was once asked for more all the same."""
    check(vidcolor, folder, more)


@pytest.mark.long
@pytest.mark.parametrize("more", range(0, 640, 16))
def test_any_memory(vidcolor: Programs, folder: Path, more: int) -> None:
    check(vidcolor, folder, more)
