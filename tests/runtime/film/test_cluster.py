"""A film coloured by Ray workers has the same bytes, also when one of them is lost."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.support import need
from tests.support.films import scenes, write_film, write_keys, write_scenes
from vidcolor.cli import main
from vidcolor.errors import ClusterError, MissingLibraryError
from vidcolor.film import segments
from vidcolor.film.cluster import Cluster, check_cluster
from vidcolor.film.store import Store
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


def listening(pid: int) -> set[str]:
    """The addresses, without their ports, that a process and those below it listen at."""
    sockets = set()
    for each in {pid, *children(pid)}:
        for descriptor in Path(f"/proc/{each}/fd").glob("*"):
            with suppress(OSError):
                sockets.add(str(descriptor.readlink()).partition("socket:")[2].strip("[]"))
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in sockets:
                found.add(fields[1].partition(":")[0])
    return found


LOOPBACK = {"0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"}
"""127.0.0.1, the same in IPv6, and ::1, as Linux writes them."""

needs_ray = pytest.mark.skipif(
    sys.platform != "linux" or find_spec("ray") is None,
    reason="needs Ray; its processes are found by way of /proc",
)


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What colours a film of some shots, but for its output, in a folder to stand in."""
    monkeypatch.chdir(tmp_path)
    film = scenes([LENGTH] * SHOTS)
    write_film(Path("film.mkv"), film)
    write_keys(Path("keys"), film, range(0, SHOTS * LENGTH, LENGTH))
    cuts = write_scenes(Path("cuts.txt"), range(0, SHOTS * LENGTH, LENGTH))
    command = ["color", "film.mkv", "--keys", "keys", "--scenes", str(cuts), "--quiet"]
    return [*command, "--model", str(TOY), "--provider", "cpu", "--codec", "ffv1"]


@needs_ray
@pytest.mark.long
def test_three_workers_one_of_them_killed(command: list[str]) -> None:
    """With a key that holds over a cut, whose frames are coloured on their own."""
    command += ["--key-range", f"{LENGTH}:{LENGTH - 10}-{LENGTH + 20}"]
    assert main([*command, "-o", "alone.mkv"]) == 0
    command += ["--cluster", "local", "--jobs", "3", "-o", "many.mkv"]
    assert any(lose_a_worker(command) for _ in range(4)), "Ray did not start"
    assert Path("many.mkv").read_bytes() == Path("alone.mkv").read_bytes()


@needs_ray
@pytest.mark.long
def test_a_dead_raylet_costs_a_sentence(command: list[str]) -> None:
    """By which Ray ends the process that it is in. Nobody else could have reached the cluster."""
    command += ["--cluster", "local", "--jobs", "2", "-o", "out.mkv"]
    with subprocess.Popen(
        [sys.executable, "-m", "vidcolor", *command], stderr=subprocess.PIPE, text=True
    ) as process:
        while not propagating(process.pid):
            assert process.poll() is None, "it was done before its raylet was killed"
            time.sleep(0.01)
        addresses = listening(process.pid)
        [raylet] = [child for child in children(process.pid) if is_raylet(child)]
        os.kill(raylet, signal.SIGKILL)
        _, told = process.communicate(timeout=400)
    assert process.returncode == 2
    assert told == (
        "vidcolor: cluster: Ray at local was lost; the same command goes on from what is finished\n"
    )
    assert addresses
    assert addresses <= LOOPBACK
    assert not Path("out.mkv").exists()


