"""U-Nets of three levels in place of five or eight: their graphs are traced in a third of the time.

What a level is made of, the state and the memory are those of the whole networks.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from training.models.convlstm import ConvLSTMUNet
from training.models.similarity import SimilarityUNet
from training.models.unet import UNet

HALVINGS = 2


@contextmanager
def shallow_unets() -> Iterator[None]:
    """Within it, U-Nets halve the size `HALVINGS` times."""
    with pytest.MonkeyPatch.context() as patch:
        for network in (UNet, ConvLSTMUNet):
            patch.setattr(network, "size_multiple", 2**HALVINGS)
        for network in (UNet, ConvLSTMUNet, SimilarityUNet):
            patch.setattr(network, "encoder_widths", network.encoder_widths[: HALVINGS + 1])
            patch.setattr(network, "decoder_widths", network.decoder_widths[-HALVINGS:])
        yield
