"""The shipped flagship beside outputs that were recorded from its prototype."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

import training
from training.checkpoint import load_generator
from training.models.base import Generator
from vidcolor.inference.contract import FLOW_KEY, FLOW_PREVIOUS, FLOW_TRACK

CHECKPOINT = Path(training.__file__).parent / "checkpoints" / "flagship"
RECORDED = Path(__file__).parent / "prototype.npz"
"""Chroma and confidence [3, 3, 12, 16] of every fourth row and column, as the prototype's code
painted `scene` with the weights that the shipped checkpoint was made of."""
HEIGHT, WIDTH, FRAMES = 48, 64, 3


def waves(channels: int, phase: float) -> Tensor:
    """[1, channels, h, w] in [0, 1], the same on every machine and in every version of torch."""
    y, x = torch.meshgrid(torch.arange(HEIGHT), torch.arange(WIDTH), indexing="ij")
    parts = [
        torch.sin(0.31 * (n + 1) * x + phase) + torch.sin(0.23 * y - 0.07 * x + 2 * phase + n)
        for n in range(channels)
    ]
    return (torch.stack(parts).unsqueeze(0) + 2) / 4


def paint(generator: Generator) -> Tensor:
    """Chroma and confidence of three frames after two keys, every fourth row and column."""
    keys = [generator.remember(waves(1, n), waves(2, n + 5) - 0.5) for n in (0.0, 0.4)]
    memory = {name: torch.cat([key.memory[name] for key in keys], 1) for name in keys[0].memory}
    state, frames = keys[1].state, []
    for t in range(FRAMES):
        flows = {
            FLOW_PREVIOUS: 4 * waves(2, t + 10) - 2,
            FLOW_KEY: (8 * waves(4, t + 20) - 4).unflatten(1, (2, 2)),
            FLOW_TRACK: (8 * waves(4, t + 20.1) - 4).unflatten(1, (2, 2)),
        }
        step = generator.propagate(waves(1, 0.8 + 0.4 * t), state, memory, flows)
        state = step.state
        frames.append(torch.cat([step.chroma, step.confidence], 1)[0, :, ::4, ::4])
    return torch.stack(frames)


def test_it_paints_what_its_prototype_painted():
    with torch.no_grad():
        painted = paint(load_generator(CHECKPOINT)[0]).numpy()
    recorded = np.load(RECORDED)["painted"]
    assert np.abs(recorded[:, :2]).max() > 0.1
    assert np.abs(painted - recorded).max() < 1e-5  # 1e-7 a layer, in another order
