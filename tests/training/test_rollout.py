from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from tests.support.footage import scene_clip
from training.data.options import RolloutOptions
from training.data.rollout import Rollout
from training.data.rollouts import Rollouts
from training.models.base import Generator, Propagated, Remembered, Tensors
from training.rollout import Unroll


class Fading(Generator):
    """Half of the previous frame's chroma, plus a hundredth of the mean of the keys'."""

    size_multiple = 1
    color_space = "YCbCr"

    def remember(self, luma: Tensor, chroma: Tensor) -> Remembered:
        return Remembered(memory={"chroma": chroma.unsqueeze(1)}, state={"chroma": chroma})

    def propagate(
        self, luma: Tensor, state: Tensors, memory: Tensors, flows: Tensors
    ) -> Propagated:
        chroma = state["chroma"] / 2 + memory["chroma"].mean(1) / 100
        return Propagated(chroma, torch.ones_like(luma), {"chroma": chroma})


@pytest.fixture(scope="module")
def rollout() -> Rollout:
    options = RolloutOptions(frames=3, crop=16, key_distance=(2, 2))
    batch = Rollouts([scene_clip()], options=options, seed=0).batch(0, range(2))
    return replace(
        batch,
        key_luma=torch.cat([batch.key_luma, batch.key_luma], 1),
        key_chroma=torch.cat([batch.key_chroma, 3 * batch.key_chroma], 1),
    )


def test_transfer_starts_every_frame_from_the_truth(rollout):
    output = Unroll(Fading(), own_output=False)(rollout)
    expected = rollout.chroma[:, :-1] / 2 + rollout.key_chroma.mean(1, keepdim=True) / 100
    assert torch.allclose(output.chroma, expected)


def test_propagation_starts_every_frame_from_the_models_own(rollout):
    output = Unroll(Fading(), own_output=True)(rollout)
    chroma = rollout.chroma[:, 0]
    for t in range(3):
        chroma = chroma / 2 + rollout.key_chroma.mean(1) / 100
        assert torch.allclose(output.chroma[:, t], chroma)


def test_what_objective_and_discriminator_see(rollout):
    output = Unroll(Fading(), own_output=True)(rollout)
    luma = 2 * rollout.luma - 1
    assert torch.equal(output.target, torch.cat([luma, 2 * rollout.chroma], 2)[:, 1:])
    assert torch.equal(output.previous, torch.cat([luma, 2 * rollout.chroma], 2)[:, :-1])
    assert torch.equal(output.prediction, torch.cat([luma[:, 1:], 2 * output.chroma], 2))
