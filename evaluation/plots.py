"""Curves of drift: how every method's quality falls with the distance from the key."""

from __future__ import annotations

import io
from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from evaluation.predictors import Predictor
from evaluation.summary import Evaluation

Floats = NDArray[np.float64]

_FIGURES = {"psnr": "PSNR of RGB (dB)", "accuracy": "pixel accuracy"}


def drift_svg(evaluation: Evaluation) -> str:
    """An SVG element: PSNR and pixel accuracy of all methods over the frames, mean over clips.

    Beside a model's accuracy stands (1 - eta)^t, eta being its error one step after a true frame:
    what is left at frame t if every step spoils the same share of what was right, which is how the
    reports' models collapse.
    """
    colors = _colors(evaluation.predictors)
    figure = Figure(figsize=(12, 4.8), layout="constrained")
    panels = figure.subplots(1, len(_FIGURES))
    for axes, (name, text) in zip(panels, _FIGURES.items(), strict=True):
        for method in evaluation.predictors:
            curve = evaluation.curve(method.label, name)
            dotted = ":" if method.kind == "transfer" else "-"
            axes.plot(
                range(1, len(curve) + 1),
                curve,
                dotted,
                color=colors[method.label],
                label=method.label,
            )
        axes.set(xlabel="frames after the key", ylabel=text)
        axes.grid(alpha=0.3)
    _draw_collapse(panels[-1], evaluation, colors)
    panels[-1].set_ylim(0, 1)
    handles, labels = panels[-1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right upper", frameon=False, fontsize="small")
    return to_svg(figure)


def to_svg(figure: Figure) -> str:
    """The figure as an SVG element; the same figure gives the same bytes."""
    file = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "vidcolor"}):
        figure.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()[file.getvalue().index("<svg") :]


def _colors(methods: Sequence[Predictor]) -> dict[str, str]:
    """By label; a model has the same colour in both modes."""
    owners = list(dict.fromkeys(method.model or method.label for method in methods))
    return {m.label: f"C{owners.index(m.model or m.label)}" for m in methods}


def _draw_collapse(axes: Axes, evaluation: Evaluation, colors: dict[str, str]) -> None:
    for method in evaluation.predictors:
        error_rate = evaluation.error_rate(method)
        if method.kind != "propagation" or error_rate is None:
            continue
        frames = np.arange(1, len(evaluation.curve(method.label, "accuracy")) + 1)
        label = f"{method.label}: (1 - {error_rate:.3f})^t"
        axes.plot(frames, (1 - error_rate) ** frames, "--", color=colors[method.label], label=label)
