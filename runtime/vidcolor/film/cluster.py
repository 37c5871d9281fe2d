"""The segments of a film coloured on many machines, by Ray.

What travels is small: luma at working size and the keys go out, chroma and confidence come back.
The workers need vidcolor and Ray, of the same versions, and neither the film nor the model's
files, which are sent along. A segment whose worker is lost is given to another. Workers send what
they have found for each part, and the states at its borders, as soon as they have it, and a thread
here puts that into the film's store: nothing is kept on their disks.
"""

from __future__ import annotations

import os
import pickle
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Unfinished
from contextlib import contextmanager, suppress
from itertools import count
from threading import Event, Lock, Thread
from typing import Any, BinaryIO, Self, cast

from vidcolor.errors import ArgumentError, ClusterError, VidcolorError
from vidcolor.film.cluster_driver import LOCAL, lost
from vidcolor.film.kept_states import Arrays
from vidcolor.film.propagate import Planes
from vidcolor.film.task import Task
from vidcolor.film.worker_store import Saved, WorkerStore
from vidcolor.inference import contract
from vidcolor.inference.bundle import find_bundle
from vidcolor.inference.session import Session
from vidcolor.interruption import check
from vidcolor.optional import require

_PATIENCE = 10
"""Seconds to wait for an answer from an address, and for Ray to end."""

_POLL = 0.2
"""Seconds between two looks for a signal, and for a task where there is none."""

_FOUND_BY_RAY = "auto"
"""In place of an address: that which Ray finds in its environment, or on this machine."""

_SETTINGS = b"\x04"
"""The kind of frame that HTTP/2 begins with (RFC 9113, sections 3.4 and 4.1)."""

_ALONE = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
"""By this, whatever the system, Ray's processes listen on the loopback interface alone."""

_DRIVER = "from vidcolor.film.cluster_driver import main; main()"


class Cluster:
    """An executor of Ray workers. Each takes one CPU, or one GPU where the model runs on it.

    Args:
        address: Of a Ray cluster, or `LOCAL`, which nobody can reach from another machine.
        model: Name or folder of the model's bundle.
        session: The model, loaded here.
        jobs: How many workers `LOCAL` has; one for each CPU, if it is 1.
        store: Is given what the workers find.

    Raises:
        MissingLibraryError, ArgumentError: As `check_cluster`.
        ClusterError: There is no cluster at the address, or it is lost.
    """

    def __init__(
        self, address: str, *, model: str, session: Session, jobs: int, store: Arrays
    ) -> None:
        check_cluster(address)
        bundle = find_bundle(model)
        graphs = contract.graph_paths(bundle, session.precision).values()
        files = tuple((path.name, path.read_bytes()) for path in graphs)
        self._address = address
        self._store = store
        self._numbers = count()
        self._under_way: dict[int, Future[None]] = {}
        self._asking, self._ended = Lock(), Event()
        self._failure: Exception | None = None
        """Why nothing is collected any more."""
        self._collector = Thread(target=self._collect, name="vidcolor-cluster", daemon=True)
        self._driver = subprocess.Popen(  # noqa: S603 - this program itself
            [sys.executable, "-P", "-c", _DRIVER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **(_ALONE if address == LOCAL else {})},
            start_new_session=True,  # Ctrl-C is for this process, which ends that one
        )
        try:
            self.width = self._ask(
                "start", address, jobs, (files, session.provider, session.precision)
            )
        except BaseException:
            self._end()
            raise
        self._collector.start()

    def submit(self, task: Task, lumas: Planes) -> Callable[[], None]:
        """As in `Executor`."""
        number = next(self._numbers)
        done = self._under_way[number] = Future[None]()
        self._ask("submit", number, task, lumas, WorkerStore.of(task, self._store))

        def wait() -> None:
            while True:
                check()
                with suppress(Unfinished):
                    return done.result(_POLL)
                if self._failure is not None:
                    raise self._failure

        return wait

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        if self._collector.is_alive():
            self._collector.join()
        self._end()

    def _collect(self) -> None:
        """Put into the store what workers send, until the end."""
        try:
            while not self._ended.is_set():
                if not self._under_way:
                    self._ended.wait(_POLL)
                elif answer := self._ask("collect"):
                    number, given = answer
                    if isinstance(given, Saved):
                        given.repeat(self._store)
                    elif given is None:
                        self._under_way.pop(number).set_result(None)
                    else:
                        self._under_way.pop(number).set_exception(given)
        except Exception as error:  # whoever waits is told of it
            self._failure = error

    def _ask(self, name: str, *arguments: object) -> Any:
        """What the driver answers. Raises what it raises, and ClusterError where it is lost."""
        stdin = cast("BinaryIO", self._driver.stdin)
        stdout = cast("BinaryIO", self._driver.stdout)
        try:
            with self._asking:
                pickle.dump((name, *arguments), stdin)
                stdin.flush()
                answer = pickle.load(stdout)  # noqa: S301 - of a process that was started here
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            raise lost(self._address) from error
        if isinstance(answer, VidcolorError):
            raise answer
        return answer

    def _end(self) -> None:
        """Ray ends with its driver, and that where its input ends."""
        with suppress(OSError):  # it has ended
            cast("BinaryIO", self._driver.stdin).close()
        try:
            self._driver.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._driver.kill()
            self._driver.wait()
        cast("BinaryIO", self._driver.stdout).close()


@contextmanager
def open_cluster(
    address: str | None, *, model: str, session: Session, jobs: int, store: Arrays
) -> Iterator[Cluster | None]:
    """The cluster at an address, or None without one; the arguments are those of `Cluster`."""
    if address is None:
        yield None
        return
    with Cluster(address, model=model, session=session, jobs=jobs, store=store) as cluster:
        yield cluster


def check_cluster(address: str) -> None:
    """Check what can be told of an address in a moment; Ray itself tries for ten minutes.

    Args:
        address: Of a Ray cluster, as for `Cluster`.

    Raises:
        MissingLibraryError: Ray is not installed.
        ArgumentError: It is no address.
        ClusterError: Nothing answers at it as Ray would.
    """
    require("ray", library="Ray", extra="cluster", purpose="--cluster")
    if address in (LOCAL, _FOUND_BY_RAY):
        return
    host, colon, port = address.rpartition("//")[2].rpartition(":")
    if not (host and colon and port.isdecimal()):
        raise ArgumentError(
            f"cluster is {address!r}, accepted are the address of a Ray cluster with its port, "
            f"such as 10.0.0.7:6379, and '{LOCAL}'"
        )
    try:
        answer = _greeting(host.strip("[]"), int(port))
    except (OSError, OverflowError) as error:
        raise ClusterError(f"cluster: Ray cannot be reached at {address} ({error})") from error
    if answer[3:4] != _SETTINGS and not os.environ.get("RAY_USE_TLS"):
        raise ClusterError(
            f"cluster: what answers at {address} is not Ray; `ray start --head` prints the address "
            "of a cluster that it starts"
        )


def _greeting(host: str, port: int) -> bytes:
    """The head of the first frame of HTTP/2 that a server sends, which is what Ray speaks."""
    with socket.create_connection((host, port), timeout=_PATIENCE) as server:
        server.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0" + _SETTINGS + bytes(5))
        with suppress(TimeoutError, ConnectionResetError):  # it waits for something else
            return server.recv(9, socket.MSG_WAITALL)
    return b""
