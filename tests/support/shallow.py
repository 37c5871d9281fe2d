"""U-Nets of three levels in place of five or eight: their graphs are traced in a third of the time.

What a level is made of, the state and the memory are those of the whole networks.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from training.models.convlstm import ConvLSTMUNet
from training.models.similarity import SimilarityUNet
from training.models.unet import UNet

HALVINGS = 2
_RUN_MODULE = """
import runpy, sys
from training.imports import import_at_once
shallow_unets = import_at_once("tests.support.shallow").shallow_unets
_, sys.executable, _, module, *arguments = sys.argv
sys.argv = [module, *arguments]
with shallow_unets():
    runpy.run_module(module, run_name="__main__", alter_sys=True)
"""


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


def shallow_python(path: Path) -> Path:
    """Write a program that runs modules as `python -m` does, with shallow U-Nets.

    Args:
        path: Of the program. What it runs starts processes of its own by it, through
            `sys.executable`.

    Returns:
        The path.
    """
    words = shlex.join([sys.executable, "-c", _RUN_MODULE, str(path)])
    path.write_text(f'#!/bin/sh\nexec {words} "$@"\n', encoding="utf-8")
    path.chmod(0o755)
    return path
