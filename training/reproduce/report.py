"""The reproduction to read: the reports' tables beside ours, verdicts, curves and pictures."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from evaluation.page import render_page
from evaluation.pictures import STRIP_EVERY, Pictures
from evaluation.report import legend, table
from evaluation.summary import Evaluation
from training.reproduce.findings import Finding, Measured
from training.reproduce.plots import collapse_svg, losses_svg
from training.reproduce.probes import RECOVERY

_TEMPLATE = Path(__file__).with_name("report.html.j2")

PUBLISHED: dict[str, tuple[str, int, int]] = {
    "supervised": ("CS230", 94, 78),
    "cgan-dt1": ("CS230", 92, 83),
    "cgan-dt5": ("CS230", 84, 79),
    "extended": ("CS236", 67, 63),
}
"""Table 1 of each report: which, and pixel accuracy in transfer in percent, train and test."""

Losses = Mapping[str, Sequence[Mapping[str, float]]]
"""By system, the lines of its `losses.jsonl`."""


@dataclass(frozen=True)
class Reproduction:
    """All that a run of `python -m training reproduce` found out."""

    evaluation: Evaluation
    """On held-out clips, in both modes."""
    systems: dict[str, Measured]
    findings: list[Finding]
    losses: Losses
    trained: dict[str, int]
    """By system, its updates."""
    commands: list[str]
    """That trained them."""
    figures: list[Pictures]


def table_one(reproduction: Reproduction) -> list[list[str]]:
    """Table 1 of the reports beside ours: its cells, the header first."""
    header = [
        "system", "report", "its train", "its test", "updates", "dt",
        "our train", "our test", "L1 train", "L1 test",
    ]  # fmt: skip
    rows = []
    for name, measured in reproduction.systems.items():
        report, *accuracies = PUBLISHED.get(name, ("", "", ""))
        rows.append([
            name,
            report,
            *(f"{value} %" if value else "" for value in accuracies),
            f"{reproduction.trained[name]:,}" if name in reproduction.trained else "as shipped",
            str(measured.dt),
            *(f"{part.accuracy:.1%}" for part in (measured.train, measured.test)),
            *(f"{part.l1:.2f}" for part in (measured.train, measured.test)),
        ])  # fmt: skip
    return [header, *rows]


def table_collapse(reproduction: Reproduction) -> list[list[str]]:
    """How each system does on its own output: cells, the header first."""
    frames = [1, 7, 14, 28, 49]
    header = ["system", "eta", *(f"frame {t}" for t in frames), "left", "off (1 - eta)^t"]
    header += ["tracks", "copies", "saturation", "fetches"]
    rows = []
    for name, measured in reproduction.systems.items():
        curve = measured.curve
        rows.append([
            name,
            f"{1 - measured.step:.3f}",
            *(f"{curve[t - 1]:.0%}" if t <= len(curve) else "" for t in frames),
            f"{measured.left:.0%}",
            f"{measured.off_law:.2f}",
            f"{measured.tracking.accuracy:.1%}",
            f"{measured.tracking.copied:.1%}",
            f"{measured.tracking.saturation:.1%}",
            f"{measured.fetching.gain:+.1%}",
        ])  # fmt: skip
    return [header, *rows]


def table_findings(reproduction: Reproduction) -> list[list[str]]:
    """The verdicts: cells, the header first."""
    rows = [[f.claim, "yes" if f.found else "no", f.evidence] for f in reproduction.findings]
    return [["finding", "found again", "by"], *rows]


def notes() -> dict[str, str]:
    """What the columns of the first two tables mean."""
    return {
        "one": (
            "Pixel accuracy and L1 (Lab) of transfer, one step from the true frame dt before; the "
            "luma is the true one, while the reports' models are held to the luma they paint too. "
            "Train: clips that were trained on; test: held out."
        ),
        "collapse": (
            "eta: share of pixels wrong a step after the true frame before, on held-out clips. "
            "Then pixel accuracy on the own output so many frames after the key; what is left at "
            "the end of the curve, of what is right beyond gray after one step; the curve's mean "
            "distance from (1 - eta)^t. Tracks, copies: of pixels whose colour changed within five "
            "frames, the share painted right, and painted as it was. Saturation: of the coloured "
            "ones of them, as painted over the true one. Fetches: of colours missing in the frame "
            f"before, how many more come back right within {RECOVERY} frames when the key is in "
            "colour than when it is gray."
        ),
    }


def markdown(reproduction: Reproduction) -> str:
    """The tables, what they mean, and the commands."""
    notes_ = notes()
    evaluation = reproduction.evaluation
    parts = [
        _markdown_table(table_findings(reproduction)),
        _markdown_table(table_one(reproduction)),
        notes_["one"],
        _markdown_table(table_collapse(reproduction)),
        notes_["collapse"],
        _markdown_table(table(evaluation)),
        legend(evaluation),
        "\n".join(f"    {command}" for command in [evaluation.command, *reproduction.commands]),
    ]
    return "\n\n".join(parts) + "\n"


def results(reproduction: Reproduction) -> str:
    """The numbers behind the tables as JSON, but for the evaluation's."""
    content = {
        "systems": {
            name: {**asdict(m), "left": m.left, "off_law": m.off_law, "fetched": m.fetching.gain}
            for name, m in reproduction.systems.items()
        },
        "findings": [asdict(finding) for finding in reproduction.findings],
        "updates": reproduction.trained,
        "commands": reproduction.commands,
    }
    return json.dumps(content, indent=1) + "\n"


def html(reproduction: Reproduction) -> str:
    """One file that needs no other."""
    return render_page(
        _TEMPLATE,
        reproduction=reproduction,
        evaluation=reproduction.evaluation,
        findings=table_findings(reproduction),
        one=table_one(reproduction),
        collapse=table_collapse(reproduction),
        quality=table(reproduction.evaluation),
        legend=legend(reproduction.evaluation),
        notes=notes(),
        collapse_svg=collapse_svg(reproduction.systems),
        losses_svg=losses_svg(reproduction.losses),
        strip_every=STRIP_EVERY,
    )


def _markdown_table(cells: Sequence[Sequence[str]]) -> str:
    header, *rows = cells
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
