"""Batches made beside the training: by a thread, or by processes that share memory with it."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, Self

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from vidcolor.interruption import leave_signals_to_parent


class Batch(Protocol):
    """A batch of examples, of any kind."""

    @classmethod
    def stack(cls, parts: Sequence[Self]) -> Self:
        """Return batches joined along their first axis."""

    def to(self, device: torch.device, *, non_blocking: bool = False) -> Self:
        """Return the same on another device."""

    def pin_memory(self) -> Self:
        """Return a copy in memory that a CUDA device reads directly."""

    def tensors(self) -> Sequence[torch.Tensor]:
        """Return what it consists of, in the same order for all of a kind."""


class Source[Examples](Protocol):
    """What batches are drawn from. An example depends on its step and batch index alone."""

    def batch(self, step: int, indices: Sequence[int]) -> Examples:
        """Return the examples with these indices in the batch of this step."""


def prefetch[Examples: Batch](
    source: Source[Examples],
    *,
    steps: range,
    indices: Sequence[int],
    workers: int = 0,
    device: torch.device | None = None,
) -> Iterator[tuple[int, Examples]]:
    """Make batches ahead of the steps that use them.

    Args:
        source: Where they are drawn from.
        steps: The steps, in order.
        indices: Those of the examples in each step's batch.
        workers: Processes that make them, each a part of every batch; 0 makes one batch ahead in a
            thread of this process. The batches are the same.
        device: Where the batches are needed. To CUDA they are copied beside the step before.

    Yields:
        Each step with its batch, on `device`.
    """
    device = torch.device("cpu") if device is None else device
    if workers:
        parts = _from_processes(source, steps=steps, indices=indices, workers=workers)
    else:
        parts = _from_thread(source, steps=steps, indices=indices)
    return (
        _on_cuda(parts, device)
        if device.type == "cuda"
        else _on_device(parts, device, shared=workers > 0)
    )


def _from_thread[Examples](
    source: Source[Examples], *, steps: range, indices: Sequence[int]
) -> Iterator[tuple[int, list[Examples]]]:
    with ThreadPoolExecutor(max_workers=1) as worker:
        ahead = worker.submit(source.batch, steps.start, indices)
        for step in steps:
            batch = ahead.result()
            if step + 1 < steps.stop:
                ahead = worker.submit(source.batch, step + 1, indices)
            yield step, [batch]


def _from_processes[Examples: Batch](
    source: Source[Examples], *, steps: range, indices: Sequence[int], workers: int
) -> Iterator[tuple[int, list[Examples]]]:
    """Each process makes the same part of every batch, so that it follows its streams on.

    DataLoader hands the items of the sampler to its processes in turn: as many parts as there are
    processes, so each has its own. The examples lie in memory that is shared from the beginning and
    used again and again, since memory that is new for each batch costs more than the copy.
    """
    split = np.array_split(np.asarray(indices), min(workers, len(indices)))
    parts = [tuple(int(index) for index in part) for part in split]
    example = source.batch(steps.start, indices[:1])
    slots = [[_shared(example, count=len(part)) for _ in range(SLOTS)] for part in parts]
    # Forked where that is possible: the clips are memory maps, which pickling would copy.
    forks = "fork" in multiprocessing.get_all_start_methods()
    loader = DataLoader(
        _Parts(source, slots),
        batch_size=None,
        sampler=_InOrder(steps, parts),
        num_workers=len(parts),
        prefetch_factor=SLOTS - 1,
        multiprocessing_context="fork" if forks else None,
        worker_init_fn=_begin,
    )
    made = iter(loader)
    for turn, step in enumerate(steps):
        for _ in parts:
            next(made)
        yield step, [own[turn % SLOTS] for own in slots]


SLOTS = 3
"""Batches of each process that lie in memory: one in use, and those that it makes ahead."""


def _shared[Examples: Batch](example: Examples, *, count: int) -> Examples:
    """Memory for so many examples like this one."""
    batch = type(example).stack([example] * count)
    for tensor in batch.tensors():
        tensor.share_memory_()
    return batch


@dataclass(frozen=True)
class _Parts[Examples: Batch](Dataset[int]):
    """Makes a part of a batch and leaves it in the slot whose turn it is; says which."""

    source: Source[Examples]
    slots: list[list[Examples]]
    """By part and turn."""

    def __getitem__(self, item: tuple[int, int, int, tuple[int, ...]]) -> int:
        turn, step, part, indices = item
        made = self.source.batch(step, indices)
        slot = self.slots[part][turn % SLOTS]
        for into, tensor in zip(slot.tensors(), made.tensors(), strict=True):
            into.copy_(tensor)
        return turn % SLOTS


@dataclass(frozen=True)
class _InOrder(Sampler[tuple[int, int, int, tuple[int, ...]]]):
    """Turn, step, part and batch indices, one part after the other."""

    steps: range
    parts: list[tuple[int, ...]]

    def __iter__(self) -> Iterator[tuple[int, int, int, tuple[int, ...]]]:
        for turn, step in enumerate(self.steps):
            for part, indices in enumerate(self.parts):
                yield turn, step, part, indices


def _begin(_: int) -> None:
    cv2.setNumThreads(0)
    # DataLoader would take a process that a signal ends for one that has crashed.
    leave_signals_to_parent()


def _on_device[Examples: Batch](
    made: Iterator[tuple[int, list[Examples]]], device: torch.device, *, shared: bool
) -> Iterator[tuple[int, Examples]]:
    """Join the parts: a copy where a process may soon write the next examples where they lie."""
    for step, parts in made:
        yield step, (type(parts[0]).stack(parts) if shared else parts[0]).to(device)


def _on_cuda[Examples: Batch](
    made: Iterator[tuple[int, list[Examples]]], device: torch.device
) -> Iterator[tuple[int, Examples]]:
    """Copy each batch on a stream of its own while the step before runs."""
    copies = torch.cuda.Stream(device)
    ahead: tuple[int, Examples, torch.cuda.Event] | None = None
    for step, parts in made:
        with torch.cuda.stream(copies):
            pinned = [part.pin_memory() for part in parts]
            batch = type(parts[0]).stack([part.to(device, non_blocking=True) for part in pinned])
            done = torch.cuda.Event()
            done.record(copies)
        if ahead is not None:
            yield _awaited(*ahead)
        ahead = step, batch, done
    if ahead is not None:
        yield _awaited(*ahead)


def _awaited[Examples](step: int, batch: Examples, done: torch.cuda.Event) -> tuple[int, Examples]:
    torch.cuda.current_stream().wait_event(done)
    return step, batch
