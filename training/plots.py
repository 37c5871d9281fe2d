"""Drift drawn: how every method's quality falls with the distance from the key."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from training.findings import Measured
from training.methods import Method
from training.summary import Evaluation

Floats = NDArray[np.float64]

_FIGURES = {"psnr": "PSNR of RGB (dB)", "accuracy": "pixel accuracy"}


def drift_svg(evaluation: Evaluation) -> str:
    """An SVG element: PSNR and pixel accuracy of all methods over the frames, mean over clips.

    Beside a model's accuracy stands (1 - eta)^t, eta being its error one step after a true frame:
    what is left at frame t if every step spoils the same share of what was right, which is how the
    reports' models collapse.
    """
    colours = _colours(evaluation.methods)
    figure = Figure(figsize=(12, 4.8), layout="constrained")
    panels = figure.subplots(1, len(_FIGURES))
    for axes, (name, text) in zip(panels, _FIGURES.items(), strict=True):
        for method in evaluation.methods:
            curve = evaluation.curve(method.label, name)
            dotted = ":" if method.kind == "transfer" else "-"
            axes.plot(
                range(1, len(curve) + 1),
                curve,
                dotted,
                color=colours[method.label],
                label=method.label,
            )
        axes.set(xlabel="frames after the key", ylabel=text)
        axes.grid(alpha=0.3)
    _draw_collapse(panels[-1], evaluation, colours)
    panels[-1].set_ylim(0, 1)
    handles, labels = panels[-1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right upper", frameon=False, fontsize="small")
    return _svg(figure)


def collapse_svg(systems: Mapping[str, Measured]) -> str:
    """An SVG element: for each system propagation as measured, and (1 - eta)^t."""
    figure, panels = _grid(len(systems), height=2.6)
    for axes, (name, measured) in zip(panels, systems.items(), strict=True):
        frames = np.arange(1, len(measured.curve) + 1)
        axes.plot(frames, measured.curve, color="C0", label="measured")
        law = f"(1 - {1 - measured.step:.3f})^t"
        axes.plot(frames, measured.step**frames, "--", color="C1", label=law)
        axes.plot(frames, measured.gray, ":", color="gray", label="gray")
        axes.set(title=name, ylim=(0, 1), xlabel="frames after the key", ylabel="pixel accuracy")
        axes.legend(frameon=False, fontsize="small")
    return _svg(figure)


def losses_svg(losses: Mapping[str, Sequence[Mapping[str, float]]]) -> str:
    """An SVG element: the losses of generator and discriminator over the updates, side by side.

    Systems without a discriminator are left out.
    """
    adversarial = {
        name: lines for name, lines in losses.items() if any("discriminator" in x for x in lines)
    }
    figure, panels = _grid(len(adversarial), height=4.0, rows=2)
    for column, (name, lines) in enumerate(adversarial.items()):
        for row, player in enumerate(("generator", "discriminator")):
            points = [(line["step"], line[player]) for line in lines if player in line]
            steps, values = np.transpose(points)
            axes = panels[row * len(adversarial) + column]
            axes.plot(steps, values, color=f"C{row}", alpha=0.25)
            axes.plot(steps, _smooth(values), color=f"C{row}")
            axes.set(xlabel="updates", title=f"{name}: {player}")
    return _svg(figure)


def _smooth(values: Floats) -> Floats:
    """The mean over a tenth of the curve around each point."""
    reach = max(1, len(values) // 20)
    padded = np.pad(values, reach, mode="edge")
    return np.convolve(padded, np.full(2 * reach + 1, 1 / (2 * reach + 1)), mode="valid")


def _grid(columns: int, *, height: float, rows: int = 1) -> tuple[Figure, list[Axes]]:
    """A figure of panels side by side, row by row; height in inches."""
    figure = Figure(figsize=(2.6 * max(1, columns), height), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False) if columns else np.empty(0)
    for axes in panels.flat:
        axes.grid(alpha=0.3)
    return figure, list(panels.flat)


def _svg(figure: Figure) -> str:
    file = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "vidcolor"}):
        figure.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()[file.getvalue().index("<svg") :]


def _colours(methods: Sequence[Method]) -> dict[str, str]:
    """By label; a model has the same colour in both modes."""
    owners = list(dict.fromkeys(method.model or method.label for method in methods))
    return {m.label: f"C{owners.index(m.model or m.label)}" for m in methods}


def _draw_collapse(axes: Axes, evaluation: Evaluation, colours: dict[str, str]) -> None:
    for method in evaluation.methods:
        error_rate = evaluation.error_rate(method)
        if method.kind != "propagation" or error_rate is None:
            continue
        frames = np.arange(1, len(evaluation.curve(method.label, "accuracy")) + 1)
        label = f"{method.label}: (1 - {error_rate:.3f})^t"
        axes.plot(
            frames, (1 - error_rate) ** frames, "--", color=colours[method.label], label=label
        )
