"""Ray's driver, in a process of its own: when Ray loses its raylet, it ends the process it is in.

The process gets requests from `vidcolor.film.cluster` on its standard input and answers each on
its standard output; both are pickled. It ends where its input ends.
"""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

from vidcolor.cores import count_cores
from vidcolor.errors import ClusterError, VidcolorError
from vidcolor.film.fingerprint import software_versions
from vidcolor.film.propagate import Planes
from vidcolor.film.task import Task
from vidcolor.film.worker_store import Saved, WorkerStore
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

_POLL = 0.1
"""Seconds that `Driver.collect` waits."""
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
        self._address = address
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
        kind: dict[str, Any] = (
            {"num_gpus": 1} if KNOWN[model[1]].memory == "cuda" else {"num_cpus": 1}
        )
        kind |= {"num_returns": "streaming", "max_retries": _RETRIES}
        self._propagate = self._ray.remote(**kind)(_propagate)
        self._model = self._ray.put(model)
        self._under_way: dict[Any, tuple[int, str]] = {}
        """Number and frames of a task, by what it gives."""
        return 2 * int(self._ray.cluster_resources().get("CPU", 1))

    def submit(self, number: int, task: Task, lumas: Planes, store: WorkerStore) -> None:
        """Give a task to a worker; `number` is what to call it."""
        given = self._propagate.remote(task, lumas, store, self._model, software_versions())
        self._under_way[given] = number, f"{task.batch.part[0]} to {task.batch.part[-1]}"

    def collect(self) -> tuple[int, Saved | VidcolorError | None] | None:
        """What a task has given, with its number: something to keep, why it failed, or None where
        it is done. None if there is nothing yet.
        """
        if not self._under_way:
            return None
        ready, _ = self._ray.wait([*self._under_way], num_returns=1, timeout=_POLL)
        if not ready:
            return None
        [given] = ready
        number, frames = self._under_way.pop(given)
        taken = self._take(given, frames)
        if isinstance(taken, Saved):
            self._under_way[given] = number, frames  # behind the others: each has its turn
        return number, taken

    def _take(self, given: Any, frames: str) -> Saved | VidcolorError | None:
        """The next thing that a task has given; why it failed; None where there is no more."""
        try:
            saved: Saved = self._ray.get(next(given))
        except StopIteration:
            return None
        except VidcolorError as error:
            return type(error)(str(error))
        except self._ray.exceptions.LocalRayletDiedError:
            return lost(self._address)
        except self._ray.exceptions.RayError as error:
            reason = getattr(error, "cause", None) or str(error).splitlines()[0]
            return ClusterError(f"cluster: frames {frames} were not coloured ({reason})")
        return saved


def lost(address: str) -> ClusterError:
    """The sentence for a cluster that is gone."""
    return ClusterError(
        f"cluster: Ray at {address} was lost; the same command goes on from what is finished"
    )


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


def _propagate(
    task: Task, lumas: Planes, store: WorkerStore, model: Model, software: str
) -> Iterator[Saved]:
    """Colour a task, on a worker. Its name is what Ray's tools show."""
    if software_versions() != software:
        raise ClusterError(
            f"cluster: a worker has {software_versions()}, this machine has {software}; "
            "the same versions are needed"
        )
    for _ in task.run(_load(*model), lumas, store):
        yield from store.take_saved()


@lru_cache(maxsize=1)
def _load(files: Files, provider: str, precision: str) -> Propagator:
    """The model, once for each worker."""
    with TemporaryDirectory() as folder:
        for name, content in files:
            (Path(folder) / name).write_bytes(content)
        session = Session.load(folder, provider=provider, precision=precision, threads=1)
    return Propagator(session)
