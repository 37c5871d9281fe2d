"""Generators on disk: a folder with `weights.safetensors` and a readable `config.json`.

Tensors lie in safetensors and everything else in JSON, so that opening a checkpoint from elsewhere
runs no code.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from training.models import GENERATORS
from training.models.base import Generator
from vidcolor.errors import VidcolorError

WEIGHTS = "weights.safetensors"
CONFIG = "config.json"


class CheckpointError(VidcolorError, ValueError):
    """A checkpoint is missing, damaged, or not one of ours."""


@dataclass(frozen=True)
class Config:
    """What a checkpoint says of its weights; `export` carries the texts into the bundle."""

    name: str
    """What the trained model is called, such as 'cgan-dt1'."""
    model: str
    """Which of `training.models.GENERATORS` it is."""
    arguments: dict[str, float | int | str | bool]
    """That generator's arguments, such as its width."""
    step: int = 0
    """Generator updates behind these weights."""
    licence: str = "unknown"
    training_data: str = "unknown"
    metrics: dict[str, float] = field(default_factory=dict)
    """As measured on held-out clips when the checkpoint was written."""
    training: dict[str, object] = field(default_factory=dict)
    """The options of `fit`, for the reader; nothing reads them back from here."""


def save_generator(folder: Path, generator: Generator, *, config: Config) -> None:
    """Write the generator's weights and config into `folder`, which is made when missing."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: tensor.contiguous() for name, tensor in generator.state_dict().items()}
    save_file(tensors, folder / WEIGHTS)
    (folder / CONFIG).write_text(json.dumps(asdict(config), indent=2) + "\n", encoding="utf-8")


def load_generator(folder: str | Path) -> tuple[Generator, Config]:
    """The generator on the CPU in eval mode, and its config; CheckpointError says what is wrong."""
    folder = Path(folder)
    config = _read_config(folder / CONFIG)
    if config.model not in GENERATORS:
        raise CheckpointError(
            f"{folder / CONFIG}: model is {config.model!r}, known are {', '.join(GENERATORS)}"
        )
    try:
        generator = GENERATORS[config.model](**config.arguments)
        generator.load_state_dict(load_file(folder / WEIGHTS))
    except (OSError, SafetensorError, TypeError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise CheckpointError(
            f"{folder / WEIGHTS} does not hold a {config.model}: {reason}"
        ) from error
    return generator.eval(), config


def _read_config(path: Path) -> Config:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return Config(**{f.name: values[f.name] for f in fields(Config)})
    except OSError as error:
        raise CheckpointError(
            f"{path.parent} is no checkpoint: a folder with {WEIGHTS} and {CONFIG} is needed"
        ) from error
    except (ValueError, TypeError, KeyError) as error:
        raise CheckpointError(f"{path} is not a checkpoint's config: {error!r}") from error
