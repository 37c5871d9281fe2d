from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from export import colorizer as exporter
from export.__main__ import main
from export.colorizer import export_colorizer
from export.options import Export
from export.run import run
from training.checkpoint import Config, save_generator
from training.models.exemplar import ExemplarColorizer
from training.models.zhang import Zhang
from vidcolor.inference import contract
from vidcolor.inference.colorizer import Colorizer

WIDTH = 0.125


@pytest.fixture(scope="module")
def network() -> Zhang:
    """With batch norms that do something, and logits far enough apart to give colour."""
    torch.manual_seed(0)
    network = Zhang(width=WIDTH)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.running_mean.normal_(0, 0.3)
                module.running_var.uniform_(0.5, 2)
        network.head[1].weight.mul_(20)
    return network.eval()


@pytest.fixture(scope="module")
def checkpoint(network, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "mine"
    config = Config(
        name="mine-0",
        model="zhang",
        arguments={"width": WIDTH},
        step=12,
        licence="MIT",
        training_data="rendered scenes",
        metrics={"psnr": 21.5},
        training={"crop": 64, "videos": ["/somebody/home"]},
    )
    save_generator(folder, network, config=config)
    return folder


@pytest.fixture(scope="module")
def exported(checkpoint, tmp_path_factory) -> Path:
    target = tmp_path_factory.mktemp("shelf") / "mine"
    run(Export(checkpoint=checkpoint, output=target))
    return target


@pytest.mark.parametrize(("height", "width"), [(64, 96), (37, 130)])
def test_the_runtime_colours_as_pytorch_does(network, exported, height, width):
    luma = np.random.default_rng(0).random((height, width), np.float32)
    below, right = -height % 16, -width % 16
    padded = torch.from_numpy(np.pad(luma, ((0, below), (0, right)), mode="edge"))
    with torch.no_grad():
        wanted = network(padded[None, None])[0, :, :height, :width].numpy()
    chroma = Colorizer.load(exported, provider="cpu").color(luma)
    np.testing.assert_allclose(chroma, wanted, atol=1e-4)
    assert np.abs(chroma).mean() > 0.01


def test_what_it_says_of_itself(exported):
    assert sorted(path.name for path in exported.iterdir()) == ["CARD.md", "colorize.float32.onnx"]
    model = onnx.load(exported / "colorize.float32.onnx")
    properties = {p.key: p.value for p in model.metadata_props}
    metadata = contract.Metadata.from_properties(properties)
    assert (metadata.name, metadata.licence) == ("mine-0", "MIT")
    assert metadata.training_data == "rendered scenes"
    assert metadata.metrics == "psnr 21.5"
    assert metadata.size_multiple == 16
    assert "Zhang" in properties["vidcolor.method"]
    card = (exported / "CARD.md").read_text()
    assert "Training data: rendered scenes" in card
    assert "| crop | 64 |" in card
    assert "/somebody" not in card


def test_the_other_model_is_exported_too(tmp_path):
    """Without an exemplar: that is how the runtime asks."""
    torch.manual_seed(0)
    network = ExemplarColorizer(width=WIDTH)
    network.load_pretrained()
    torch.nn.init.normal_(network.last.weight, std=0.05)
    config = Config(name="other", model="exemplar", arguments={"width": WIDTH})
    save_generator(tmp_path / "checkpoint", network.eval(), config=config)
    run(Export(checkpoint=tmp_path / "checkpoint", output=tmp_path / "other"))
    luma = np.random.default_rng(0).random((64, 96), np.float32)
    with torch.no_grad():
        wanted = network(torch.from_numpy(luma[None, None]))[0].numpy()
    chroma = Colorizer.load(tmp_path / "other", provider="cpu").color(luma)
    np.testing.assert_allclose(chroma, wanted, atol=1e-4)
    assert np.abs(chroma).mean() > 0.01
    model = onnx.load(tmp_path / "other" / "colorize.float32.onnx")
    assert [graph_input.name for graph_input in model.graph.input] == ["luma"]
    method = {p.key: p.value for p in model.metadata_props}["vidcolor.method"]
    assert "EfficientNet-Lite0" in method
    assert method in (tmp_path / "other" / "CARD.md").read_text()


@pytest.mark.long
def test_the_same_checkpoint_gives_the_same_bytes(network, exported):
    model = onnx.load(exported / "colorize.float32.onnx")
    metadata = contract.Metadata.from_properties({p.key: p.value for p in model.metadata_props})
    again = export_colorizer(network, metadata).SerializeToString(deterministic=True)
    assert again == (exported / "colorize.float32.onnx").read_bytes()


def test_a_graph_that_differs_is_not_written(checkpoint, exported, tmp_path, monkeypatch, capsys):
    spoilt = onnx.load(exported / "colorize.float32.onnx")
    (bias,) = (t for t in spoilt.graph.initializer if t.name.endswith("head.1.bias"))
    bias.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(bias) * 1.5, bias.name))
    monkeypatch.setattr(exporter, "export_colorizer", lambda *_: spoilt)
    monkeypatch.setattr(sys, "argv", ["export", str(checkpoint), "-o", str(tmp_path / "mine")])
    assert main() == 2
    assert "from PyTorch's at 80x48 pixels, accepted is 0.0001" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_only_with_overwrite_it_is_replaced(checkpoint, exported, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["export", str(checkpoint), "-o", str(exported)])
    assert main() == 2
    assert "exists already; --overwrite replaces it" in capsys.readouterr().err