@needs_ray
@pytest.mark.long
def test_parts_of_a_killed_job_are_kept(command: list[str], steps: list[int]) -> None:
    """Of each segment under way, in the film's own work folder, whichever machine found them."""
    shots, length = 2, 3 * segments.PART - 1
    film = scenes([length] * shots)
    write_film(Path("film.mkv"), film)
    shutil.rmtree("keys")
    write_keys(Path("keys"), film, (0, length - 1, length))
    write_scenes(Path("cuts.txt"), (0, length))
    many = [*command, "--cluster", "local", "--jobs", "2", "-o", "out.mkv"]
    with subprocess.Popen([sys.executable, "-m", "vidcolor", *many]) as process:
        while not (found := set(Path("out.mkv.vidcolor").glob("found.*.npy"))):
            assert process.poll() is None, "it was done before it was killed"
            time.sleep(0.001)
        process.kill()
    assert main([*command, "-o", "out.mkv"]) == 0
    total = 2 * (length - 2) + length - 1
    assert len(steps) <= total - len(found) * segments.PART
    assert main([*command, "-o", "fresh.mkv"]) == 0
    assert Path("out.mkv").read_bytes() == Path("fresh.mkv").read_bytes()


def is_raylet(pid: int) -> bool:
    """Whether a process is the one that a node of Ray's has."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().partition(b"\0")[0].endswith(b"/raylet")
    return False


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
        Cluster("local", model=str(TOY), session=session, jobs=2, store=Store(Path("none")))


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("127.0.0.1:1", "cluster: Ray cannot be reached at 127.0.0.1:1 ("),
        ("ray://127.0.0.1:1", "cluster: Ray cannot be reached at ray://127.0.0.1:1 ("),
        ("[::1]:1", "cluster: Ray cannot be reached at [::1]:1 ("),
        ("127.0.0.1:99999", "cluster: Ray cannot be reached at 127.0.0.1:99999 ("),
        ("10.0.0.7", "cluster is '10.0.0.7', accepted are the address of a Ray cluster with its"),
        ("there:ray", "cluster is 'there:ray', accepted are the address of a Ray cluster with"),
        ("", "cluster is '', accepted are the address of a Ray cluster with its port"),
    ],
)
@pytest.mark.parametrize("films", [1, 2])
def test_a_wrong_address_is_told_before_any_work(
    films: int,
    address: str,
    told: str,
    command: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    need.ray()

    def work(*_: object, **__: object) -> None:
        raise AssertionError("work was done")

    monkeypatch.setattr("vidcolor.film.color_video.scan_film", work)
    monkeypatch.setattr("vidcolor.film.color_video.Session.load", work)
    if films == 1:
        command += ["-o", "out.mkv"]
    else:
        Path("folder/film").mkdir(parents=True)
        shutil.copy("film.mkv", "other.mkv")
        command[1:6] = ["film.mkv", "other.mkv", "--keys", "folder", "--output-folder", "out"]
    assert main([*command, "--cluster", address]) == 2
    errors = capsys.readouterr().err
    assert errors.startswith(f"vidcolor: {told}")
    assert errors.count("\n") == 1


@pytest.mark.parametrize(
    "answer", [b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 400 Bad Request\r\n", b""]
)
def test_what_answers_is_not_ray(answer: bytes) -> None:
    """Ray would try for minutes."""
    need.ray()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with server.accept()[0] as client:
                client.sendall(answer)
                client.recv(100)

        thread = threading.Thread(target=serve)
        thread.start()
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(ClusterError, match=f"what answers at {address} is not Ray; `ray start"):
            check_cluster(address)
        thread.join()


@needs_ray
@pytest.mark.long
def test_a_real_cluster_is_known() -> None:
    code = (
        "import ray; from vidcolor.film.cluster import check_cluster\n"
        "ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False)\n"
        "check_cluster(ray.get_runtime_context().gcs_address)\n"
        "print('known')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "known\n", done.stderr


@needs_ray
@pytest.mark.long
def test_a_cluster_is_there_before_the_film_is_scanned(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What only Ray itself can tell of an address is told then, too."""

    def work(*_: object, **__: object) -> None:
        raise AssertionError("the film was scanned")

    monkeypatch.setattr("vidcolor.film.color_video.scan_film", work)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    assert main([*command, "-o", "out.mkv", "--cluster", "auto"]) == 2
    assert "cluster: Ray cannot be reached at auto" in capsys.readouterr().err
