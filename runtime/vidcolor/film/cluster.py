"""The segments of a film coloured on many machines, by Ray.

What travels is small: luma at working size and the keys go out, chroma and confidence come back.
The workers need vidcolor and Ray, of the same versions, and neither the film nor the model's
files, which are sent along. A segment whose worker is lost is given to another.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

from vidcolor.errors import ClusterError, VidcolorError
from vidcolor.film.executor import Task
from vidcolor.film.fingerprint import software_versions
from vidcolor.film.propagate import Planes, allocate_in_memory
from vidcolor.inference import contract
from vidcolor.inference.bundle import find_bundle
from vidcolor.inference.session import Session
from vidcolor.interruption import check
from vidcolor.optional import require
from vidcolor.propagate import Propagator

LOCAL = "local"
"""In place of an address: a cluster of this machine alone."""

_POLL = 0.5
"""Seconds between two looks whether the work is to end."""

_RETRIES = 5
"""How many workers a segment may lose."""

_PATIENCE = 10
"""Seconds to wait for an answer from an address."""

_STARTING = 300_000
"""Milliseconds that the processes of `LOCAL` may take to start, on a machine with more to do."""

Files = tuple[tuple[str, bytes], ...]
"""Name and content of a bundle's graphs."""


class Cluster:
    """An executor of Ray workers. Each takes one CPU, or one GPU where the model runs on it.

    Args:
        address: Of a Ray cluster, or `LOCAL`.
        model: Name or folder of the model's bundle.
        session: The model, loaded here.
        jobs: How many workers `LOCAL` has; one for each CPU, if it is 1.

    Raises:
        MissingLibraryError: Ray is not installed.
        ClusterError: There is no cluster at the address, or it is lost.
    """

    def __init__(self, address: str, *, model: str, session: Session, jobs: int) -> None:
        self._ray = _ray()
        _check_reachable(address)
        local = {
            "num_cpus": jobs if jobs > 1 else os.cpu_count(),
            "include_dashboard": False,
            "_system_config": {"agent_register_timeout_ms": _STARTING},
        }
        try:
            self._ray.init(
                **(local if address == LOCAL else {"address": address}),
                log_to_driver=False,
                configure_logging=False,
            )
        except Exception as error:  # Ray's own classes share no other base
            raise ClusterError(f"cluster: Ray cannot be reached at {address} ({error})") from error
        kind = {"num_gpus": 1} if session.provider == "cuda" else {"num_cpus": 1}
        self._propagate = self._ray.remote(max_retries=_RETRIES, **kind)(_propagate)
        bundle = find_bundle(model)
        graphs = [contract.graph_path(bundle, name, session.precision) for name in contract.GRAPHS]
        files = tuple((path.name, path.read_bytes()) for path in graphs)
        self._model = self._ray.put((files, session.provider, session.precision))
        self.width = 2 * int(self._ray.cluster_resources().get("CPU", 1))

    def submit(self, task: Task) -> Callable[[], Planes]:
        """As in `Executor`."""
        promise = self._propagate.remote(task, self._model, software_versions())

        def wait() -> Planes:
            try:
                while not self._ray.wait([promise], timeout=_POLL)[0]:
                    check()
                planes: Planes = self._ray.get(promise)
            except VidcolorError:
                raise
            except self._ray.exceptions.RayError as error:
                frames = f"{task.part[0]} to {task.part[-1]}"
                raise ClusterError(
                    f"cluster: frames {frames} were not coloured ({str(error).splitlines()[0]})"
                ) from error
            return planes

        return wait

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._ray.shutdown()


def _propagate(task: Task, model: tuple[Files, str, str], software: str) -> Planes:
    """Colour a task, on a worker. Its name is what Ray's tools show."""
    if software_versions() != software:
        raise ClusterError(
            f"cluster: a worker has {software_versions()}, this machine has {software}; "
            "the same versions are needed"
        )
    return task.run(_load(*model), allocate_in_memory, stopped=lambda: False)


@lru_cache(maxsize=1)
def _load(files: Files, provider: str, precision: str) -> Propagator:
    """The model, once for each worker."""
    with TemporaryDirectory() as folder:
        for name, content in files:
            (Path(folder) / name).write_bytes(content)
        session = Session.load(folder, provider=provider, precision=precision, threads=1)
    return Propagator(session)


def _check_reachable(address: str) -> None:
    """Ray itself tries for ten minutes, and talks meanwhile."""
    host, colon, port = address.rpartition("//")[2].rpartition(":")
    if not colon or not port.isdecimal():
        return
    try:
        socket.create_connection((host, int(port)), timeout=_PATIENCE).close()
    except (OSError, OverflowError) as error:
        raise ClusterError(f"cluster: Ray cannot be reached at {address} ({error})") from error


def _ray() -> Any:
    return require("ray", library="Ray", extra="cluster", purpose="--cluster")
