"""The figures of the reproduction's report: how colours collapse, and the losses of a GAN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from evaluation.plots import to_svg
from training.reproduce.findings import Measured

Floats = NDArray[np.float64]


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
    return to_svg(figure)


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
    return to_svg(figure)


def _smooth(values: Floats) -> Floats:
    """The mean over a tenth of the curve around each point."""
    reach = max(1, len(values) // 20)
    padded = np.pad(values, reach, mode="edge")
    return np.convolve(padded, np.full(2 * reach + 1, 1 / (2 * reach + 1)), mode="valid")


def _grid(columns: int, *, height: float, rows: int = 1) -> tuple[Figure, list[Axes]]:
    """A figure of panels side by side, row by row; height in inches."""
    figure = Figure(figsize=(2.6 * max(1, columns), height), layout="constrained")
    panels: list[Axes] = []
    if columns:
        panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes in panels:
        axes.grid(alpha=0.3)
    return figure, panels
