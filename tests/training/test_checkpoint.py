from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

import training
from training.checkpoint import CONFIG, WEIGHTS, CheckpointError, Config, load_generator
from training.checkpoint import save_generator as save
from training.models.unet import UNet

KEPT = Path(training.__file__).parent / "checkpoints"
CONFIGURED = Config(name="test", model="seeds", arguments={"width": 1 / 32}, metrics={"x": 0.5})


@pytest.fixture
def folder(tmp_path):
    generator = UNet(width=1 / 32)
    generator.calibrate(0.25)
    save(tmp_path / "run" / "checkpoint", generator, config=CONFIGURED)
    return tmp_path / "run" / "checkpoint"


def test_comes_back_in_eval_mode(folder):
    torch.manual_seed(0)
    generator, config = load_generator(folder)
    assert config == CONFIGURED
    assert isinstance(generator, UNet)
    assert not generator.training
    assert generator.eta == 0.25
    again = UNet(width=1 / 32)
    again.load_state_dict(generator.state_dict())
    save(folder, again, config=CONFIGURED)
    assert all(
        torch.equal(t, load_generator(folder)[0].state_dict()[n])
        for n, t in generator.state_dict().items()
    )


def test_is_tensors_and_readable_text_only(folder):
    assert sorted(p.name for p in folder.iterdir()) == [CONFIG, WEIGHTS]
    assert json.loads((folder / CONFIG).read_text())["arguments"] == {"width": 1 / 32}


def edit(folder, **changes) -> None:
    values = json.loads((folder / CONFIG).read_text()) | changes
    (folder / CONFIG).write_text(json.dumps(values))


def test_each_fault_is_named(folder, tmp_path):
    with pytest.raises(CheckpointError, match="is no checkpoint"):
        load_generator(tmp_path / "nowhere")
    edit(folder, model="unknown")
    with pytest.raises(CheckpointError, match="model is 'unknown', known are seeds"):
        load_generator(folder)
    edit(folder, model="seeds", arguments={"depth": 3})
    with pytest.raises(CheckpointError, match="depth"):
        load_generator(folder)
    edit(folder, arguments={"width": 1 / 16})
    with pytest.raises(CheckpointError, match=r"does not hold a seeds.*size mismatch"):
        load_generator(folder)
    (folder / WEIGHTS).write_bytes(b"damaged")
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_generator(folder)
    (folder / CONFIG).write_text("{")
    with pytest.raises(CheckpointError, match="not a checkpoint's config"):
        load_generator(folder)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"model": ["seeds"]}, "model must be a text"),
        ({"name": None}, "name must be a text"),
        ({"step": "1"}, "step must be a whole number"),
        ({"arguments": True}, "arguments must be an object of float or int or str"),
        ({"arguments": {"width": [1]}}, "arguments must be"),
        ({"metrics": {"psnr": "high"}}, "metrics must be an object of float or int"),
        ({"arguments": {"width": float("inf")}}, "does not hold a seeds"),
        ({"arguments": {"width": float("nan")}}, "does not hold a seeds"),
        ({"arguments": {"width": -1}}, "does not hold a seeds"),
        ({"arguments": {"width": 1e9}}, "does not hold a seeds"),
    ],
)
def test_values_that_no_checkpoint_has_are_named(folder, changes, told):
    edit(folder, **changes)
    with pytest.raises(CheckpointError, match=told):
        load_generator(folder)


def test_a_config_that_is_nested_too_deep_is_named(folder):
    (folder / CONFIG).write_text("[" * 100_000)
    with pytest.raises(CheckpointError, match="not a checkpoint's config"):
        load_generator(folder)


@pytest.mark.parametrize("name", ["flagship", "supervised", "cgan-dt1", "cgan-dt5"])
def test_those_that_make_evaluate_and_initial_take_are_whole(name):
    generator, config = load_generator(KEPT / name)
    assert config.name == {"flagship": "vidcolor-2"}.get(name, name)
    assert config.licence.startswith("MIT")
    assert config.step > 1000
    assert config.training["initial"] == ("START" if name == "flagship" else None)
    assert all(tensor.isfinite().all() for tensor in generator.state_dict().values())
