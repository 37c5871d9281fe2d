"""The seeds' generator: a U-Net that paints frame t from its gray self and the frame before.

*Video Colorization using GANs* (CS236, 2019): G(g_t, c_{t-1}) -> c_t in Lab, without noise (z = 0);
the extended model is also given c_1, the clip's first coloured frame.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.models.base import Generator, Propagated, Remembered, Tensors
from training.models.lab import lab_to_chroma, lightness, planes_to_lab
from training.models.layers import scaled

ENCODER_WIDTHS = (64, 64, 128, 256, 512, 512, 512, 512)
"""Channels of the 4x4 convolutions; the first has stride 1, the seven others stride 2."""
DECODER_WIDTHS = (512, 512, 512, 256, 128, 64, 64)
"""Channels of the 4x4 transposed convolutions, deepest first."""
DROPOUT_LEVELS = 3
"""So many of the deepest decoder levels drop half of their activations in training."""
LEAK = 0.2
NORM_MOMENTUM = 0.01
"""Of the running statistics. PyTorch's 0.1 averages some ten batches, which at the 1x1 bottleneck
of small crops is so few that the share of right pixels moved by 7 % within ten updates at a
learning rate of nearly zero; a hundred batches hold it still."""


class UNet(Generator):
    """G(g_t, c_{t-1}) -> c_t with the reports' layers; `width` multiplies their channels.

    It paints lightness too, as the reports' does, and `paint` returns that for the objective; but
    only the chroma goes out, and the state keeps the true luma, so that lightness cannot drift.

    Batch norm runs on running statistics at inference, where the authors used the batch's own: with
    those a pixel's colour would depend on the padding and on everything else in the frame, and a
    still wall would flicker when something enters the picture. It costs no quality: of a small
    model's pixels, 63 % were right after one step with running statistics and 28 % with those of
    batches of 8 held-out clips.

    Confidence is (1 - eta)^t, the reports' law of how propagation decays: eta is the share of
    pixels that are wrong after one step from a true frame, as `fit` measures it on held-out clips.
    """

    size_multiple = 2 ** len(DECODER_WIDTHS)
    color_space = "Lab"
    input_channels = 3 + 1  # c_{t-1}, g_t
    output_channels = 3
    encoder_widths: tuple[int, ...] = ENCODER_WIDTHS
    decoder_widths: tuple[int, ...] = DECODER_WIDTHS
    dropout_levels = DROPOUT_LEVELS
    eta: Tensor

    def __init__(self, *, width: float = 1.0) -> None:
        super().__init__()
        encoder = [scaled(channels, width) for channels in self.encoder_widths]
        decoder = [scaled(channels, width) for channels in self.decoder_widths]
        incoming = [self.input_channels, *encoder[:-1]]
        self.encoder = nn.ModuleList(
            _down(here, there, stride=1 if level == 0 else 2)
            for level, (here, there) in enumerate(zip(incoming, encoder, strict=True))
        )
        mirrors = encoder[-2::-1]
        below = [encoder[-1]] + [d + m for d, m in zip(decoder[:-1], mirrors[:-1], strict=True)]
        self.decoder = nn.ModuleList(
            _up(here, there, dropout=level < self.dropout_levels)
            for level, (here, there) in enumerate(zip(below, decoder, strict=True))
        )
        self.head = nn.Conv2d(decoder[-1] + mirrors[-1], self.output_channels, kernel_size=1)
        self.register_buffer("eta", torch.zeros(()))

    def remember(self, luma: Tensor, chroma: Tensor) -> Remembered:
        """The key is the frame before: nothing else is kept of it."""
        state = {"luma": luma, "chroma": chroma, "confidence": torch.ones_like(luma)}
        return Remembered(memory={}, state=state)

    def propagate(
        self, luma: Tensor, state: Tensors, memory: Tensors, flows: Tensors
    ) -> Propagated:
        """Colour one frame: luma [B, 1, h, w], h and w multiples of 128."""
        return self.paint(luma, state, memory, flows)[0]

    def paint(
        self, luma: Tensor, state: Tensors, memory: Tensors, flows: Tensors
    ) -> tuple[Propagated, Tensor]:
        """`propagate`, and the whole frame as painted: Lab [B, 3, h, w] in [-1, 1]."""
        levels = self.descend(self.conditions(luma, state, memory))
        painted = torch.tanh(self.ascend(levels)).float()
        return self.follow(luma, painted, state["confidence"] * (1.0 - self.eta)), painted

    def follow(self, luma: Tensor, painted: Tensor, confidence: Tensor) -> Propagated:
        """What a frame painted as Lab [B, 3, h, w] means for the runtime and the next frame."""
        chroma = lab_to_chroma(painted)
        following = {"luma": luma, "chroma": chroma, "confidence": confidence}
        return Propagated(chroma=chroma, confidence=confidence, state=following)

    def view(self, luma: Tensor, chroma: Tensor) -> Tensor:
        """Lab in [-1, 1] of planes; see `Generator.view`."""
        return planes_to_lab(luma, chroma)

    def calibrate(self, wrong: float) -> None:
        """Set eta; see `Generator.calibrate`."""
        self.eta.fill_(wrong)

    def conditions(self, luma: Tensor, state: Tensors, memory: Tensors) -> Tensor:
        """What the network is given, [B, input_channels, h, w]."""
        return torch.cat([planes_to_lab(state["luma"], state["chroma"]), lightness(luma)], dim=1)

    def descend(self, x: Tensor) -> list[Tensor]:
        """Given frames [B, input_channels, h, w] -> every level's features, the deepest last."""
        levels = []
        for down in self.encoder:
            x = down(x)
            levels.append(x)
        return levels

    def ascend(self, levels: list[Tensor]) -> Tensor:
        """From every level's features to [B, output_channels, h, w], before any tanh."""
        *mirrors, x = levels
        for up, mirror in zip(self.decoder, reversed(mirrors), strict=True):
            x = torch.cat([up(x), mirror], dim=1)
        output: Tensor = self.head(x)
        return output


