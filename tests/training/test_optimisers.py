from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from training.optimisers import (
    check_rates,
    learning_rate_factor,
    load_optimiser,
    make_optimiser,
    optimiser_tensors,
    set_learning_rate,
)
from training.options import FitOptions
from vidcolor.errors import ArgumentError

PLAIN = FitOptions(videos=(Path("videos"),), out=Path("out"), steps=1, learning_rate=0.1)


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.ModuleDict({
        "trunk": nn.Linear(2, 2), "head": nn.Linear(2, 2), "new_head": nn.Linear(2, 2)
    })  # fmt: skip


def test_the_default_is_the_reports_adam_in_one_group():
    optimiser = make_optimiser(network(), PLAIN)
    assert type(optimiser) is torch.optim.Adam
    (group,) = optimiser.param_groups
    assert (group["lr"], group["betas"], group["weight_decay"]) == (0.1, (0.0, 0.999), 0.0)


def test_adamw_shrinks_weights_by_rate_times_decay():
    module = network()
    before = module["head"].weight.detach().clone()
    optimiser = make_optimiser(module, replace(PLAIN, optimiser="adamw", weight_decay=0.5))
    for parameter in module.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimiser.step()
    torch.testing.assert_close(module["head"].weight.detach(), before * (1 - 0.1 * 0.5))


def test_parts_learn_at_their_own_rates():
    """The first part that fits counts: new_head is no head of the rest."""
    module = network()
    options = replace(PLAIN, rates=("trunk=0.1", "new_head=3", "head=0"))
    optimiser = make_optimiser(module, options)
    rates = {
        name: group["lr"]
        for group in optimiser.param_groups
        for name, parameter in module.named_parameters()
        if any(parameter is own for own in group["params"])
    }
    assert {name.split(".")[0]: round(rate, 6) for name, rate in rates.items()} == {
        "trunk": 0.01, "new_head": 0.3
    }  # fmt: skip
    set_learning_rate(optimiser, 0.5)
    assert sorted(round(g["lr"], 6) for g in optimiser.param_groups) == [0.005, 0.15]
    set_learning_rate(optimiser, 1.0)
    assert sorted(round(g["lr"], 6) for g in optimiser.param_groups) == [0.01, 0.3]
    learning = {name.split(".")[0]: p.requires_grad for name, p in module.named_parameters()}
    assert learning == {"trunk": True, "head": False, "new_head": True}


@pytest.mark.parametrize(
    ("rates", "message"),
    [
        (("trunk",), "rates holds 'trunk'; PART=FACTOR is accepted"),
        (("trunk=-1",), "PART=FACTOR"),
        (("=0.5",), "PART=FACTOR"),
        (("trunk=0", "head=0"), "rates leaves no parameter that learns"),
        (("body=0.5",), "rates names 'body', which is in the name of no parameter"),
    ],
)
def test_rates_that_cannot_be(rates, message):
    with pytest.raises(ArgumentError, match=message):
        check_rates(network(), replace(PLAIN, rates=rates))


def test_schedules():
    linear = [learning_rate_factor(PLAIN, step=9, share=s) for s in (0.0, 0.25, 1.0)]
    assert linear == [1.0, 0.75, 0.0]
    cosine = replace(PLAIN, schedule="cosine")
    found = [learning_rate_factor(cosine, step=9, share=s) for s in (0.0, 0.25, 0.5, 1.0)]
    assert found == pytest.approx([1.0, (1 + math.sqrt(0.5)) / 2, 0.5, 0.0])
    warm = replace(PLAIN, warmup_steps=4)
    rising = [learning_rate_factor(warm, step=step, share=0.0) for step in range(6)]
    assert rising == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]


def test_its_state_comes_back_with_groups():
    options = replace(PLAIN, rates=("trunk=0.1",), beta1=0.9, optimiser="adamw")

    def stepped(module: nn.Module, optimiser: torch.optim.Optimizer) -> None:
        module["trunk"](module["head"](torch.ones(1, 2))).square().sum().backward()
        optimiser.step()

    one, other = network(), network()
    first = make_optimiser(one, options)
    stepped(one, first)
    second = make_optimiser(other, options)
    other.load_state_dict(one.state_dict())
    # Cloned, as through a file: the optimiser goes on with the very tensors that it is given.
    load_optimiser(second, {name: t.clone() for name, t in optimiser_tensors(first).items()})
    for module, optimiser in ((one, first), (other, second)):
        module.zero_grad()
        stepped(module, optimiser)
    for name, tensor in one.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name]), name
