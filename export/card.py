"""The model card of a bundle: CARD.md, for whoever finds the folder alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from export.parity import FRAMES, KEYS, Parity
from training.checkpoint import Config
from training.models.base import Generator, ImageColorizer
from vidcolor.inference.contract import Metadata


def model_card(
    generator: Generator,
    *,
    metadata: Metadata,
    config: Config,
    parities: Sequence[Parity],
    sizes: Mapping[str, int],
    notes: str = "",
) -> str:
    """Markdown. `sizes` are the graphs' files in bytes, by file name; `notes` are the author's."""
    parameters = sum(tensor.numel() for tensor in generator.parameters())
    arguments = ", ".join(f"{name} {value}" for name, value in config.arguments.items())
    lines = [
        f"# {metadata.name}",
        "",
        "A vidcolor model: it carries the colours of a key frame through a clip.",
        "",
        f"- Network: {config.model}" + (f" ({arguments})" if arguments else ""),
        f"- Parameters: {parameters:,}",
        f"- Colour space it thinks in: {metadata.color_space}",
        f"- Heights and widths: multiples of {metadata.size_multiple} pixels (vidcolor pads)",
        f"- Optical flow it asks for: {', '.join(sorted(generator.flows)) or 'none'}",
        f"- Training data: {metadata.training_data}",
        f"- Licence: {metadata.licence}",
        f"- Metrics: {metadata.metrics}",
        "",
        *_making(config, notes),
        "## What the export proved",
        "",
        f"Rollouts of {FRAMES} frames at two sizes, with {' and '.join(map(str, KEYS))} keys, "
        "beside PyTorch. The largest difference at any pixel:",
        "",
        *_table(
            "precision",
            "chroma (of ±0.5), confidence (of 0 to 1)",
            {p.precision: f"{p.chroma:.1e}, {p.confidence:.1e}" for p in parities},
        ),
        *_table("file", "bytes", {name: f"{size:,}" for name, size in sizes.items()}),
    ]
    return "\n".join(lines).rstrip() + "\n"


def colorizer_card(
    network: ImageColorizer,
    *,
    metadata: Metadata,
    config: Config,
    apart: float,
    size: int,
    notes: str = "",
) -> str:
    """Markdown for a colorizer. `apart`: the parity; `size`: the graph's file in bytes."""
    parameters = sum(tensor.numel() for tensor in network.parameters())
    lines = [
        f"# {metadata.name}",
        "",
        "A vidcolor image colorizer: it colours a single gray frame, and carries nothing.",
        "",
        f"- Method: {network.method}",
        f"- Parameters: {parameters:,}",
        f"- Heights and widths: multiples of {metadata.size_multiple} pixels (vidcolor pads)",
        f"- Training data: {metadata.training_data}",
        f"- Licence: {metadata.licence}",
        f"- Metrics: {metadata.metrics}",
        "",
        *_making(config, notes),
        "## What the export proved",
        "",
        f"At two sizes, beside PyTorch: chroma (of ±0.5) at most {apart:.1e} apart at any pixel. "
        f"The graph has {size:,} bytes.",
    ]
    return "\n".join(lines) + "\n"


def _making(config: Config, notes: str) -> list[str]:
    """The author's notes, and what the checkpoint says of its training."""
    return [
        *([notes.strip(), ""] if notes.strip() else []),
        "## How it was made",
        "",
        f"Checkpoint {config.name!r} after {config.step:,} updates.",
        "",
        *_table("option", "value", _numbers(config.training)),
    ]


def metrics_text(metrics: Mapping[str, float]) -> str:
    """A checkpoint's metrics as one line."""
    return ", ".join(f"{name} {value:.4g}" for name, value in metrics.items()) or "not measured"


def _table(key: str, value: str, rows: Mapping[str, object]) -> list[str]:
    if not rows:
        return []
    return [f"| {key} | {value} |", "|---|---|", *(f"| {k} | {v} |" for k, v in rows.items()), ""]


def _numbers(training: Mapping[str, object], group: str = "") -> dict[str, object]:
    """The options that are numbers or switches, of inner groups too; texts may be local paths."""
    rows: dict[str, object] = {}
    for name, value in training.items():
        if isinstance(value, Mapping):
            rows |= _numbers(value, f"{group}{name}.")
        elif isinstance(value, int | float):
            rows[group + name] = value
        elif isinstance(value, list) and value and all(isinstance(v, int | float) for v in value):
            rows[group + name] = " ".join(map(str, value))
    return rows