class ExtendedUNet(UNet):
    """G(g_t, c_{t-1}, c_1) -> c_t: also given a key, the first of those remembered."""

    input_channels = UNet.input_channels + 3

    def remember(self, luma: Tensor, chroma: Tensor) -> Remembered:
        """The key is the frame before, and c_1 from here on."""
        memory = {"luma": luma.unsqueeze(1), "chroma": chroma.unsqueeze(1)}
        return Remembered(memory=memory, state=super().remember(luma, chroma).state)

    def conditions(self, luma: Tensor, state: Tensors, memory: Tensors) -> Tensor:
        """What the network is given, [B, input_channels, h, w]."""
        first = planes_to_lab(memory["luma"][:, 0], memory["chroma"][:, 0])
        return torch.cat([super().conditions(luma, state, memory), first], dim=1)


def _down(incoming: int, outgoing: int, *, stride: int) -> nn.Sequential:
    """4x4 convolution that keeps the size at stride 1 and halves it at stride 2."""
    return nn.Sequential(
        nn.ZeroPad2d((1, 2, 1, 2) if stride == 1 else 1),
        nn.Conv2d(incoming, outgoing, kernel_size=4, stride=stride, bias=False),
        nn.BatchNorm2d(outgoing, momentum=NORM_MOMENTUM),
        nn.LeakyReLU(LEAK),
    )


def _up(incoming: int, outgoing: int, *, dropout: bool) -> nn.Sequential:
    """4x4 transposed convolution that doubles the size."""
    layers: list[nn.Module] = [
        nn.ConvTranspose2d(incoming, outgoing, kernel_size=4, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(outgoing, momentum=NORM_MOMENTUM),
        nn.LeakyReLU(LEAK),
    ]
    if dropout:
        layers.append(nn.Dropout(0.5))
    return nn.Sequential(*layers)
