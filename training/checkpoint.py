"""Generators on disk: a folder with `weights.safetensors` and a readable `config.json`.

Tensors lie in safetensors and everything else in JSON, so that opening a checkpoint from elsewhere
runs no code.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from training.models import COLORIZERS, GENERATORS
from training.models.base import Generator, ImageColorizer
from vidcolor.errors import VidcolorError

WEIGHTS = "weights.safetensors"
CONFIG = "config.json"


_VALUES: Mapping[str, tuple[type, ...]] = {
    "arguments": (float, int, str),
    "metrics": (float, int),
    "training": (object,),
}
"""Of what types the values are in each of a config's objects. A bool is an int."""


class CheckpointError(VidcolorError, ValueError):
    """A checkpoint is missing, damaged, or not one of ours."""


@dataclass(frozen=True)
class Config:
    """What a checkpoint says of its weights; `export` carries the texts into the bundle."""

    name: str
    """What the trained model is called, such as 'cgan-dt1'."""
    model: str
    """Which of `training.models.GENERATORS` or `COLORIZERS` it is."""
    arguments: dict[str, float | int | str | bool]
    """That network's arguments, such as its width."""
    step: int = 0
    """Generator updates behind these weights."""
    licence: str = "unknown"
    training_data: str = "unknown"
    metrics: dict[str, float] = field(default_factory=dict)
    """As measured on held-out clips when the checkpoint was written."""
    training: dict[str, object] = field(default_factory=dict)
    """The options of `fit`, with the code's commit and the hash of the list of footage."""


def save_generator(folder: Path, network: nn.Module, *, config: Config) -> None:
    """Write the weights and config of a generator or a colorizer.

    Each file appears whole or not at all: a process that is killed leaves the older one.

    Args:
        folder: It is made when missing.
        network: Whose weights are saved.
        config: What is said of them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    save_tensors(folder / WEIGHTS, network.state_dict(), notes={})
    partial = folder / f"{CONFIG}.partial"
    partial.write_text(json.dumps(asdict(config), indent=2) + "\n", encoding="utf-8")
    partial.replace(folder / CONFIG)


def load_generator(folder: str | Path) -> tuple[Generator, Config]:
    """The generator on the CPU in eval mode, and its config; CheckpointError says what is wrong."""
    return _load(Path(folder), GENERATORS)


def load_colorizer(folder: str | Path) -> tuple[ImageColorizer, Config]:
    """The colorizer of single frames, as `load_generator`."""
    return _load(Path(folder), COLORIZERS)


def _load[Network: nn.Module](
    folder: Path, known: Mapping[str, type[Network]]
) -> tuple[Network, Config]:
    config = read_config(folder)
    if config.model not in known:
        raise CheckpointError(
            f"{folder / CONFIG}: model is {config.model!r}, known are {', '.join(known)}"
        )
    try:
        network = known[config.model](**config.arguments)
        network.load_state_dict(load_tensors(folder / WEIGHTS)[0])
    except (TypeError, ValueError, ArithmeticError, MemoryError, RuntimeError) as error:
        if isinstance(error, CheckpointError):
            raise
        reason = " ".join(str(error).split())
        raise CheckpointError(
            f"{folder / WEIGHTS} does not hold a {config.model}: {reason}"
        ) from error
    return network.eval(), config


def read_config(folder: Path) -> Config:
    """The config alone; CheckpointError as `load_generator`."""
    path = folder / CONFIG
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        config = Config(**{f.name: values[f.name] for f in fields(Config)})
        _check_types(config)
    except OSError as error:
        raise CheckpointError(
            f"{folder} is no checkpoint: a folder with {WEIGHTS} and {CONFIG} is needed"
        ) from error
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise CheckpointError(f"{path} is not a checkpoint's config: {error!r}") from error
    return config


def _check_types(config: Config) -> None:
    """Raise TypeError where a value is of another type than `Config` says."""
    for name in ("name", "model", "licence", "training_data"):
        if not isinstance(getattr(config, name), str):
            raise TypeError(f"{name} must be a text")
    if not isinstance(config.step, int):
        raise TypeError("step must be a whole number")
    for name, types in _VALUES.items():
        values = getattr(config, name)
        if not (isinstance(values, dict) and all(isinstance(v, types) for v in values.values())):
            raise TypeError(f"{name} must be an object of {' or '.join(t.__name__ for t in types)}")


def save_tensors(path: Path, tensors: Mapping[str, Tensor], *, notes: dict[str, str]) -> None:
    """Write under a temporary name and rename: a file that is there is whole."""
    partial = path.with_name(f"{path.name}.partial")
    save_file({name: t.contiguous() for name, t in tensors.items()}, partial, metadata=notes)
    partial.replace(path)


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """What `save_tensors` wrote: tensors on the CPU and notes. CheckpointError when it cannot."""
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118 - not a dict
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}") from error
