from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

import pytest
import torch

from tests.support import need
from tests.support.footage import scene_clip
from tests.training.data.test_rollouts import assert_equal
from training.data.options import RolloutOptions
from training.data.prefetch import prefetch
from training.data.rollouts import Rollouts
from training.data.stills import StillSource
from vidcolor.inference.contract import FLOWS

STREAMS = RolloutOptions(
    crop=64, frames=2, own_output=True, stream=(6, 8), film=0.3, reverse=True, motion=1.0
)


def rollouts(options: RolloutOptions = STREAMS) -> Rollouts:
    clips = [scene_clip(seed) for seed in range(2)]
    return Rollouts(clips, options=options, seed=4, flows=FLOWS)


@pytest.mark.parametrize("workers", [0, 1, 2, 3, 9])
def test_the_examples_are_the_same_whatever_the_number_of_workers(workers):
    """Streams, whose examples follow each other, three steps on; batch indices 1 to 4."""
    made = list(prefetch(rollouts(), steps=range(2, 7), indices=range(1, 5), workers=workers))
    assert [step for step, _ in made] == [2, 3, 4, 5, 6]
    reference = rollouts()
    for step, batch in made:
        assert_equal(batch, reference.batch(step, range(1, 5)))


def test_stills_too():
    clips = [scene_clip(seed) for seed in range(2)]

    def source() -> StillSource:
        return StillSource(clips, crop=64, film=0.5, seed=3)

    made = list(prefetch(source(), steps=range(3), indices=range(3), workers=2))
    for step, batch in made:
        expected = source().batch(step, range(3))
        assert all((one == other).all() for one, other in zip(batch, expected, strict=True))


@pytest.mark.cuda
@pytest.mark.parametrize("workers", [0, 2])
def test_batches_are_copied_to_cuda_as_they_are(workers):
    need.cuda()
    device = torch.device("cuda")
    made = prefetch(rollouts(), steps=range(4), indices=range(3), workers=workers, device=device)
    reference = rollouts()
    for step, batch in made:
        assert batch.luma.device.type == "cuda"
        assert_equal(batch.to(torch.device("cpu")), reference.batch(step, range(3)))


class Processes:
    """Batches that say in which process they were made."""

    def batch(self, step: int, indices: Sequence[int]) -> Made:
        return Made(torch.tensor([os.getpid()] * len(indices)), torch.tensor(list(indices)))


class Made(NamedTuple):
    process: torch.Tensor
    index: torch.Tensor

    @classmethod
    def stack(cls, parts: Sequence[Made]) -> Made:
        return cls(*(torch.cat(tensors) for tensors in zip(*parts, strict=True)))

    def to(self, device: torch.device, *, non_blocking: bool = False) -> Made:
        return self

    def pin_memory(self) -> Made:
        return self

    def tensors(self) -> Sequence[torch.Tensor]:
        return tuple(self)


def test_each_process_makes_the_same_batch_indices_at_every_step():
    """So that it follows its streams on, instead of making their beginnings again."""
    made = [b for _, b in prefetch(Processes(), steps=range(4), indices=range(5), workers=2)]
    assert all(batch.index.tolist() == [0, 1, 2, 3, 4] for batch in made)
    processes = {tuple(batch.process.tolist()) for batch in made}
    assert len(processes) == 1
    assert len(set(*processes)) == 2
    assert os.getpid() not in set(*processes)
