"""An evaluation to read: JSON with everything, a markdown table, and one HTML file to look at."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from evaluation.metrics import CDC_DISTANCES, PSNR_LIMIT
from evaluation.page import render_page
from evaluation.pictures import STRIP_EVERY, Pictures
from evaluation.plots import drift_svg
from evaluation.scores import LAB_GRID, SSIM_EVERY
from evaluation.summary import CHAIN, ENDS, GROWTH, GROWTH_REACH, Evaluation, Summary, summarise

_TEMPLATE = Path(__file__).with_name("report.html.j2")
_DIGITS = 5
"""Significant digits of the figures in JSON."""


def _against(name: str, form: str) -> Callable[[Summary], str]:
    def show(summary: Summary) -> str:
        against = summary.against_chain
        return "" if against is None else format(getattr(against, name), form)

    return show


def _optional(name: str) -> Callable[[Summary], str]:
    def show(summary: Summary) -> str:
        value = getattr(summary, name)
        return "" if value is None else f"{value:.2f}"

    return show


COLUMNS: dict[str, Callable[[Summary], str]] = {
    "PSNR dB": lambda s: f"{s.psnr:.2f}",
    f"first {ENDS}": lambda s: f"{s.first:.2f}",
    f"last {ENDS}": lambda s: f"{s.last:.2f}",
    "drift": lambda s: f"{s.drift:.2f}",
    "SSIM": lambda s: f"{s.ssim:.4f}",
    "CIEDE2000": lambda s: f"{s.ciede2000:.2f}",
    "pixel accuracy": lambda s: f"{s.accuracy:.1%}",
    "L1 Lab": lambda s: f"{s.lab_l1:.2f}",
    "CDC": lambda s: f"{s.cdc:.5f}",
    "warping error": _optional("warping_error"),
    f"chroma kept, last {ENDS}": _optional("chroma_kept"),
    "error growth": _optional("error_growth"),
    f"frames above {CHAIN}": _against("frames_above", ".0%"),
    "clips above it": _against("clips_above", ".0%"),
    "worst clip, dB": _against("worst", "+.2f"),
    "confidence, pooled": _optional("confidence_pooled"),
    "within clips": _optional("confidence_within"),
    "frames/s": lambda s: "> 1000" if s.frames_per_second > 1000 else f"{s.frames_per_second:.1f}",
}
"""The table's columns after the method's name."""


def table(evaluation: Evaluation) -> list[list[str]]:
    """The table's cells, the header first."""
    rows = [
        [label, *(show(summary) for show in COLUMNS.values())]
        for label, summary in evaluation.summaries.items()
    ]
    return [["method", *COLUMNS], *rows]


def markdown_table(evaluation: Evaluation) -> str:
    """The table, the command that made it, and what its columns mean."""
    header, *rows = table(evaluation)
    lines = [header, ["---", *("---:" for _ in header[1:])], *rows]
    text = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"{text}\n\n`{evaluation.command}`\n\n{legend(evaluation)}"


def legend(evaluation: Evaluation) -> str:
    """What the columns mean, in a paragraph."""
    options = evaluation.options
    distances = ", ".join(str(distance) for distance in CDC_DISTANCES)
    passes = options.get("passes", 1)
    played = f", played there and back, {passes} ways in all" if passes != 1 else ""
    worn = "".join(
        f", {name} of {options[name]:g} added to luma"
        for name in ("flicker", "grain")
        if options.get(name)
    )
    return (
        f"{len(evaluation.clips)} clips, short side {options['size']}, at most "
        f"{options['frames']} frames each{played}{worn}; the key is frame 0, which is not counted; "
        f"means over a clip's frames, then over clips. PSNR and SSIM of 8-bit RGB with the true "
        f"luma kept (PSNR at most {PSNR_LIMIT:g} dB; SSIM of every {SSIM_EVERY}th frame); "
        f"CIEDE2000, L1 and pixel accuracy in Lab, on one pixel of {LAB_GRID**2}; drift is PSNR "
        f"of the first {ENDS} frames minus that of the last {ENDS}; CDC over distances "
        f"{distances} (the true frames have {evaluation.true_cdc:.5f}); warping error is by how "
        f"many 8-bit codes more than the true chroma the predicted one changes along the motion "
        f"from frame to frame; chroma kept is the predicted strength of chroma over the true one "
        f"(0 is gray, 1 as strong as in truth); error growth is the dB lost from frame "
        f"{GROWTH[0]} to frame {GROWTH[1]} after the key ({2 * GROWTH_REACH + 1} frames around "
        f"each, clips that end before frame {GROWTH[1] - GROWTH_REACH} and clips played back left "
        f"out); frames above {CHAIN} is the share whose PSNR is higher; confidence is its rank "
        f"correlation with a frame's PSNR; frames/s "
        f"of the method alone, flow included, with "
        f"{options['workers']} worker(s)."
    )


def to_json(evaluation: Evaluation) -> str:
    """Everything: the summary by method, then the same and each frame's figures by clip."""
    content = {
        "command": evaluation.command,
        "legend": legend(evaluation),
        "versions": evaluation.versions,
        "provenance": evaluation.provenance,
        "options": evaluation.options,
        "models": evaluation.models,
        "true_cdc": evaluation.true_cdc,
        "summaries": {label: asdict(s) for label, s in evaluation.summaries.items()},
        "clips": {
            clip: {
                label: {
                    "summary": asdict(summarise({clip: methods}, label)),
                    "frames": asdict(scores),
                }
                for label, scores in methods.items()
            }
            for clip, methods in evaluation.clips.items()
        },
    }
    return json.dumps(_rounded(content), allow_nan=False)


def html_report(evaluation: Evaluation, pictures: Sequence[Pictures]) -> str:
    """Return the report as one HTML file that needs no other.

    Args:
        evaluation: Tables and curves are made of it.
        pictures: Of the clips that are shown.
    """
    levels = {
        clip: {label: f"{np.mean(scores.psnr):.2f}" for label, scores in methods.items()}
        for clip, methods in evaluation.clips.items()
    }
    return render_page(
        _TEMPLATE,
        evaluation=evaluation,
        table=table(evaluation),
        legend=legend(evaluation),
        drift=drift_svg(evaluation),
        levels=levels,
        pictures=pictures,
        strip_every=STRIP_EVERY,
        chain=CHAIN,
    )


def _rounded(value: object) -> object:
    """The same with floats of `_DIGITS` significant digits."""
    if isinstance(value, float):
        return float(f"{value:.{_DIGITS}g}")
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(inner) for inner in value]
    return value
