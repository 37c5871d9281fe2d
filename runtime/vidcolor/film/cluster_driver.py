"""Ray's driver, in a process of its own: when Ray loses its raylet, it ends the process it is in.

The process gets requests from `vidcolor.film.cluster` on its standard input and answers each on
its standard output; both are pickled. It ends where its input ends.
"""

from __future__ import annotations

import os
import pickle
import sys
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

from vidcolor.cores import count_cores
from vidcolor.errors import ClusterError, VidcolorError
from vidcolor.film.fingerprint import software_versions
from vidcolor.film.propagate import Planes, allocate_in_memory
from vidcolor.film.task import Task
from vidcolor.inference.known_providers import KNOWN
from vidcolor.inference.session import Session
from vidcolor.optional import require
from vidcolor.propagate import Propagator

LOCAL = "local"
"""In place of an address: a cluster of this machine alone."""

Files = tuple[tuple[str, bytes], ...]
"""Name and content of a bundle's graphs."""
Model = tuple[Files, str, str]
"""With the provider and the precision that it runs with."""

_POLL = 0.5
"""Seconds that `Driver.wait` waits."""
_RETRIES = 5
"""How many workers a segment may lose."""
_STARTING = 300_000
"""Milliseconds that the processes of `LOCAL` may take to start, on a machine with more to do."""


class Driver:
    """Gives tasks to Ray's workers. Its methods are the requests that are answered."""

    def start(self, address: str, jobs: int, model: Model) -> int:
        """Connect to the cluster at the address, or start `LOCAL`.

        Returns:
            How many tasks to have under way.

        Raises:
            ClusterError: There is no cluster.
        """
        self._ray = require("ray", library="Ray", extra="cluster", purpose="--cluster")
        local = {
            "num_cpus": jobs if jobs > 1 else count_cores(),
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
        kind = {"num_gpus": 1} if KNOWN[model[1]].memory == "cuda" else {"num_cpus": 1}
        self._propagate = self._ray.remote(max_retries=_RETRIES, **kind)(_propagate)
        self._model = self._ray.put(model)
        self._promises: dict[int, tuple[Any, str]] = {}
        return 2 * int(self._ray.cluster_resources().get("CPU", 1))

    def submit(self, number: int, task: Task) -> None:
        """Give a task to a worker; `number` is what to call it."""
        promise = self._propagate.remote(task, self._model, software_versions())
        self._promises[number] = promise, f"{task.part[0]} to {task.part[-1]}"

    def wait(self, number: int) -> Planes | None:
        """The colours of a task; None if they are not there yet.

        Raises:
            VidcolorError: The task failed.
        """
        promise, frames = self._promises[number]
        if not self._ray.wait([promise], timeout=_POLL)[0]:
            return None
        del self._promises[number]
        try:
            planes: Planes = self._ray.get(promise)
        except VidcolorError:
            raise
        except self._ray.exceptions.RayError as error:
            reason = str(error).splitlines()[0]
            raise ClusterError(f"cluster: frames {frames} were not coloured ({reason})") from error
        return planes


def main() -> None:
    """Answer requests until there are no more."""
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1):  # what Ray prints is no answer
        os.dup2(nowhere, stream)
    _serve(Driver(), requests, answers)
    if ray := sys.modules.get("ray"):
        ray.shutdown()


def _serve(driver: Driver, requests: BinaryIO, answers: BinaryIO) -> None:
    while True:
        try:
            name, *arguments = pickle.load(requests)  # noqa: S301 - of the process that started it
        except EOFError:
            return
        answer: object
        try:
            answer = getattr(driver, name)(*arguments)
        except VidcolorError as error:
            answer = type(error)(str(error))
        pickle.dump(answer, answers)
        answers.flush()


def _propagate(task: Task, model: Model, software: str) -> Planes:
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
