"""A film coloured by Ray workers has the same bytes, also when one of them is lost."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.films import scenes, write_film, write_keys, write_scenes
from vidcolor.cli import main
from vidcolor.errors import ClusterError, MissingLibraryError
from vidcolor.film.cluster import Cluster
from vidcolor.inference.session import Session

TOY = Path(__file__).parents[2] / "toy" / "bundle"
SHOTS, LENGTH = 6, 60


def children(pid: int) -> set[int]:
    """All processes that descend from a process, on Linux."""
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:  # it has gone meanwhile
            continue
        parents[int(status.parent.name)] = int(fields[1])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}


def propagating(pid: int) -> list[int]:
    """Ray workers below a process that are at work on a segment."""
    names = {}
    for child in children(pid):
        try:
            names[child] = Path(f"/proc/{child}/cmdline").read_text()
        except OSError:
            continue
    return [child for child, name in names.items() if "ray::_propagate" in name]


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="workers are found by way of /proc")
def test_three_workers_one_of_them_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    film = scenes([LENGTH] * SHOTS)
    write_film(Path("film.mkv"), film)
    write_keys(Path("keys"), film, range(0, SHOTS * LENGTH, LENGTH))
    cuts = write_scenes(Path("cuts.txt"), range(0, SHOTS * LENGTH, LENGTH))
    command = ["color", "film.mkv", "--keys", "keys", "--scenes", str(cuts), "--quiet"]
    command += ["--model", str(TOY), "--provider", "cpu", "--codec", "ffv1"]
    assert main([*command, "-o", "alone.mkv"]) == 0
    command += ["--cluster", "local", "--jobs", "3", "-o", "many.mkv"]
    assert any(lose_a_worker(command) for _ in range(4)), "Ray did not start"
    assert Path("many.mkv").read_bytes() == Path("alone.mkv").read_bytes()


def lose_a_worker(command: list[str]) -> bool:
    """Pass vidcolor and kill the first worker that is at work.

    False if Ray gave up before there was one: it waits no longer than 30 seconds for its own
    processes, which on a busy machine is not enough.
    """
    with subprocess.Popen([sys.executable, "-m", "vidcolor", *command]) as process:
        while not (busy := propagating(process.pid)):
            if process.poll() is not None:
                assert process.returncode == 2, "it was done before a worker was killed"
                return False
            time.sleep(0.001)
        os.kill(busy[0], signal.SIGKILL)
        assert process.wait(timeout=400) == 0
    return True


def test_without_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    session = Session.load(TOY, provider="cpu")
    with pytest.raises(MissingLibraryError, match=r"pip install .vidcolor\[cluster\]"):
        Cluster("local", model=str(TOY), session=session, jobs=2)


def test_no_cluster_at_the_address() -> None:
    session = Session.load(TOY, provider="cpu")
    with pytest.raises(ClusterError, match=r"Ray cannot be reached at 127\.0\.0\.1:1"):
        Cluster("127.0.0.1:1", model=str(TOY), session=session, jobs=1)
