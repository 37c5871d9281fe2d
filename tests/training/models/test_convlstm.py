from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from tests.training.models.test_unet import convolutions, frame, small
from training.models.convlstm import ConvLSTM, ConvLSTMUNet


@pytest.fixture(scope="module")
def model() -> ConvLSTMUNet:
    return small(ConvLSTMUNet)


def roll(model: ConvLSTMUNet, state: dict[str, Tensor], frames: int) -> list[Tensor]:
    chroma = []
    for n in range(frames):
        step = model.propagate(frame(10 + n, height=32, width=48)[0], state, {}, {})
        state = step.state
        chroma.append(step.chroma)
    return chroma


def test_the_unets_upper_levels_around_an_lstm():
    with torch.device("meta"):
        whole = ConvLSTMUNet()
    assert [c[1] for c in convolutions(whole.encoder)] == [64, 64, 128, 256, 512]
    assert [c[:2] for c in convolutions(whole.decoder)] == [
        (512, 256),
        (512, 128),
        (256, 64),
        (128, 64),
    ]
    assert convolutions(whole.lstm) == [(1024, 2048, 3, 1)]
    assert not any(isinstance(m, nn.Dropout) for m in whole.modules())


def test_lstm_by_hand():
    """One place, one channel, biases alone: sigmoid(1) of the cell stays, half of tanh(2) comes."""
    lstm = ConvLSTM(1)
    nn.init.zeros_(lstm.gates.weight)
    with torch.no_grad():
        lstm.gates.bias[:] = torch.tensor([1.0, 0.0, -1.0, 2.0])
    one = torch.ones(1, 1, 1, 1)
    kept = lstm(one, one, 3 * one)
    sigmoid, tanh = torch.sigmoid(torch.tensor(1.0)), torch.tanh(torch.tensor(2.0))
    cell = 3 * sigmoid + 0.5 * tanh
    assert kept["cell"].item() == pytest.approx(cell.item())
    assert kept["hidden"].item() == pytest.approx(((1 - sigmoid) * torch.tanh(cell)).item())


def test_the_cell_is_kept_at_first():
    lstm = ConvLSTM(4)
    assert lstm.gates.bias[:4].mean() > 0.8
    assert lstm.gates.bias[4:].abs().max() < 0.2


def test_state_is_carried_and_of_one_shape(model):
    luma, chroma = frame(1, height=32, width=48)
    state = model.remember(luma, chroma).state
    step = model.propagate(luma, state, {}, {})
    shapes = {name: tensor.shape for name, tensor in state.items()}
    assert {name: tensor.shape for name, tensor in step.state.items()} == shapes
    assert shapes["cell"] == shapes["hidden"] == (1, 32, 2, 3)
    assert not torch.equal(step.state["cell"], state["cell"])


@pytest.mark.parametrize("name", ["cell", "hidden"])
def test_what_the_lstm_holds_reaches_the_frames_to_come(model, name):
    luma, chroma = frame(1, height=32, width=48)
    state = model.remember(luma, chroma).state
    other = {**state, name: state[name] + 1}
    pairs = zip(roll(model, state, 3), roll(model, other, 3), strict=True)
    assert all((one - two).abs().max() > 1e-4 for one, two in pairs)


def test_what_the_key_looks_like_is_in_its_state(model):
    luma, chroma = frame(1, height=32, width=48)
    one, other = (model.remember(luma, c).state for c in (chroma, -chroma))
    assert not torch.allclose(one["cell"], other["cell"], atol=1e-3)


def test_a_zero_state_is_accepted(model):
    luma, chroma = frame(1, height=32, width=48)
    state = model.remember(luma, chroma).state
    none = {name: torch.zeros_like(tensor) for name, tensor in state.items()}
    assert torch.isfinite(model.propagate(luma, none, {}, {}).chroma).all()


def test_sequences_train_everything():
    """Through two frames, so that the recurrent half of the gates learns from the second."""
    model = ConvLSTMUNet(width=1 / 16)
    luma, chroma = frame(1, batch=2, height=32, width=48)
    step = model.propagate(luma, model.remember(luma, chroma).state, {}, {})
    step = model.propagate(luma.flip(-1), step.state, {}, {})
    step.chroma.square().sum().backward()
    assert not [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()]
